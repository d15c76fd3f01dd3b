package dev.kedge.run;

import dev.kedge.nn.lm.Generator.Completion;
import java.util.List;

/// Whether the log-probs that the sampler reported are those that the trainer computes: both run the same code, so that
/// more than rounding between them means that one of them is wrong.
public final class SamplerAgreement {
    private SamplerAgreement() {}

    private static final double TOLERANCE = 1e-4;

    /// The largest difference, in nats a token.
    ///
    /// @param drawn    with their log-probs
    /// @param computed the trainer's log-probs of the same answers, each summed over its tokens, nats
    public static double difference(List<Completion> drawn, double[] computed) {
        double largest = 0;
        for (int i = 0; i < computed.length; i++) {
            double reported = 0;
            for (float logProb : drawn.get(i).logProbs()) {
                reported += logProb;
            }
            largest = Math.max(
                    largest, Math.abs(reported - computed[i]) / drawn.get(i).tokens().length);
        }
        return largest;
    }

    /// @throws RunFailedException if the difference is more than rounding
    public static void require(double difference) {
        if (!(difference < TOLERANCE)) {
            throw new RunFailedException("log-probs of sampler and trainer differ by " + difference
                    + " nats, more than " + TOLERANCE + ": no number of this run can be trusted");
        }
    }
}
