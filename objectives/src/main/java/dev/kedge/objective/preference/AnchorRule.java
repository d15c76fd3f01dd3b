package dev.kedge.objective.preference;

import dev.kedge.config.Kind;
import dev.kedge.tensor.Require;
import java.util.List;
import java.util.stream.DoubleStream;

/// How an anchor follows the policy between optimizer steps (arXiv:2510.18913): as a share of it that is kept,
/// `anchor ← kept·anchor + (1 - kept)·policy`, parameter by parameter.
///
/// What a rule remembers is passed in and returned, so that a run resumes where it stopped.
public sealed interface AnchorRule {
    /// What to do with the anchor.
    ///
    /// @param kept     1 leaves the anchor, 0 makes it a copy of the policy, between them it is their mean
    /// @param recent   what the rule is to be told the next time
    record Decision(double kept, List<Double> recent) {
        public Decision {
            recent = List.copyOf(recent);
        }
    }

    /// The decision after an optimizer step.
    ///
    /// @param step       steps done so far, this one included: 1 after the first
    /// @param recent     of the decision before; empty at first
    /// @param divergence of the policy from the anchor as this step saw it, nats; only [KlTriggered] looks at it
    /// @throws IllegalArgumentException if step < 1, or divergence is looked at and not finite
    Decision after(long step, List<Double> recent, double divergence);

    private static void requireStep(long step) {
        if (step < 1) {
            throw new IllegalArgumentException("step counts those done and must be >= 1, was " + step);
        }
    }

    /// The anchor stays as it is.
    @Kind("fixed")
    record Fixed() implements AnchorRule {
        @Override
        public Decision after(long step, List<Double> recent, double divergence) {
            requireStep(step);
            return new Decision(1, List.of());
        }
    }

    /// The anchor becomes a copy of the policy after every so many steps.
    ///
    /// @param steps at least 1
    @Kind("every")
    record Every(long steps) implements AnchorRule {
        public Every {
            if (steps < 1) {
                throw new IllegalArgumentException("steps must be >= 1, was " + steps);
            }
        }

        @Override
        public Decision after(long step, List<Double> recent, double divergence) {
            requireStep(step);
            return new Decision(step % steps == 0 ? 0 : 1, List.of());
        }
    }

    /// The anchor is an exponential moving average of the policy.
    ///
    /// @param coefficient the share kept at each step, in [0, 1)
    @Kind("ema")
    record Ema(double coefficient) implements AnchorRule {
        public Ema {
            Require.from("coefficient", coefficient, 0, 1);
        }

        @Override
        public Decision after(long step, List<Double> recent, double divergence) {
            requireStep(step);
            return new Decision(coefficient, List.of());
        }
    }

    /// The anchor becomes a copy of the policy when the mean divergence of the last `window` steps exceeds
    /// `threshold`; the window then starts empty. It does not act before it is full.
    ///
    /// The author's code takes the mean |log-ratio| of answers for the divergence and calls it a KL.
    ///
    /// @param threshold nats, finite and > 0
    /// @param window    steps, at least 1
    @Kind("kl_triggered")
    record KlTriggered(double threshold, int window) implements AnchorRule {
        public KlTriggered {
            Require.positive("threshold", threshold);
            if (window < 1) {
                throw new IllegalArgumentException("window must be >= 1, was " + window);
            }
        }

        @Override
        public Decision after(long step, List<Double> recent, double divergence) {
            requireStep(step);
            if (!Double.isFinite(divergence)) {
                throw new IllegalArgumentException("divergence must be finite, was " + divergence);
            }
            List<Double> last = recent.subList(Math.max(0, recent.size() - window + 1), recent.size());
            double[] seen = DoubleStream.concat(
                            last.stream().mapToDouble(Double::doubleValue), DoubleStream.of(divergence))
                    .toArray();
            double mean = DoubleStream.of(seen).average().orElseThrow();
            return seen.length == window && mean > threshold
                    ? new Decision(0, List.of())
                    : new Decision(1, DoubleStream.of(seen).boxed().toList());
        }
    }
}
