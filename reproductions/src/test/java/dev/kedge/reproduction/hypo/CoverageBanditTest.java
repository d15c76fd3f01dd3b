package dev.kedge.reproduction.hypo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.reproduction.hypo.CoverageBandit.Result;
import dev.kedge.tensor.Scope;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CoverageBanditTest {
    private static final long SEED = 3;

    @Test
    void theReferenceIsWhatTheProblemSays() {
        Result reference = CoverageBandit.reference(SEED);
        assertEquals(0, reference.kl(), 1e-14);
        assertEquals(0.05, reference.uncoveredMass(), 1e-14);
        assertNotEquals(reference.reward(), CoverageBandit.reference(SEED + 1).reward());
    }

    /// Along the frontier of the best policies the reward's slope in the KL is the strength.
    @ParameterizedTest
    @ValueSource(doubles = {0.3, 1, 3})
    void theOptimumTradesRewardForKlAtItsStrength(double strength) {
        double h = 1e-4 * strength;
        Result stronger = CoverageBandit.optimum(strength + h, SEED);
        Result weaker = CoverageBandit.optimum(strength - h, SEED);
        double slope = (weaker.reward() - stronger.reward()) / (weaker.kl() - stronger.kl());
        assertEquals(strength, slope, 1e-6 * strength);
    }

    @Test
    void noTrainedPolicyIsAboveTheOptimum() {
        Result[] trained = {CoverageBandit.dpo(SEED), CoverageBandit.hypo(0.01, SEED)};
        for (Result result : trained) {
            for (double strength : new double[] {0.1, 0.3, 1}) {
                Result best = CoverageBandit.optimum(strength, SEED);
                double gap = best.reward() - strength * best.kl() - (result.reward() - strength * result.kl());
                assertTrue(gap > 0, result + " against " + best);
            }
        }
    }

    @Test
    void lambdaZeroIsDpoWhateverIsSampled() {
        Result dpo = CoverageBandit.dpo(SEED);
        Result hypo = CoverageBandit.hypo(0, SEED);
        assertEquals(dpo, new Result(hypo.reward(), hypo.kl(), hypo.uncoveredMass(), 0));
        assertEquals(24_000, hypo.sampledAnswers());
    }

    /// On average: where DPO settles on a single covered answer at once, the online KL finds nothing to change.
    @Test
    void theOnlineKlKeepsThePolicyWhereTheDataAre() {
        double kl = 0;
        double uncovered = 0;
        double gain = 0;
        int seeds = 5;
        for (long seed = 100; seed < 100 + seeds; seed++) {
            Result dpo = CoverageBandit.dpo(seed);
            Result hypo = CoverageBandit.hypo(0.01, seed);
            kl += (hypo.kl() - dpo.kl()) / seeds;
            uncovered += (hypo.uncoveredMass() - dpo.uncoveredMass()) / seeds;
            gain += (hypo.reward() - CoverageBandit.reference(seed).reward()) / seeds;
        }
        assertTrue(kl < -0.5, "KL less DPO's: " + kl);
        assertTrue(uncovered < 0, "uncovered mass less DPO's: " + uncovered);
        assertTrue(gain > 1, "reward less the reference's: " + gain);
    }

    @Test
    void equalArgumentsGiveEqualResultsAndNothingIsLeftBehind() {
        Result first = CoverageBandit.hypo(0.003, SEED);
        long live = Scope.liveTensors();
        assertEquals(first, CoverageBandit.hypo(0.003, SEED));
        assertEquals(live, Scope.liveTensors());
    }

    @Test
    void badArgumentsAreRefused() {
        var e = assertThrows(IllegalArgumentException.class, () -> CoverageBandit.hypo(-1, SEED));
        assertEquals("lambda must be in [0.0, Infinity), was -1.0", e.getMessage());
        assertThrows(IllegalArgumentException.class, () -> CoverageBandit.optimum(0, SEED));
    }
}
