package dev.kedge.run;

import dev.kedge.nn.Parameters;
import dev.kedge.nn.file.Safetensors;
import dev.kedge.nn.optim.AdamW;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Elementwise;
import dev.kedge.tensor.InPlace;
import dev.kedge.tensor.Rng;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/// A training loop of two phases and 289 parameters, as a recipe would write it, to be killed and resumed.
final class TinyTraining {
    /// @param steps of each phase
    /// @param every steps between checkpoints
    record Config(int steps, int every, long seed) {}

    private static final String[] PHASES = {"warm", "fit"};

    private final Config config;
    private final Run run;
    private final Parameters parameters;
    private final AdamW optimizer;
    private final Parameters best;
    private final Rng rng;
    private double bestLoss = Double.POSITIVE_INFINITY;

    private TinyTraining(Config config, Run run) {
        this.config = config;
        this.run = run;
        Map<String, long[]> shapes = new LinkedHashMap<>();
        shapes.put("hidden", new long[] {16, 16});
        shapes.put("bias", new long[] {16});
        shapes.put("out", new long[] {16, 1});
        shapes.put("offset", new long[] {1});
        parameters = Parameters.zeros(shapes, DType.FLOAT32, Device.CPU);
        rng = Rng.seeded(config.seed());
        try (Scope _ = new Scope()) {
            InPlace.copy_(parameters.flat(), rng.normal(parameters.count()).times(0.3));
        }
        best = parameters.copy();
        optimizer = new AdamW(parameters, new AdamW.Config(0.9, 0.99, 1e-8, 0.01));
    }

    /// Arguments: folder, steps a phase, steps between checkpoints. Prints a line a step.
    public static void main(String[] arguments) {
        int steps = Integer.parseInt(arguments[1]);
        int every = Integer.parseInt(arguments[2]);
        train(Path.of(arguments[0]), steps, every, System.out);
    }

    static void train(Path folder, int steps, int every, PrintStream out) {
        out.println("up");
        Config config = new Config(steps, every, 7);
        try (Run run = Run.start(folder, "tiny", config, Terminal.quiet())) {
            new TinyTraining(config, run).train(out);
        }
    }

    private void train(PrintStream out) {
        Optional<SavedCheckpoint> saved = run.latest();
        saved.ifPresent(checkpoint -> {
            checkpoint.restore("model", parameters.named());
            checkpoint.restore("optimizer", optimizer.state());
            checkpoint.restore("best", best.named());
            checkpoint.restore("batches", rng);
            bestLoss = checkpoint.number("best_loss");
        });
        int phase = saved.map(checkpoint -> (int) checkpoint.count("phase")).orElse(0);
        long done = saved.map(SavedCheckpoint::step).orElse(0L);
        for (; phase < PHASES.length; phase++, done = 0) {
            for (long step = done + 1; step <= config.steps(); step++) {
                step(phase, step);
                if (step % config.every() == 0) {
                    save(phase, step);
                }
                out.println(PHASES[phase] + " " + step);
            }
        }
        Safetensors.write(run.folder().resolve("final.safetensors"), parameters.named(), Map.of());
        Safetensors.write(run.folder().resolve("best.safetensors"), best.named(), Map.of());
    }

    private void step(int phase, long step) {
        try (Scope _ = new Scope()) {
            Tensor x = rng.normal(8, 16);
            Tensor target = Elementwise.sin(x.sum(1, true));
            Tensor hidden = Elementwise.tanh(x.matmul(parameters.get("hidden")).plus(parameters.get("bias")));
            Tensor predicted = hidden.matmul(parameters.get("out")).plus(parameters.get("offset"));
            Tensor loss = predicted.minus(target).square().mean();
            loss.backward();
            Map<String, Double> metrics = new LinkedHashMap<>();
            metrics.put("loss", loss.item());
            metrics.put("grad_norm", parameters.clipGradient(1));
            run.guard(PHASES[phase], step, metrics);
            optimizer.step(phase == 0 ? 1e-3 : 1e-2);
            run.log(PHASES[phase], step, metrics);
            if (loss.item() < bestLoss) {
                bestLoss = loss.item();
                InPlace.copy_(best.flat(), parameters.flat());
            }
        }
    }

    private void save(int phase, long step) {
        run.save(Checkpoint.at(PHASES[phase], step)
                .tensors("model", parameters.named())
                .tensors("optimizer", optimizer.state())
                .tensors("best", best.named())
                .generator("batches", rng)
                .count("phase", phase)
                .number("best_loss", bestLoss));
    }
}
