package dev.kedge.run;

import dev.kedge.nn.lm.Generator.Completion;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// Whether the log-probs that the sampler reported are those that the trainer computes: both run the same code, so that
/// more than rounding between them means that one of them is wrong.
///
/// A log-prob is a difference, `z/T - log Σ exp(z/T)`. What float32 leaves of it is uncertain by a multiple of
/// `ε·largest`, `ε = 2^-23`: an error of the logits grows with them, and by `1/T`. The multiple is what layers add and
/// carry on. Measured: 2 to 13 with a trained decoder of 5 layers, up to 25 with random ones of 8 layers whose weights
/// have a deviation of at most 0.1. [#bound] allows 64, a judgement between these and a fault; a decoder that amplifies
/// rounding inside its layers can exceed it (221 at a deviation of 0.5 and width 256). It never falls below 1e-4, and
/// never reaches 1e-2, as much as a wrong position, temperature or cache make at the least.
///
/// @param difference the largest of a token, nats
/// @param largest    the largest of the numbers whose differences the log-probs are, nats: `|z/T|` of what was drawn,
///                   and of the logarithm of the normaliser
public record SamplerAgreement(double difference, double largest) {
    private static final double EPSILON = 0x1p-23;
    private static final double ROUNDINGS = 64;
    private static final double LEAST = 1e-4;
    private static final double MOST = 5e-3;

    private static final String DIFFERENCE = "sampler/difference";
    private static final String LARGEST = "sampler/largest";

    /// Of each token.
    ///
    /// @param drawn    with their log-probs
    /// @param computed the trainer's log-probs of the same tokens, one completion after the other, nats
    /// @param terms    the larger of the two numbers whose difference each of these is, nats
    /// @throws IllegalArgumentException if there are not as many
    public static SamplerAgreement of(List<Completion> drawn, double[] computed, double[] terms) {
        double difference = 0;
        int n = 0;
        for (Completion completion : drawn) {
            requireRoom(completion, computed.length - n);
            for (float logProb : completion.logProbs()) {
                difference = Math.max(difference, Math.abs(logProb - computed[n++]));
            }
        }
        if (n != computed.length) {
            throw new IllegalArgumentException(computed.length + " log-probs computed, but " + n + " drawn");
        }
        return new SamplerAgreement(difference, Arrays.stream(terms).max().orElse(0));
    }

    private static void requireRoom(Completion completion, int room) {
        if (completion.logProbs().length > room) {
            throw new IllegalArgumentException("log-probs of more tokens drawn than computed");
        }
    }

    /// Of whole answers, a token.
    ///
    /// @param sums the trainer's log-prob of each answer, nats
    public static SamplerAgreement ofSums(List<Completion> drawn, double[] sums, double largest) {
        double difference = 0;
        for (int i = 0; i < sums.length; i++) {
            double reported = 0;
            for (float logProb : drawn.get(i).logProbs()) {
                reported += logProb;
            }
            difference = Math.max(
                    difference, Math.abs(reported - sums[i]) / drawn.get(i).tokens().length);
        }
        return new SamplerAgreement(difference, largest);
    }

    /// What a step measured of it, if it did.
    static Optional<SamplerAgreement> in(StepMetrics metrics) {
        return metrics.has(DIFFERENCE)
                ? Optional.of(new SamplerAgreement(metrics.get(DIFFERENCE), metrics.get(LARGEST)))
                : Optional.empty();
    }

    /// Adds it to what a part of a step measured.
    public StepMetrics on(StepMetrics metrics) {
        return metrics.max(DIFFERENCE, difference).max(LARGEST, largest);
    }

    /// The difference that rounding allows, nats.
    public double bound() {
        return Math.min(MOST, Math.max(LEAST, ROUNDINGS * EPSILON * largest));
    }

    /// @throws RunFailedException if the difference is more than rounding
    public void require() {
        if (!(difference < bound())) {
            throw new RunFailedException(String.format(
                    Locale.ROOT,
                    "log-probs of sampler and trainer differ by %.2e nats, more than the %.1e that rounding allows where"
                            + " the largest logit over the temperature is %.3g: no number of this run can be trusted",
                    difference,
                    bound(),
                    largest));
        }
    }
}
