package dev.kedge.lab.tabular;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.junit.jupiter.api.Test;

class ConfidenceCalibrationTest {
    private static final Bandit TASK = new Bandit(
            new double[][] {
                BanditTest.logs(0.7, 0.2, 0.1), BanditTest.logs(0.1, 0.8, 0.1), BanditTest.logs(0.3, 0.3, 0.4)
            },
            new double[3][3]);

    @Test
    void theReferenceIsCalibrated() {
        assertEquals(0, ConfidenceCalibration.error(TASK, TASK.logRef(), 10), 1e-15);
    }

    /// Confidences 0.95 and 0.92 share a bin: (0.95 - 0.2 + 0.92 - 0.8)/3; 0.5 has its own: (0.5 - 0.4)/3.
    @Test
    void aBinIsJudgedByItsMeans() {
        double[][] policy = {
            BanditTest.logs(0.03, 0.95, 0.02), BanditTest.logs(0.04, 0.92, 0.04), BanditTest.logs(0.2, 0.3, 0.5)
        };
        assertEquals((0.75 + 0.12) / 3 + 0.1 / 3, ConfidenceCalibration.error(TASK, policy, 10), 1e-12);
    }

    /// 0.95 where 0.2 is right, 0.75 where 0.8 is: in one bin the two balance in part, in ten they do not.
    @Test
    void surplusAndLackBalanceWithinABinOnly() {
        double[][] policy = {
            BanditTest.logs(0.03, 0.95, 0.02), BanditTest.logs(0.15, 0.75, 0.1), BanditTest.logs(0.3, 0.3, 0.4)
        };
        assertEquals((0.75 - 0.05) / 3, ConfidenceCalibration.error(TASK, policy, 1), 1e-12);
        assertEquals((0.75 + 0.05) / 3, ConfidenceCalibration.error(TASK, policy, 10), 1e-12);
    }

    /// Certainty falls into the last bin.
    @Test
    void certaintyIsTheExtreme() {
        double[][] certain = {BanditTest.logs(0, 0, 1), BanditTest.logs(1, 0, 0), BanditTest.logs(0, 1, 0)};
        assertEquals((0.9 + 0.9 + 0.7) / 3, ConfidenceCalibration.error(TASK, certain, 10), 1e-12);
    }

    @Test
    void noPolicyBreaksTheBoundOfTheDivergence() {
        var random = new Random(1);
        for (int i = 0; i < 500; i++) {
            var task = Bandit.random(4, 8, i);
            double[][] policy = BanditTest.policy(task, random, random.nextDouble(0.01, 4));
            double error = ConfidenceCalibration.error(task, policy, 10);
            assertTrue(error <= Math.sqrt(task.evaluate(policy).kl() / 2), "task " + i + ": " + error);
        }
    }
}
