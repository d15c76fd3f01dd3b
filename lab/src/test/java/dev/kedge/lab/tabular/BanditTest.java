package dev.kedge.lab.tabular;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.objective.divergence.ForwardKl;
import dev.kedge.objective.divergence.ReverseKl;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.DoubleStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BanditTest {
    /// Two outcomes, of which the rare one is the better.
    private static final Bandit TWO = new Bandit(new double[][] {logs(0.8, 0.2)}, new double[][] {{0, 1}});

    static double[] logs(double... probabilities) {
        return DoubleStream.of(probabilities).map(Math::log).toArray();
    }

    /// A random policy [X, n], the further from the reference the larger the spread.
    static double[][] policy(Bandit task, Random random, double spread) {
        return Arrays.stream(task.logRef())
                .map(row -> {
                    double[] logits = Arrays.stream(row)
                            .map(l -> l + spread * random.nextGaussian())
                            .toArray();
                    double log = Math.log(Arrays.stream(logits).map(Math::exp).sum());
                    return Arrays.stream(logits).map(l -> l - log).toArray();
                })
                .toArray(double[][]::new);
    }

    @Test
    void aSeedMakesATaskWithNormalisedReferences() {
        var task = Bandit.random(3, 20, 7);
        assertEquals(3, task.contexts());
        assertEquals(20, task.outcomes());
        for (double[] row : task.logRef()) {
            assertEquals(1, Arrays.stream(row).map(Math::exp).sum(), 1e-12);
        }
        assertArrayEquals(task.reward()[2], Bandit.random(3, 20, 7).reward()[2]);
        assertNotEquals(task.reward()[2][0], Bandit.random(3, 20, 8).reward()[2][0]);
    }

    @Test
    void pairsAreDifferentOutcomesOfOneContext() {
        var task = Bandit.random(3, 20, 7);
        var pairs = task.pairs(301, 7);
        assertEquals(301, pairs.count());
        for (int i = 0; i < pairs.count(); i++) {
            assertEquals(i % 3, pairs.chosen()[i] / 20);
            assertEquals(i % 3, pairs.rejected()[i] / 20);
            assertNotEquals(pairs.chosen()[i], pairs.rejected()[i]);
        }
        assertArrayEquals(pairs.chosen(), task.pairs(301, 7).chosen());
        assertFalse(Arrays.equals(pairs.chosen(), task.pairs(301, 8).chosen()));
    }

    /// Five standard errors of a binomial around σ(1).
    @Test
    void labelsAreThoseOfBradleyTerry() {
        int count = 40_000;
        double expected = 1 / (1 + Math.exp(-1));
        long better =
                Arrays.stream(TWO.pairs(count, 1).chosen()).filter(y -> y == 1).count();
        assertEquals(expected, (double) better / count, 5 * Math.sqrt(expected * (1 - expected) / count));
    }

    /// Of three outcomes the pair {0, 1} comes up as p0 p1/(1 - p0) + p1 p0/(1 - p1).
    @Test
    void pairsAreDrawnFromTheReference() {
        var task = new Bandit(new double[][] {logs(0.5, 0.3, 0.2)}, new double[1][3]);
        int count = 40_000;
        var pairs = task.pairs(count, 2);
        long of01 = 0;
        for (int i = 0; i < count; i++) {
            of01 += pairs.chosen()[i] + pairs.rejected()[i] == 1 ? 1 : 0;
        }
        double expected = 0.15 / 0.5 + 0.15 / 0.7;
        assertEquals(expected, (double) of01 / count, 5 * Math.sqrt(expected * (1 - expected) / count));
    }

    @Test
    void rankingsAreDifferentOutcomesOfOneContext() {
        var task = Bandit.random(3, 20, 7);
        var rankings = task.rankings(100, 4, 7);
        assertEquals(100, rankings.count());
        for (int i = 0; i < 100; i++) {
            long[] ranking = Arrays.copyOfRange(rankings.outcomes(), 4 * i, 4 * i + 4);
            assertEquals(4, Arrays.stream(ranking).distinct().count());
            int context = i % 3;
            assertTrue(Arrays.stream(ranking).allMatch(y -> y / 20 == context));
        }
        assertArrayEquals(rankings.outcomes(), task.rankings(100, 4, 7).outcomes());
        assertFalse(Arrays.equals(rankings.outcomes(), task.rankings(100, 4, 8).outcomes()));
        var e = assertThrows(IllegalArgumentException.class, () -> task.rankings(1, 21, 7));
        assertEquals("size must be from 2 to 20, was 21", e.getMessage());
    }

    /// All six orders of three outcomes, each within five standard errors: p(a)·p(b)/(1 - p(a)).
    @Test
    void rankingsAreThoseOfPlackettAndLuce() {
        double[] p = {0.5, 0.3, 0.2};
        var task = new Bandit(new double[][] {logs(0.2, 0.2, 0.6)}, new double[][] {logs(p)});
        int count = 40_000;
        long[] outcomes = task.rankings(count, 3, 5).outcomes();
        var seen = new int[3][3];
        for (int i = 0; i < count; i++) {
            seen[(int) outcomes[3 * i]][(int) outcomes[3 * i + 1]]++;
        }
        for (int a = 0; a < 3; a++) {
            for (int b = 0; b < 3; b++) {
                double expected = a == b ? 0 : p[a] * p[b] / (1 - p[a]);
                assertEquals(
                        expected,
                        (double) seen[a][b] / count,
                        5 * Math.sqrt(expected * (1 - expected) / count),
                        a + " before " + b);
            }
        }
    }

    @Test
    void aStandingByHand() {
        var evaluation = TWO.evaluate(new double[][] {logs(0.4, 0.6)});
        double kl = 0.4 * Math.log(0.4 / 0.8) + 0.6 * Math.log(0.6 / 0.2);
        assertEquals(kl, evaluation.kl(), 1e-15);
        assertEquals(0.6, evaluation.reward(), 1e-15);
        assertEquals(-0.4 * Math.log(0.4) - 0.6 * Math.log(0.6), evaluation.entropy(), 1e-15);
        // With two outcomes every policy beyond the reference is the optimum of some strength.
        assertEquals(0, evaluation.shortfall(), 1e-12);
        var certain = TWO.evaluate(new double[][] {{Double.NEGATIVE_INFINITY, 0}});
        assertEquals(Math.log(5), certain.kl(), 1e-15);
        assertEquals(0, certain.entropy());
        assertEquals(0, certain.shortfall(), 1e-12);
    }

    @Test
    void ofAPolicyThatDivergedAllIsNaN() {
        assertFalse(TWO.evaluate(new double[][] {{Double.NaN, Double.NaN}}).isFinite());
        assertTrue(TWO.evaluate(TWO.logRef()).isFinite());
    }

    /// Exhaustion: among all policies on a grid over two contexts of two outcomes none of that divergence has more.
    @ParameterizedTest
    @ValueSource(doubles = {0, 0.03, 0.3, 1, 5})
    void noPolicyOfThatDivergenceHasMoreReward(double kl) {
        var task = new Bandit(new double[][] {logs(0.8, 0.2), logs(0.5, 0.5)}, new double[][] {{0, 1}, {0.3, -0.2}});
        double best = Double.NEGATIVE_INFINITY;
        int cells = 1000;
        for (int i = 0; i <= cells; i++) {
            double p = (double) i / cells;
            for (int j = 0; j <= cells; j++) {
                double q = (double) j / cells;
                double spent = (term(1 - p, 0.8) + term(p, 0.2) + term(q, 0.5) + term(1 - q, 0.5)) / 2;
                if (spent <= kl + 1e-12) {
                    best = Math.max(best, (p + 0.3 * q - 0.2 * (1 - q)) / 2);
                }
            }
        }
        assertTrue(task.best(kl) >= best - 1e-9, task.best(kl) + " < " + best);
        assertEquals(best, task.best(kl), 2e-3); // the width of a cell
    }

    private static double term(double p, double ref) {
        return p == 0 ? 0 : p * Math.log(p / ref);
    }

    @Test
    void optimaMissNothingAndOthersSomething() {
        var task = Bandit.random(4, 30, 3);
        var random = new Random(4);
        for (double beta : new double[] {0.05, 0.5, 5}) {
            assertEquals(0, task.evaluate(task.optimum(new ReverseKl(), beta)).shortfall(), 1e-9);
            assertTrue(task.evaluate(task.optimum(new ForwardKl(), beta)).shortfall() > 1e-5);
        }
        for (int i = 0; i < 50; i++) {
            assertTrue(task.evaluate(policy(task, random, 0.1 + i / 10.0)).shortfall() > 0);
        }
        assertEquals(task.evaluate(task.logRef()).reward(), task.best(0), 1e-6);
        assertEquals(
                Arrays.stream(task.reward())
                        .mapToDouble(r -> Arrays.stream(r).max().orElseThrow())
                        .average()
                        .orElseThrow(),
                task.best(100),
                1e-9);
    }

    @Test
    void theFrontierRisesFromTheReference() {
        var task = Bandit.random(2, 30, 3);
        var points = task.frontier();
        for (var p : points) {
            assertEquals(task.best(p.x()), p.y().value(), 1e-9);
        }
        assertTrue(
                points.stream().anyMatch(p -> p.x() < 0.01) && points.stream().anyMatch(p -> p.x() > 2));
    }
}
