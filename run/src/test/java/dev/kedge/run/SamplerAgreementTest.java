package dev.kedge.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.kedge.nn.lm.Generator.Completion;
import dev.kedge.nn.lm.Generator.StopReason;
import java.util.List;
import org.junit.jupiter.api.Test;

class SamplerAgreementTest {
    @Test
    void theLargestDifferenceOfATokenCounts() {
        List<Completion> drawn = List.of(
                new Completion(0, new int[] {1, 2}, new float[] {-1, -0.5f}, new float[2], StopReason.END),
                new Completion(0, new int[] {3}, new float[] {-2}, new float[1], StopReason.LENGTH));
        assertEquals(0.25, SamplerAgreement.difference(drawn, new double[] {-1.0, -2.125}), 1e-12);
        assertEquals(0.5, SamplerAgreement.difference(drawn, new double[] {-1.5, -2.5}), 1e-12);
    }

    @Test
    void moreThanRoundingEndsTheRun() {
        SamplerAgreement.require(1e-6);
        var e = assertThrows(RunFailedException.class, () -> SamplerAgreement.require(0.01));
        assertEquals(
                "log-probs of sampler and trainer differ by 0.01 nats, more than 1.0E-4: no number of this run can be "
                        + "trusted",
                e.getMessage());
        assertThrows(RunFailedException.class, () -> SamplerAgreement.require(Double.NaN));
    }
}
