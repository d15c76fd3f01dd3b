package dev.kedge.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.kedge.nn.Parameters;
import dev.kedge.nn.optim.Schedule;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Scope;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What a training tells of its steps: on the terminal, and of tokens in a second.
class TrainingProgressTest {
    private static final TrainingConfig CONFIG = new TrainingConfig(
            2,
            5,
            5,
            EpochBatches.Order.SHUFFLED,
            0.1,
            Schedule.Shape.CONSTANT,
            0,
            1,
            0.9,
            0.95,
            0,
            1,
            100,
            Optional.empty());

    private record Settings(int steps) {}

    @TempDir
    Path folder;

    /// The loss is half the square of the one parameter less 1.
    private static Step step(Parameters model) {
        return Step.of(List.of(() -> {
            var difference = model.get("x").minus(1);
            var loss = difference.times(difference).sum().times(0.5);
            loss.backward();
            return new StepMetrics().add("loss", loss.item());
        }));
    }

    /// The terminal's lines of a training of two steps; the first comes at once, the second as it is the last.
    private List<String> told(UnaryOperator<Step> how) {
        var said = new ByteArrayOutputStream();
        Terminal terminal = new Terminal(new PrintStream(said, true), Terminal.Mode.LINES);
        try (Run run = Run.start(folder.resolve("run"), "tiny", new Settings(1), terminal)) {
            said.reset();
            try (Parameters model = Parameters.zeros(Map.of("x", new long[] {1}), DType.FLOAT64, Device.CPU);
                    Training training = new Training(run, "fit", CONFIG, model, new Training.Span(10, 1, 12))) {
                training.run(_ -> how.apply(step(model)));
            }
        }
        return said.toString(StandardCharsets.UTF_8).lines().toList();
    }

    private List<JsonNode> metrics() throws IOException {
        return Files.readAllLines(folder.resolve("run/metrics.jsonl")).stream()
                .map(line -> {
                    try {
                        return new ObjectMapper().readTree(line);
                    } catch (IOException e) {
                        throw new IllegalStateException(e);
                    }
                })
                .toList();
    }

    @Test
    void stepsWithoutTokensSayTheirLoss() throws IOException {
        List<String> lines = told(step -> step);
        assertTrue(lines.getFirst().startsWith("fit 11/12, loss 0.5000, "), lines.toString());
        assertTrue(lines.getLast().startsWith("fit 12/12, loss 0.4050, "), lines.toString());
        assertEquals(2, lines.size());
        assertFalse(metrics().getFirst().has("tokens_per_s"));
    }

    @Test
    void aStepMaySaySomethingElse() {
        List<String> lines = told(step -> step.said(m -> "lr " + m.get("lr")));
        assertTrue(lines.getFirst().startsWith("fit 11/12, lr 0.1, "), lines.toString());
    }

    /// 3000 tokens in a step that takes no less than 20 ms, and no longer than the whole training.
    @Test
    void tokensAreCountedByTheSecond() throws IOException {
        long start = System.nanoTime();
        List<String> lines = told(step -> step.tokens(3000).completed(_ -> sleep()));
        double seconds = (System.nanoTime() - start) / 1e9;
        for (JsonNode line : metrics()) {
            double rate = line.get("tokens_per_s").asDouble();
            assertTrue(rate <= 3000 / 0.02 && rate >= 3000 / seconds, rate + " in " + seconds + " s");
        }
        assertTrue(lines.getLast().matches("fit 12/12, loss 0.4050, .* tokens/s, 0:00:00 left"), lines.toString());
    }

    private static void sleep() {
        try {
            Thread.sleep(20);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void theOptimisersMomentsAreFreed() {
        long live = Scope.liveTensors();
        told(step -> step);
        assertEquals(live, Scope.liveTensors());
    }
}
