package dev.kedge.run;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.kedge.nn.Parameters;
import dev.kedge.nn.optim.Schedule;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.InPlace;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The loop on a model of two numbers, whose loss is `Σ_i w_i·(x - a_i)²/2 / Σ_i w_i` over some examples.
class TrainingTest {
    private static final double[] TARGETS = {1, -2, 0.5, 3, -1};
    private static final double[] WEIGHTS = {1, 2, 0.5, 1, 4};

    /// What kills a training at a step, as a test can.
    private static final class Killed extends RuntimeException {}

    private record Settings(int steps) {}

    @TempDir
    Path folder;

    private final Parameters model = Parameters.zeros(Map.of("x", new long[] {2}), DType.FLOAT64, Device.CPU);

    @AfterEach
    void close() {
        model.close();
    }

    private static TrainingConfig config(int steps, int microBatch, int checkpointEvery, double maxGradNorm) {
        return new TrainingConfig(
                steps,
                5,
                microBatch,
                EpochBatches.Order.SHUFFLED,
                0.1,
                Schedule.Shape.LINEAR,
                2,
                0.1,
                0.9,
                0.95,
                0.01,
                maxGradNorm,
                checkpointEvery,
                Optional.empty());
    }

    private Run start(String name) {
        return Run.start(folder.resolve(name), "tiny", new Settings(1), Terminal.quiet());
    }

    /// A part's share of the loss, and its gradient.
    private StepMetrics gradient(int[] part) {
        double total = Arrays.stream(WEIGHTS).sum();
        Tensor loss = Tensor.of(0.0);
        for (int i : part) {
            Tensor difference = model.get("x").minus(TARGETS[i]);
            loss = loss.plus(difference.times(difference).sum().times(WEIGHTS[i] / (2 * total)));
        }
        loss.backward();
        return new StepMetrics()
                .add("loss", loss.item())
                .max("largest", Arrays.stream(part).max().orElseThrow());
    }

    private Step step(TrainingConfig config) {
        return Step.on(new int[] {0, 1, 2, 3, 4}, config.microBatch(), this::gradient);
    }

    private double[] x() {
        return model.get("x").toDoubles();
    }

    private List<JsonNode> lines(String name) throws IOException {
        List<JsonNode> lines = new ArrayList<>();
        for (String line : Files.readAllLines(folder.resolve(name).resolve("metrics.jsonl"))) {
            lines.add(new ObjectMapper().readTree(line));
        }
        return lines;
    }

    /// AdamW by its equations, in plain doubles, at the rates of the schedule: what moved the parameters is what was
    /// asked for and what was logged, at every step.
    @Test
    void everyStepIsTakenAtTheScheduledRateAndLogged() throws IOException {
        TrainingConfig config = config(7, 2, 3, 100);
        double x = 0;
        double m = 0;
        double v = 0;
        List<Double> rates = new ArrayList<>();
        double total = Arrays.stream(WEIGHTS).sum();
        for (int t = 1; t <= 7; t++) {
            double gradient = 0;
            for (int i = 0; i < 5; i++) {
                gradient += WEIGHTS[i] * (x - TARGETS[i]) / total;
            }
            // Linear warm-up over 2 steps, then down to a tenth with the end of the last step.
            double rate = t <= 2 ? 0.1 * t / 3 : 0.1 * (0.1 + 0.9 * (1 - (t - 3) / 5.0));
            rates.add(rate);
            m = 0.9 * m + 0.1 * gradient;
            v = 0.95 * v + 0.05 * gradient * gradient;
            x -= rate * 0.01 * x;
            x -= rate * (m / (1 - Math.pow(0.9, t))) / (Math.sqrt(v / (1 - Math.pow(0.95, t))) + 1e-8);
        }
        try (Run run = start("run");
                Training training = new Training(run, "fit", config, model)) {
            training.run(_ -> step(config));
        }
        assertArrayEquals(new double[] {x, x}, x(), 1e-12);
        List<JsonNode> lines = lines("run");
        assertEquals(7, lines.size());
        for (int t = 0; t < 7; t++) {
            assertEquals(rates.get(t), lines.get(t).get("lr").doubleValue(), 1e-15);
            assertEquals(t + 1, lines.get(t).get("step").intValue());
            assertEquals("fit", lines.get(t).get("phase").textValue());
        }
    }

    /// However a step is cut into parts, and whichever of them is the largest.
    @Test
    void partsAddUpToTheStep() throws IOException {
        List<double[]> ends = new ArrayList<>();
        for (int microBatch : new int[] {1, 2, 5}) {
            TrainingConfig config = config(4, microBatch, 10, 100);
            try (Scope _ = new Scope()) {
                InPlace.fill_(model.flat(), 0);
            }
            try (Run run = start("run-" + microBatch);
                    Training training = new Training(run, "fit", config, model)) {
                training.run(_ -> step(config));
            }
            ends.add(x());
            assertEquals(4, lines("run-" + microBatch).getFirst().get("largest").intValue());
        }
        assertArrayEquals(ends.get(2), ends.get(0), 1e-13);
        assertArrayEquals(ends.get(2), ends.get(1), 1e-13);
        assertNotEquals(0, ends.get(0)[0]);
    }

    @Test
    void theGradientIsClippedBeforeItMoves() throws IOException {
        TrainingConfig config = config(1, 5, 10, 1e-3);
        double[][] seen = new double[1][];
        try (Run run = start("run");
                Training training = new Training(run, "fit", config, model)) {
            training.run(_ -> step(config).update((optimizer, rate) -> {
                seen[0] = model.gradient().toDoubles();
                optimizer.step(rate);
            }));
            assertEquals(1e-3, Math.hypot(seen[0][0], seen[0][1]), 1e-9);
            assertTrue(lines("run").getFirst().get("grad_norm").doubleValue() > 0.1, "the norm before clipping");
        }
    }

    /// Killed after any step, a training ends at the very same bits, with the same lines, as one left in peace.
    @Test
    void goesOnWhereItStood() throws IOException {
        TrainingConfig config = config(9, 2, 2, 1);
        double[][] anchor = {{5}};
        List<String> inPeace = lived("peace", config, anchor, -1);
        double[] end = x();
        double anchorAtEnd = anchor[0][0];
        for (int killed = 0; killed < 9; killed++) {
            try (Scope _ = new Scope()) {
                InPlace.fill_(model.flat(), 0);
            }
            anchor[0][0] = 5;
            String name = "killed-" + killed;
            int at = killed;
            assertThrows(Killed.class, () -> lived(name, config, anchor, at));
            anchor[0][0] = Double.NaN; // what a new process does not know
            dirty();
            if (killed < 2) { // no checkpoint yet: it starts over
                anchor[0][0] = 5;
                try (Scope _ = new Scope()) {
                    InPlace.fill_(model.flat(), 0);
                }
            }
            assertEquals(inPeace, lived(name, config, anchor, -1), name);
            assertArrayEquals(end, x(), name);
            assertEquals(anchorAtEnd, anchor[0][0], name);
        }
    }

    private void dirty() {
        try (Scope _ = new Scope()) {
            InPlace.fill_(model.flat(), 77);
            InPlace.fill_(model.gradient(), 0);
        }
    }

    /// A training with a moving anchor beside it; its lines without what the clock says.
    private List<String> lived(String name, TrainingConfig config, double[][] anchor, int killedAt) throws IOException {
        try (Run run = start(name);
                Training training = new Training(
                        run,
                        "fit",
                        config,
                        model,
                        Remembered.number("anchor", () -> anchor[0][0], value -> anchor[0][0] = value))) {
            training.run(number -> step(config)
                    .completed(m -> m.put("distance", Math.abs(x()[0] - anchor[0][0])))
                    .then(m -> {
                        if (number == killedAt) {
                            throw new Killed();
                        }
                        anchor[0][0] = 0.5 * anchor[0][0] + 0.5 * x()[0];
                        m.put("anchor", anchor[0][0]);
                    }));
        }
        return lines(name).stream()
                .map(line -> ((ObjectNode) line).without("time_s").toString())
                .toList();
    }

    @Test
    void aNumberThatIsNoneStopsBeforeItReachesTheParameters() {
        TrainingConfig config = config(5, 5, 1, 1);
        double[][] before = new double[1][];
        try (Run run = start("run");
                Training training = new Training(run, "fit", config, model)) {
            var e = assertThrows(
                    RunFailedException.class,
                    () -> training.run(number -> {
                        before[0] = x();
                        return step(config).completed(m -> m.put("loss", number == 3 ? Double.NaN : m.get("loss")));
                    }));
            assertTrue(e.getMessage().contains("loss became NaN at step 4 of fit"), e.getMessage());
            String good =
                    "the last good checkpoint is " + folder.resolve("run/checkpoints/step-2") + " (step 2 of fit, ";
            assertTrue(e.getMessage().contains(good), "that of step 3 led to the NaN: " + e.getMessage());
        }
        assertArrayEquals(before[0], x());
    }

    /// The loss of a checkpoint's step says nothing of what the update made of the parameters: the next loss does.
    @Test
    void aCheckpointThatNoStepHasTriedIsNotCalledGood() {
        TrainingConfig config = config(5, 5, 2, 1);
        try (Run run = start("run");
                Training training = new Training(run, "fit", config, model)) {
            String message = assertThrows(
                            RunFailedException.class,
                            () -> training.run(number -> switch (number) {
                                case 2 ->
                                    Step.of(List.<Supplier<StepMetrics>>of()).said(_ -> "nothing");
                                case 3 -> step(config).completed(m -> m.put("loss", Double.NaN));
                                default -> step(config);
                            }))
                    .getMessage();
            assertTrue(
                    message.contains("loss became NaN at step 4 of fit")
                            && message.contains("no checkpoint is known to be good")
                            && message.contains("step-2 (step 2 of fit, loss "),
                    message);
        }
    }

    /// @param change   what happens to the fourth step
    /// @param expected words of the line that the run ends with
    private void spoilt(String name, UnaryOperator<Step> change, String... expected) throws IOException {
        TrainingConfig config = config(5, 5, 2, 1);
        try (Run run = start(name);
                Training training = new Training(run, "fit", config, model)) {
            String message = assertThrows(
                            RunFailedException.class,
                            () -> training.run(number -> number == 3 ? change.apply(step(config)) : step(config)))
                    .getMessage();
            Path good = folder.resolve(name).resolve("checkpoints/step-2");
            assertTrue(message.contains("the last good checkpoint is " + good + " (step 2 of fit, loss "), message);
            for (String words : expected) {
                assertTrue(message.contains(words), message);
            }
            assertEquals(2, run.latest().orElseThrow().step());
            try (var checkpoints = Files.list(good.getParent())) {
                assertEquals(
                        List.of(good),
                        checkpoints.filter(c -> c.toString().contains("step-")).toList());
            }
        }
        JsonNode summary = new ObjectMapper()
                .readTree(folder.resolve(name).resolve("summary.json").toFile());
        assertEquals("failed", summary.get("status").textValue());
    }

    /// What a run could not go on from is no checkpoint, however good the numbers that were logged.
    @Test
    void parametersAndMomentsMustBeFiniteToBeSaved() throws IOException {
        double[] breaks = {Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY};
        for (double number : breaks) {
            spoilt(
                    "model " + number,
                    step -> step.update((optimizer, rate) -> InPlace.fill_(model.flat(), number)),
                    "model: x is not finite after step 4 of fit, whose loss was ",
                    "no checkpoint was written");
            try (Scope _ = new Scope()) {
                InPlace.fill_(model.flat(), 0);
            }
            spoilt(
                    "moments " + number,
                    step -> step.update(
                            (optimizer, rate) -> InPlace.fill_(optimizer.state().get("second_moments"), number)),
                    "optimizer: second_moments is not finite after step 4 of fit");
        }
    }

    @Test
    void aLossThatNobodyGuardedMustBeFiniteToBeSaved() throws IOException {
        spoilt(
                "unguarded",
                _ -> Step.of(List.<Supplier<StepMetrics>>of())
                        .completed(m -> m.put("loss", Double.NaN))
                        .said(_ -> "nothing"),
                "the loss is NaN after step 4 of fit",
                "no checkpoint was written");
    }

    @Test
    void logProbabilitiesMayBeOfNothing() {
        try (Run run = start("run");
                Scope _ = new Scope()) {
            Tensor logProbs = Tensor.of(0.0, Double.NEGATIVE_INFINITY);
            run.save(Checkpoint.at("none", 1).logProbs("policies", Map.of("none", logProbs)));
            assertThrows(
                    RunFailedException.class,
                    () -> run.save(Checkpoint.at("none", 2).tensors("policies", Map.of("none", logProbs))));
            assertThrows(
                    RunFailedException.class,
                    () -> run.save(
                            Checkpoint.at("none", 2).logProbs("policies", Map.of("none", Tensor.of(0.0, Double.NaN)))));
            assertEquals(1, run.latest().orElseThrow().step());
        }
    }

    @Test
    void samplerAndTrainerMustAgree() {
        TrainingConfig config = config(2, 5, 1, 1);
        try (Run run = start("run");
                Training training = new Training(run, "fit", config, model)) {
            var e = assertThrows(
                    RunFailedException.class,
                    () -> training.run(_ -> step(config).completed(m -> new SamplerAgreement(1e-2, 20).on(m))));
            assertTrue(e.getMessage().contains("1.00e-02"), e.getMessage());
        }
        assertArrayEquals(new double[] {0, 0}, x());
    }

    /// A step of which nothing is to be learnt moves nothing, decay and momentum included, and is still a line.
    @Test
    void aStepWithoutPartsMovesNothing() throws IOException {
        TrainingConfig config = config(4, 5, 10, 1);
        List<double[]> seen = new ArrayList<>();
        try (Run run = start("run");
                Training training = new Training(run, "fit", config, model)) {
            training.run(number -> {
                seen.add(x());
                return number == 2 ? Step.of(List.<Supplier<StepMetrics>>of()).said(_ -> "nothing") : step(config);
            });
        }
        assertArrayEquals(seen.get(2), seen.get(3));
        assertNotEquals(seen.get(1)[0], seen.get(2)[0]);
        assertEquals(4, lines("run").size());
        assertFalse(lines("run").get(2).has("lr"));
    }

    /// No checkpoint follows a half step, and whoever keeps policies hears of whole ones only.
    @Test
    void halfStepsAreNotSaved() {
        TrainingConfig config = config(6, 5, 1, 1);
        List<Integer> done = new ArrayList<>();
        List<Long> saved = new ArrayList<>();
        try (Run run = start("run");
                Training training = new Training(run, "fit", config, model)) {
            training.run(
                    number -> {
                        long whole = number - number % 2;
                        assertEquals(
                                whole, run.latest().map(SavedCheckpoint::step).orElse(0L));
                        return number % 2 == 0 ? step(config).half() : step(config);
                    },
                    count -> {
                        done.add(count);
                        saved.add(run.latest().orElseThrow().step());
                    });
        }
        assertEquals(List.of(2, 4, 6), done);
        assertEquals(List.of(2L, 4L, 6L), saved);
    }

    /// Stretches of one phase, each with a schedule and an optimiser of its own; the second goes on from its own
    /// checkpoint, not from that of the first.
    @Test
    void aPhaseMayHaveSeveralStretches() throws IOException {
        TrainingConfig config = config(3, 5, 2, 1);
        List<Integer> numbers = new ArrayList<>();
        try (Run run = start("run")) {
            for (int stretch = 0; stretch < 2; stretch++) {
                try (Training training =
                        new Training(run, "fit", config, model, new Training.Span(3 * stretch, 1, 6))) {
                    training.run(number -> {
                        numbers.add(number);
                        return step(config);
                    });
                    assertEquals(3, training.optimizer().state().get("step").item());
                }
            }
        }
        assertEquals(List.of(0, 1, 2, 0, 1, 2), numbers);
        List<JsonNode> lines = lines("run");
        for (int t = 0; t < 6; t++) {
            assertEquals(t + 1, lines.get(t).get("step").intValue());
            assertEquals(
                    lines.get(t % 3).get("lr").doubleValue(),
                    lines.get(t).get("lr").doubleValue());
        }
    }

    @Test
    void aStretchGoesOnFromItsOwnCheckpoint() throws IOException {
        TrainingConfig config = config(3, 5, 1, 1);
        List<Integer> numbers = new ArrayList<>();
        List<Integer> done = new ArrayList<>();
        for (int killedAt : new int[] {2, -1}) {
            try (Run run = start("run");
                    Training training = new Training(run, "fit", config, model, new Training.Span(10, 1, 13))) {
                Runnable rest = () -> training.run(
                        number -> {
                            numbers.add(number);
                            if (number == killedAt) {
                                throw new Killed();
                            }
                            return step(config);
                        },
                        done::add);
                if (killedAt < 0) {
                    rest.run();
                } else {
                    assertThrows(Killed.class, rest::run);
                }
            }
        }
        assertEquals(List.of(0, 1, 2, 2), numbers);
        assertEquals(List.of(1, 2, 2, 3), done, "what was done before is told once");
        assertEquals(13, lines("run").getLast().get("step").intValue());
    }

    /// The schedule begins anew with each cycle, the optimiser does not, and each cycle ends with a checkpoint.
    @Test
    void cyclesRepeatTheSchedule() throws IOException {
        TrainingConfig config = config(3, 5, 100, 1);
        List<Long> saved = new ArrayList<>();
        try (Run run = start("run");
                Training training = new Training(run, "fit", config, model, new Training.Span(0, 2, 6))) {
            training.run(_ -> step(config), _ -> run.latest().ifPresent(c -> {
                if (saved.isEmpty() || saved.getLast() != c.step()) {
                    saved.add(c.step());
                }
            }));
            assertEquals(6, training.optimizer().state().get("step").item());
        }
        assertEquals(List.of(3L, 6L), saved);
        List<JsonNode> lines = lines("run");
        assertEquals(
                lines.get(0).get("lr").doubleValue(), lines.get(3).get("lr").doubleValue());
    }

    @Test
    void spansThatCannotBeAreRefused() {
        var e = assertThrows(IllegalArgumentException.class, () -> new Training.Span(-1, 1, 6));
        assertTrue(e.getMessage().endsWith("were -1, 1 and 6"), e.getMessage());
        assertThrows(IllegalArgumentException.class, () -> new Training.Span(0, 0, 6));
        assertThrows(IllegalArgumentException.class, () -> new Training.Span(7, 1, 6));
        new Training.Span(6, 1, 6);
    }
}
