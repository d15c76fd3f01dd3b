package dev.kedge.reproduction.adpo;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.reproduction.adpo.NoisyBandit.Corruption;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Shapes;
import dev.kedge.tensor.Tensor;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class NoisyBanditTest {
    private static final int N = 2000;

    private Scope scope;
    private NoisyBandit bandit;

    @BeforeEach
    void draw() {
        scope = new Scope();
        bandit = NoisyBandit.random(N, 50, 3);
    }

    @AfterEach
    void close() {
        scope.close();
    }

    private static double[] of(Tensor perCorruption, Corruption c) {
        return Shapes.contiguous(perCorruption.select(0, c.ordinal())).toDoubles();
    }

    @Test
    void onlyShiftMovesContextsAndByThree() {
        double[] clean = bandit.cleanContexts().toDoubles();
        for (var c : Corruption.values()) {
            double[] seen = of(bandit.contexts(), c);
            if (c != Corruption.SHIFT) {
                assertArrayEquals(clean, seen, 0);
                continue;
            }
            for (int n = 0; n < 3; n++) {
                double square = 0;
                for (int i = n * 8; i < n * 8 + 8; i++) {
                    square += Math.pow(seen[i] - clean[i], 2);
                }
                assertEquals(3, Math.sqrt(square), 1e-5);
            }
        }
    }

    /// Contexts whose signs are right show the clean rewards: the best action there is the best one seen.
    @Test
    void threeInTenHaveTheWrongSign() {
        double[] seen = of(bandit.rewards(), Corruption.FLIPS);
        long[] best = bandit.cleanBest().toLongs();
        assertTrue(Arrays.stream(seen).allMatch(r -> Math.abs(r) < 2));
        long right = IntStream.range(0, N)
                .filter(n -> IntStream.range(0, 4).allMatch(a -> seen[4 * n + a] <= seen[4 * n + (int) best[n]]))
                .count();
        long wrong = IntStream.range(0, N)
                .filter(n -> IntStream.range(0, 4).allMatch(a -> seen[4 * n + a] >= seen[4 * n + (int) best[n]]))
                .count();
        assertEquals(N, right + wrong);
        assertEquals(0.3, wrong / (double) N, 4 * Math.sqrt(0.21 / N));
    }

    @Test
    void noiseHasItsShape() {
        double[] outliers = of(bandit.rewards(), Corruption.OUTLIERS);
        double far = Arrays.stream(outliers).filter(r -> Math.abs(r) > 6.5).count() / (double) outliers.length;
        assertEquals(0.1, far, 0.02); // 10 off, less what noise of 1.5 and a reward within 2 bring back
        double[] cauchy = of(bandit.rewards(), Corruption.CAUCHY);
        double beyond = Arrays.stream(cauchy).filter(r -> Math.abs(r) > 50).count() / (double) cauchy.length;
        assertEquals(2 / Math.PI * Math.atan(1 / 50.0), beyond, 4 * Math.sqrt(0.013 / cauchy.length));
    }

    @Test
    void pairsAreOfDifferentActionsAllOfThemDrawn() {
        long[] pairs = bandit.pairs().toLongs();
        boolean[][] drawn = new boolean[4][4];
        for (int n = 0; n < N; n++) {
            drawn[(int) pairs[2 * n]][(int) pairs[2 * n + 1]] = true;
        }
        for (int a = 0; a < 4; a++) {
            for (int b = 0; b < 4; b++) {
                assertEquals(a != b, drawn[a][b], a + ", " + b);
            }
        }
    }

    @Test
    void aSeedFixesAll() {
        assertArrayEquals(
                bandit.rewards().toDoubles(),
                NoisyBandit.random(N, 50, 3).rewards().toDoubles());
        assertNotEquals(
                bandit.rewards().toDoubles()[0],
                NoisyBandit.random(N, 50, 4).rewards().toDoubles()[0]);
    }

    /// Without a step every policy is the reference.
    @Test
    void policiesBeginAtTheReference() {
        var results = AdpoExperiments.trial(new AdpoExperiments.Scale(0, 100), 5);
        for (var method : AdpoExperiments.Method.values()) {
            for (int c = 0; c < 4; c++) {
                for (int t = 0; t < 4; t++) {
                    assertEquals(0, results.kl()[method.ordinal()][c][t], 1e-6);
                    assertEquals(results.refMass(), results.mass()[method.ordinal()][c][t], 1e-6);
                }
            }
        }
    }
}
