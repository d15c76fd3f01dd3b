package dev.kedge.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.nn.lm.Generator;
import dev.kedge.tensor.Engine;
import dev.kedge.tensor.InPlace;
import dev.kedge.tensor.Rng;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Set;

/// The process behind a [Contestant] in Java: reads commands from standard input, answers each with a line of JSON.
///
/// `steps N` trains, `generate ROWS TOKENS` decodes greedily, `matmul` and `copy` measure the machine.
public final class Worker {
    private static final ObjectMapper JSON = new ObjectMapper();

    private Worker() {}

    /// @param arguments `kedge FOLDER`, `bare FOLDER`, or `head` and what [HeadPass] takes
    public static void main(String[] arguments) throws IOException {
        if (arguments[0].equals("head")) {
            System.out.println(HeadPass.measure(arguments[1], Integer.parseInt(arguments[2])));
            return;
        }
        int _ = Engine.threads(); // loads the natives
        Workload workload = Workload.read(Path.of(arguments[1]));
        if (arguments[0].equals("bare")) {
            try (BareTraining training = new BareTraining(workload)) {
                serve(training::step, null);
            }
        } else {
            try (TrainingLoop training = new TrainingLoop(workload)) {
                serve(training::step, training.model());
            }
        }
    }

    private interface Step {
        /// @return the loss
        double run();
    }

    private static void serve(Step step, Decoder model) throws IOException {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String[] words = line.split(" ");
            ObjectNode answer = JSON.createObjectNode();
            switch (words[0]) {
                case "steps" -> steps(answer, step, Integer.parseInt(words[1]));
                case "generate" -> generate(answer, model, Integer.parseInt(words[1]), Integer.parseInt(words[2]));
                case "matmul" -> answer.put("flops_per_second", matmulRate());
                case "copy" -> answer.put("bytes_per_second", copyRate());
                default -> throw new IllegalArgumentException("unknown command " + line);
            }
            System.out.println(JSON.writeValueAsString(answer));
        }
    }

    private static void steps(ObjectNode answer, Step step, int count) {
        var seconds = answer.putArray("seconds");
        var losses = answer.putArray("losses");
        for (int i = 0; i < count; i++) {
            long start = System.nanoTime();
            losses.add(step.run());
            seconds.add((System.nanoTime() - start) / 1e9);
        }
    }

    private static void generate(ObjectNode answer, Decoder model, int rows, int tokens) {
        List<int[]> prompts = Collections.nCopies(rows, new int[] {1});
        long start = System.nanoTime();
        var completions = Generator.generate(model, prompts, Generator.Options.greedy(tokens, Set.of()), null);
        answer.put("seconds", (System.nanoTime() - start) / 1e9);
        answer.set("tokens", JSON.valueToTree(completions.getFirst().tokens()));
    }

    /// Of float32 matrices 2048 x 2048: the best of several, floating point operations a second.
    static double matmulRate() {
        try (Scope _ = new Scope();
                Rng rng = Rng.seeded(0)) {
            Tensor a = rng.normal(2048, 2048);
            Tensor b = rng.normal(2048, 2048);
            return 2 * Math.pow(2048, 3) / best(5, () -> a.matmul(b).close());
        }
    }

    /// Of 256 MiB: bytes read and written a second, the best of several.
    static double copyRate() {
        try (Scope _ = new Scope();
                Rng rng = Rng.seeded(0)) {
            Tensor from = rng.uniform(1 << 26);
            Tensor to = from.zerosLike();
            return 2.0 * 4 * (1 << 26) / best(5, () -> InPlace.copy_(to, from));
        }
    }

    private static double best(int times, Runnable work) {
        double best = Double.POSITIVE_INFINITY;
        for (int i = 0; i <= times; i++) {
            long start = System.nanoTime();
            work.run();
            double seconds = (System.nanoTime() - start) / 1e9;
            best = i == 0 ? best : Math.min(best, seconds);
        }
        return best;
    }
}
