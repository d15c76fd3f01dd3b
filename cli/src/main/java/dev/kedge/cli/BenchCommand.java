package dev.kedge.cli;

import dev.kedge.bench.BenchReport;
import dev.kedge.bench.CallBench;
import dev.kedge.bench.GenerateBench;
import dev.kedge.bench.HeadBench;
import dev.kedge.bench.MdpBench;
import dev.kedge.bench.RolloutBench;
import dev.kedge.bench.TrainBench;
import dev.kedge.data.fetch.FetchException;
import dev.kedge.data.fetch.Fetched;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// Speed, side by side in one run.
@Command(
        name = "bench",
        description = "Measure speed, side by side with Python where it is there.",
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "train     a step of training: Kedge, the bare binding, Python",
            "generate  greedy decoding, one row and 64",
            "rollout   64 completions with log-probs, together, one by one, and guided by a second model",
            "head      log-probs of a large vocabulary: memory and time",
            "call      nanoseconds of a call",
            "mdp       exact solutions of processes of 10,000 states"
        })
final class BenchCommand implements Callable<Integer> {
    enum What {
        TRAIN,
        GENERATE,
        ROLLOUT,
        HEAD,
        CALL,
        MDP
    }

    @Spec
    CommandSpec spec;

    @Parameters(paramLabel = "WHAT", description = "${COMPLETION-CANDIDATES}")
    What what;

    @Option(
            names = "--rounds",
            defaultValue = "6",
            paramLabel = "N",
            description = "Turns of each in train, generate and rollout (${DEFAULT-VALUE}).")
    int rounds;

    @Option(
            names = "--model",
            paramLabel = "PATH",
            description = "What generate decodes with; stories260k where it is fetched or in a mirror.")
    Path model;

    @Option(names = "--json", description = "One JSON object, alone on the last line.")
    boolean json;

    @Override
    public Integer call() {
        if (rounds < 1) {
            throw new ParameterException(spec.commandLine(), "--rounds must be at least 1, was " + rounds);
        }
        BenchReport report =
                switch (what) {
                    case TRAIN -> TrainBench.run(rounds);
                    case GENERATE -> GenerateBench.run(model == null ? stories() : model, rounds);
                    case ROLLOUT -> RolloutBench.run(rounds);
                    case HEAD -> HeadBench.run();
                    case CALL -> CallBench.run();
                    case MDP -> MdpBench.run();
                };
        report.lines().forEach(System.out::println);
        if (json) {
            System.out.println(report.json());
        }
        return 0;
    }

    private static Path stories() {
        Path path = Fetched.FOLDER.resolve("stories260k/stories260K.bin");
        try {
            return Fetched.resolve(path);
        } catch (FetchException _) {
            return path; // not there: a random model stands in
        }
    }
}
