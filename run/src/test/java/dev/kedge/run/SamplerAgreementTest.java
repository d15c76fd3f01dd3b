package dev.kedge.run;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.kedge.nn.lm.Generator.Completion;
import dev.kedge.nn.lm.Generator.StopReason;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class SamplerAgreementTest {
    private static final List<Completion> DRAWN = List.of(
            new Completion(0, new int[] {1, 2}, new float[] {-1, -0.5f}, new float[2], StopReason.END),
            new Completion(0, new int[] {3}, new float[] {-2}, new float[1], StopReason.LENGTH));

    private static SamplerAgreement of(double... computed) {
        return SamplerAgreement.of(DRAWN, computed, new double[] {1, 10, 3});
    }

    @Test
    void theLargestDifferenceOfATokenCounts() {
        assertEquals(0.25, of(-1.25, -0.5, -2.125).difference(), 1e-12);
        assertEquals(10, of(-1, -0.5, -2).largest());
        assertEquals(0.5, of(-1.5, 0, -2).difference(), 1e-12, "differences do not cancel");
        assertEquals(0.5, of(-1, -0.5, -2.5).difference(), 1e-12);
        assertThrows(IllegalArgumentException.class, () -> of(-1, -0.5));
        assertThrows(IllegalArgumentException.class, () -> of(-1, -0.5, -2, -3));
    }

    @Test
    void ofWholeAnswersThatOfATokenOnAverage() {
        var agreement = SamplerAgreement.ofSums(DRAWN, new double[] {-1.0, -2.125}, 10);
        assertEquals(new SamplerAgreement(0.25, 10), agreement);
    }

    /// ε times what is rounded: twice the logits or half the temperature, twice the rounding.
    @Test
    void theBoundGrowsWithLogitsOverTemperature() {
        double at75 = new SamplerAgreement(0, 75).bound();
        assertEquals(64 * 75 * Math.ulp(1f), at75, 1e-15);
        assertEquals(2 * at75, new SamplerAgreement(0, 150).bound(), 1e-15);
        assertEquals(1e-4, new SamplerAgreement(0, 1).bound());
        assertEquals(5e-3, new SamplerAgreement(0, 1e6).bound(), "a fault is 1e-2 at the least");
    }

    @Test
    void moreThanRoundingEndsTheRun() {
        assertDoesNotThrow(() -> new SamplerAgreement(1.03e-4, 75).require());
        var e = assertThrows(RunFailedException.class, () -> new SamplerAgreement(0.01, 75).require());
        assertEquals(
                "log-probs of sampler and trainer differ by 1.00e-02 nats, more than the 5.7e-04 that rounding allows"
                        + " where the largest logit over the temperature is 75.0: no number of this run can be trusted",
                e.getMessage());
        assertThrows(RunFailedException.class, () -> new SamplerAgreement(0.01, 1e6).require());
        assertThrows(RunFailedException.class, () -> new SamplerAgreement(Double.NaN, 1).require());
        assertThrows(RunFailedException.class, () -> new SamplerAgreement(0, Double.NaN).require());
    }

    @Test
    void aStepKeepsTheLargestOfItsParts() {
        StepMetrics metrics = new StepMetrics();
        assertEquals(Optional.empty(), SamplerAgreement.in(metrics));
        metrics.gather(new SamplerAgreement(1e-6, 40).on(new StepMetrics()));
        metrics.gather(new SamplerAgreement(1e-5, 30).on(new StepMetrics()));
        assertEquals(Optional.of(new SamplerAgreement(1e-5, 40)), SamplerAgreement.in(metrics));
    }
}
