package dev.kedge.recipe.preference;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.objective.preference.AnchoredLogits;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ListwiseLossTest {
    private Scope scope;

    @BeforeEach
    void open() {
        scope = new Scope();
    }

    @AfterEach
    void close() {
        scope.close();
    }

    private static double loss(ListwiseLoss objective, double[] u, double... rewards) {
        return objective
                .loss(new AnchoredLogits(Tensor.of(u, 1, u.length)), Tensor.of(rewards, 1, u.length), 1)
                .value()
                .item();
    }

    /// Two answers, in plain numbers: forms become one.
    @Test
    void ofTwoAnswersEveryFormIsALogisticLoss() {
        double[] u = {0.3, -0.4};
        double certain = Math.log1p(Math.exp(-0.7)); // -log σ(u_1 - u_2)
        assertEquals(certain, loss(new ListwiseLoss.PairwiseHard(), u, 2, 1), 1e-12);
        assertEquals(certain, loss(new ListwiseLoss.PlackettLuce(), u, 2, 1), 1e-12);
        double q = 1 / (1 + Math.exp(-1 / 0.5)); // rewards differ by 1
        double soft = q * certain + (1 - q) * Math.log1p(Math.exp(0.7));
        assertEquals(soft, loss(new ListwiseLoss.PairwiseSoft(0.5), u, 2, 1), 1e-12);
        assertEquals(soft, loss(new ListwiseLoss.ListwiseRaw(0.5), u, 2, 1), 1e-12);
        double standardized = 1 / (1 + Math.exp(-Math.sqrt(2) / 0.5)); // z-scores ±1/√2
        double listwise = standardized * certain + (1 - standardized) * Math.log1p(Math.exp(0.7));
        assertEquals(listwise, loss(new ListwiseLoss.Listwise(0.5), u, 2, 1), 1e-7);
    }

    @Test
    void onlyListwiseFormsHaveATarget() {
        Tensor rewards = Tensor.of(new double[] {0, 1, 1}, 1, 3);
        assertTrue(new ListwiseLoss.Listwise(0.5).hasTargets());
        double e = Math.exp(2);
        double sum = 1 + 2 * e;
        assertArrayEquals(
                new double[] {1 / sum, e / sum, e / sum},
                new ListwiseLoss.ListwiseRaw(0.5).targets(rewards).orElseThrow().toDoubles(),
                1e-12);
        for (ListwiseLoss other : new ListwiseLoss[] {
            new ListwiseLoss.PairwiseSoft(1), new ListwiseLoss.PairwiseHard(), new ListwiseLoss.PlackettLuce()
        }) {
            assertFalse(other.hasTargets());
            assertTrue(other.targets(rewards).isEmpty());
        }
    }

    @Test
    void temperaturesAdaptAsTheirRulesSay() {
        Tensor uniform = Tensor.of(new double[] {0.5, 0.5}, 1, 2);
        Tensor certain = Tensor.of(new double[] {1, 0}, 1, 2);
        Tensor entropy = Tensor.of(0.25);
        Tensor mean = Tensor.of(0.4);
        assertEquals(0.8, tau(new AdaptiveTau.Constant(), uniform, entropy, mean), 1e-12);
        assertEquals(0.4, tau(new AdaptiveTau.TargetEntropy(0.5, 0.1), uniform, entropy, mean), 1e-7);
        assertEquals(0.8, tau(new AdaptiveTau.TargetEntropy(0.5, 0.1), certain, entropy, mean), 1e-7);
        assertEquals(0.3, tau(new AdaptiveTau.TargetEntropy(1, 0.3), uniform, entropy, mean), 1e-12);
        double r = (0.4 - 0.2) / (1.0 - 0.2);
        assertEquals(
                0.8 * (1 + 0.5 * 0.25 + 2 * 0.75 * (1 - r)),
                tau(new AdaptiveTau.PolicyEntropy(0.5, 2, 0.1, 9), uniform, entropy, mean),
                1e-12);
        assertEquals(1, tau(new AdaptiveTau.PolicyEntropy(0.5, 2, 0.1, 1), uniform, entropy, mean), 1e-12);
    }

    private static double tau(AdaptiveTau adaptation, Tensor targets, Tensor entropy, Tensor mean) {
        return adaptation.of(0.8, Optional.of(targets), entropy, mean, 0.2, 1.0).toDoubles()[0];
    }

    @Test
    void impossibleNumbersAreRefused() {
        var t = assertThrows(IllegalArgumentException.class, () -> new ListwiseLoss.Listwise(0));
        assertEquals("reward_temperature must be finite and > 0, was 0.0", t.getMessage());
        var a = assertThrows(IllegalArgumentException.class, () -> new AdaptiveTau.TargetEntropy(-1, 1));
        assertEquals("alpha >= 0 and lowest > 0 expected, were -1.0 and 1.0", a.getMessage());
        assertThrows(IllegalArgumentException.class, () -> new AdaptiveTau.PolicyEntropy(1, 1, 2, 1));
    }
}
