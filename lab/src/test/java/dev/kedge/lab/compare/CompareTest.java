package dev.kedge.lab.compare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.kedge.lab.tabular.Bandit;
import dev.kedge.objective.divergence.Divergence;
import dev.kedge.objective.divergence.ForwardKl;
import dev.kedge.objective.divergence.ReverseKl;
import dev.kedge.recipe.run.ConfigException;
import dev.kedge.recipe.run.RunFailedException;
import dev.kedge.recipe.run.Terminal;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// With methods that need no training: exact optima.
class CompareTest {
    private static final double[] STRENGTHS = {4, 1, 0.25};

    @TempDir
    Path folder;

    private final AtomicInteger trained = new AtomicInteger();

    private Method exact(String name, Divergence divergence) {
        return new Method(name, "the optimum", "β", STRENGTHS, (task, beta, _) -> {
            trained.incrementAndGet();
            return task.optimum(divergence, beta);
        });
    }

    private final Method reverse = exact("reverse", new ReverseKl());
    private final Method forward = exact("forward", new ForwardKl());

    private Contest run(Method... methods) {
        return Compare.run("bandit", List.of(methods), 5, folder, Terminal.quiet());
    }

    @Test
    void theOptimumMissesNothingAndDominates() {
        var contest = run(forward, reverse);
        var places = contest.places();
        assertEquals(
                List.of("reverse", "forward"),
                places.stream().map(p -> p.method().name()).toList());
        assertEquals(0, places.getFirst().missing().orElseThrow().value(), 1e-9);
        double missing = places.getLast().missing().orElseThrow().value();
        assertTrue(missing > 0.01, "" + missing);
        var pairing = contest.pairings().getFirst();
        assertEquals(-missing, pairing.advantage().orElseThrow().value(), 1e-9);
        assertTrue(pairing.advantage().orElseThrow().high() < 0);
        assertTrue(pairing.dominance().secondDominates(), pairing.dominance().sentence());
        assertTrue(contest.sentence().contains("reverse misses "), contest.sentence());
    }

    @Test
    void ofWhatWasTrainedNothingIsTrainedAgain() {
        var alone = run(forward);
        assertEquals(15, trained.get());
        assertTrue(alone.pairings().isEmpty());
        run(forward, reverse);
        assertEquals(30, trained.get());
        var again = run(reverse, forward);
        assertEquals(30, trained.get());
        assertEquals(2, again.entries().size());
    }

    @Test
    void reportAndJson() throws IOException {
        var contest = run(forward, reverse);
        var html = Files.readString(folder.resolve("report.html"));
        assertTrue(html.contains("forward and reverse") && html.contains("exact optimum"));
        assertFalse(html.contains("<script") || html.contains("NaN"));
        var json = new ObjectMapper().readTree(folder.resolve("results.json").toFile());
        assertEquals(5, json.path("seeds").asInt());
        assertEquals("reverse", json.path("places").path(0).path("method").asText());
        assertTrue(
                json.path("places").path(1).path("missing_reward").path("low").isNumber());
        assertEquals("forward", json.path("pairs").path(0).path("first").asText());
        assertTrue(json.path("pairs")
                        .path(0)
                        .path("advantage_of_first")
                        .path("high")
                        .asDouble()
                < 0);
        assertEquals(
                3, json.path("frontier").path("arms").path(0).path("points").size());
        assertTrue(json.path("frontier").path("optimum").size() > 10);
        assertEquals(
                json, new ObjectMapper().readTree(ContestJson.write(contest).toString()));
    }

    /// Its strongest policy is deterministic and its weakest the reference.
    @Test
    void aMethodThatReachesNoDivergenceOfAnotherIsSaidSo() {
        var far = new Method(
                "far", "the best outcomes", "β", new double[] {1}, (task, _, _) -> task.optimum(new ReverseKl(), 1e-6));
        var contest = run(reverse, far);
        assertTrue(contest.places().stream().allMatch(p -> p.missing().isEmpty()));
        assertTrue(contest.pairings().getFirst().advantage().isEmpty());
        assertEquals("There is no divergence that all methods reach.", contest.sentence());
    }

    @Test
    void aStrengthAtWhichTrainingDivergedIsLeftOut() {
        var partly = new Method(
                "partly",
                "",
                "β",
                STRENGTHS,
                (task, beta, _) -> beta == 1 ? diverged(task) : task.optimum(new ReverseKl(), beta));
        var contest = run(partly, reverse);
        assertTrue(contest.places().getFirst().missing().isPresent());
        assertTrue(Double.isNaN(
                contest.frontier().arms().getFirst().points().get(1).x()));
        var wholly = new Method("wholly", "", "β", STRENGTHS, (task, _, _) -> diverged(task));
        var e = assertThrows(RunFailedException.class, () -> run(reverse, wholly));
        assertEquals("wholly diverged at every strength with seed 1", e.getMessage());
    }

    private static double[][] diverged(Bandit task) {
        return Arrays.stream(task.logRef())
                .map(row -> Arrays.stream(row).map(_ -> Double.NaN).toArray())
                .toArray(double[][]::new);
    }

    @Test
    void badInputIsOneClearLine() {
        assertThrows(ConfigException.class, () -> run(reverse, reverse));
        assertThrows(ConfigException.class, () -> Compare.run("bandid", List.of(reverse), 5, folder, Terminal.quiet()));
        assertThrows(ConfigException.class, () -> Compare.run("bandit", List.of(reverse), 4, folder, Terminal.quiet()));
        assertEquals(0, trained.get());
    }
}
