package dev.kedge.reproduction.xpo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.reproduction.xpo.RareArmBandit.Result;
import dev.kedge.tensor.Scope;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RareArmBanditTest {
    private static final long SEED = 3;

    @Test
    void alphaZeroIsOnlineDpoToTheLastBit() {
        Result dpo = RareArmBandit.onlineDpo(SEED);
        long live = Scope.liveTensors();
        assertEquals(dpo, RareArmBandit.xpo(0, SEED));
        assertEquals(live, Scope.liveTensors());
        assertTrue(dpo.meanRegularizedReward() < RareArmBandit.optimum(SEED));
        assertTrue(dpo.lastRegularizedReward() < RareArmBandit.optimum(SEED));
    }

    /// `0.5·log Σ ref·exp(2·reward)`, with nine rewards between 0 and 0.5.
    @ParameterizedTest
    @ValueSource(longs = {0, 1, 2, 3})
    void theOptimumIsTheLogPartition(long seed) {
        double rare = 0.01 / 9.01 * Math.exp(6);
        double common = 9 / 9.01;
        double optimum = RareArmBandit.optimum(seed);
        assertTrue(optimum > 0.5 * Math.log(common + rare), "optimum " + optimum);
        assertTrue(optimum < 0.5 * Math.log(common * Math.E + rare), "optimum " + optimum);
    }

    /// It did so in every one of 40 other seeds; online DPO in about one of four.
    @Test
    void theBonusFindsTheRareArm() {
        Result xpo = RareArmBandit.xpo(0.01, 100);
        assertTrue(xpo.foundRareArm(), xpo.toString());
        assertTrue(xpo.distinctArms() >= 8, xpo.toString());
        assertTrue(xpo.lastRegularizedReward() < RareArmBandit.optimum(100), xpo.toString());
    }

    @Test
    void tooLargeABonusFleesTheReferenceWhateverTheReward() {
        Result xpo = RareArmBandit.xpo(0.3, SEED);
        assertTrue(xpo.meanRegularizedReward() < 0, xpo.toString());
        assertTrue(xpo.lastRegularizedReward() < RareArmBandit.optimum(SEED) - 0.5, xpo.toString());
    }

    @Test
    void aNegativeAlphaIsRefused() {
        var e = assertThrows(IllegalArgumentException.class, () -> RareArmBandit.xpo(-1, SEED));
        assertEquals("alpha must be in [0.0, Infinity), was -1.0", e.getMessage());
    }
}
