package dev.kedge.lab.compare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.kedge.config.ConfigException;
import dev.kedge.env.RegularizedGame;
import dev.kedge.lab.compare.ComparedMethod.Aim;
import dev.kedge.lab.compare.ComparisonTask.Arena;
import dev.kedge.objective.divergence.Divergence;
import dev.kedge.objective.divergence.ForwardKl;
import dev.kedge.objective.divergence.ReverseKl;
import dev.kedge.run.RunFailedException;
import dev.kedge.run.Terminal;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// With methods that need no training: exact optima.
class CompareTest {
    private static final double[] STRENGTHS = {4, 1, 0.25};

    @TempDir
    Path folder;

    private final AtomicInteger trained = new AtomicInteger();

    private ComparedMethod exact(String name, Divergence divergence) {
        return new ComparedMethod(name, "the optimum", "β", STRENGTHS, Aim.REWARD, (arena, beta, _) -> {
            trained.incrementAndGet();
            return arena.bandit().optimum(divergence, beta);
        });
    }

    private final ComparedMethod reverse = exact("reverse", new ReverseKl());
    private final ComparedMethod forward = exact("forward", new ForwardKl());

    private MethodComparison run(ComparedMethod... methods) {
        return Compare.run(ComparisonTask.BANDIT, List.of(methods), 5, folder, Terminal.quiet());
    }

    @Test
    void theOptimumMissesNothingAndDominates() {
        var comparison = run(forward, reverse);
        var places = comparison.places();
        assertEquals(
                List.of("reverse", "forward"),
                places.stream().map(p -> p.method().name()).toList());
        assertEquals(0, places.getFirst().missing().orElseThrow().value(), 1e-9);
        double missing = places.getLast().missing().orElseThrow().value();
        assertTrue(missing > 0.01, "" + missing);
        var pairing = comparison.pairings().getFirst();
        assertEquals(-missing, pairing.advantage().orElseThrow().value(), 1e-9);
        assertTrue(pairing.advantage().orElseThrow().high() < 0);
        assertTrue(pairing.dominance().secondDominates(), pairing.dominance().sentence());
        assertTrue(comparison.sentence().contains("reverse misses "), comparison.sentence());
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
        var comparison = run(forward, reverse);
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
                json,
                new ObjectMapper()
                        .readTree(MethodComparisonJson.write(comparison).toString()));
    }

    /// Its strongest policy is deterministic and its weakest the reference.
    @Test
    void aMethodThatReachesNoDivergenceOfAnotherIsSaidSo() {
        var far = new ComparedMethod(
                "far", "the best outcomes", "β", new double[] {1}, Aim.REWARD, (arena, _, _) -> arena.bandit()
                        .optimum(new ReverseKl(), 1e-6));
        var comparison = run(reverse, far);
        assertTrue(comparison.places().stream().allMatch(p -> p.missing().isEmpty()));
        assertTrue(comparison.pairings().getFirst().advantage().isEmpty());
        assertEquals("There is no divergence that all methods reach.", comparison.sentence());
    }

    @Test
    void aStrengthAtWhichTrainingDivergedIsLeftOut() {
        var partly = new ComparedMethod(
                "partly",
                "",
                "β",
                STRENGTHS,
                Aim.REWARD,
                (arena, beta, _) -> beta == 1 ? diverged(arena) : arena.bandit().optimum(new ReverseKl(), beta));
        var comparison = run(partly, reverse);
        assertTrue(comparison.places().getFirst().missing().isPresent());
        assertTrue(Double.isNaN(
                comparison.frontier().arms().getFirst().points().get(1).x()));
        var wholly = new ComparedMethod("wholly", "", "β", STRENGTHS, Aim.REWARD, (arena, _, _) -> diverged(arena));
        var e = assertThrows(RunFailedException.class, () -> run(reverse, wholly));
        assertEquals("wholly diverged at every strength with seed 1", e.getMessage());
    }

    /// The policy that wins most against the reference is not the equilibrium, and the other way round.
    @Test
    void inAGameTheOptimumMissesNothingAndTheEquilibriumHasNoGap() throws IOException {
        var best = new ComparedMethod("best", "", "β", STRENGTHS, Aim.WIN_RATE, reverse.training());
        var nash = new ComparedMethod("nash", "", "β", STRENGTHS, Aim.WIN_RATE, (arena, beta, _) -> {
            trained.incrementAndGet();
            return IntStream.range(0, arena.contexts())
                    .mapToObj(x -> new RegularizedGame(arena.judges().get(x), arena.logRef()[x], beta).nash())
                    .toArray(double[][]::new);
        });
        var methods = List.of(nash, reverse, best);
        var comparison = Compare.run(ComparisonTask.GAME, methods, 5, folder, Terminal.quiet());
        int once = trained.get();
        var again = Compare.run(ComparisonTask.GAME, methods, 5, folder, Terminal.quiet()); // from the disk
        assertEquals(once, trained.get());
        for (var c : List.of(comparison, again)) {
            var last = c.places().getLast();
            assertEquals("nash", last.method().name());
            assertTrue(last.missing().orElseThrow().value() > 1e-3, c.sentence());
            assertEquals(0, c.places().getFirst().missing().orElseThrow().value(), 1e-9);
            var gaps = c.gaps().orElseThrow().arms();
            for (int i = 0; i < STRENGTHS.length; i++) {
                assertEquals(0, gaps.getFirst().points().get(i).y().value(), 1e-9);
            }
            assertTrue(gaps.get(1).points().isEmpty(), "the strength of a method that aims at rewards is no game's β");
            assertTrue(gaps.getLast().points().getLast().y().value() > 1e-3);
        }
        assertTrue(comparison.sentence().contains("of the optimum's win rate"), comparison.sentence());
        var html = Files.readString(folder.resolve("report.html"));
        assertTrue(html.contains("Distance from the equilibrium") && html.contains("win rate against the reference"));
        assertFalse(html.contains("NaN"));
        var json = new ObjectMapper().readTree(folder.resolve("results.json").toFile());
        assertEquals("game", json.path("task").asText());
        assertTrue(json.path("places")
                .path(0)
                .path("missing_win_rate")
                .path("value")
                .isNumber());
        assertEquals(
                "β 4",
                json.path("duality_gap")
                        .path("arms")
                        .path(0)
                        .path("points")
                        .path(0)
                        .path("label")
                        .asText());
    }

    private static double[][] diverged(Arena arena) {
        return Arrays.stream(arena.logRef())
                .map(row -> Arrays.stream(row).map(_ -> Double.NaN).toArray())
                .toArray(double[][]::new);
    }

    @Test
    void badInputIsOneClearLine() {
        assertThrows(ConfigException.class, () -> run(reverse, reverse));
        assertThrows(ConfigException.class, () -> ComparisonTask.named("bandid"));
        assertThrows(
                ConfigException.class,
                () -> Compare.run(ComparisonTask.BANDIT, List.of(reverse), 4, folder, Terminal.quiet()));
        var ranking = new ComparedMethod("ranking", "", "β", STRENGTHS, Aim.RANKING, reverse.training());
        var e = assertThrows(
                ConfigException.class,
                () -> Compare.run(ComparisonTask.GAME, List.of(ranking), 5, folder, Terminal.quiet()));
        assertTrue(
                e.getMessage()
                        .startsWith("ranking learns from rankings by reward, which the task `game` does not have; "
                                + "for it there are: `dpo`, `ipo`, "),
                e.getMessage());
        assertFalse(e.getMessage().contains("adpo"), e.getMessage());
        assertEquals(0, trained.get());
    }
}
