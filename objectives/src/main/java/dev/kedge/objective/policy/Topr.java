package dev.kedge.objective.policy;

import dev.kedge.objective.Loss;
import dev.kedge.tensor.Elementwise;
import dev.kedge.tensor.Require;
import dev.kedge.tensor.Tensor;

/// Tapered off-policy REINFORCE (Le Roux et al. 2025, arXiv:2503.14286): learning from answers of another policy.
///
/// With `u = π(y|x)/μ(y|x)`, the ratio of the whole answer, each answer pulls with `w·A·∇log π(y|x)`, where w is
/// u truncated to an interval that the sign of A chooses. Canonically w is 1 for good answers, a plain
/// supervised update, and `min(u, 1)` for bad ones, so that the push fades once they have become unlikely. It then
/// ascends `E_μ[1[A >= 0]·A·log u + 1[A < 0]·A·h(u)]`, `h(u) = u` up to 1 and `1 + log u` beyond, whose second part
/// is bounded; with `w = 1` for bad answers too that part grows without end. No KL, no reference.
///
/// Throughout, the loss is a surrogate: w is a constant, and the value means little. Ratios are truncated as
/// logarithms, so that weights do not overflow unless a `to` is infinite.
public final class Topr {
    private Topr() {}

    /// The intervals to which ratios are truncated: the method's whole family.
    ///
    /// @param goodFrom at A >= 0, the paper's a+; `goodTo` is b+
    /// @param badFrom  at A < 0, a-; `badTo` is b-
    public record Truncation(double goodFrom, double goodTo, double badFrom, double badTo) {
        /// TOPR: 1 for good answers, at most 1 for bad ones.
        public static final Truncation CANONICAL = new Truncation(1, 1, 0, 1);
        /// REINFORCE as if on policy: 1 for all.
        public static final Truncation ALWAYS_ONE = new Truncation(1, 1, 1, 1);
        /// Supervised learning of the good answers.
        public static final Truncation GOOD_ONLY = new Truncation(1, 1, 0, 0);
        /// Truncated importance sampling: at most 1 for all.
        public static final Truncation AT_MOST_ONE = new Truncation(0, 1, 0, 1);
        /// Importance sampling: off-policy REINFORCE with the ratio as it is.
        public static final Truncation FULL_RATIO =
                new Truncation(0, Double.POSITIVE_INFINITY, 0, Double.POSITIVE_INFINITY);

        /// @throws IllegalArgumentException unless `0 <= from <= to` in both intervals, `from` finite
        public Truncation {
            requireInterval("good", goodFrom, goodTo);
            requireInterval("bad", badFrom, badTo);
        }

        private static void requireInterval(String name, double from, double to) {
            if (!(0 <= from && from <= to && from < Double.POSITIVE_INFINITY)) {
                throw new IllegalArgumentException(name
                        + " answers' ratios go to [from, to] with 0 <= from <= to, was [" + from + ", " + to + "]");
            }
        }
    }

    /// `-(1/answersInStep) Σ w·A·log π(y|x)` with [Truncation#CANONICAL].
    ///
    /// @param logProbs          `log π(y|x)` of whole answers, nats, `[B]`; gradient flows
    /// @param behaviourLogProbs `log μ(y|x)` under the policy that drew them, likewise, a constant
    /// @param advantages        A: the reward, +1 or -1 in the paper, less the baseline, if any; `[B]`, a
    ///                          constant. 0 counts as good
    /// @param answersInStep     answers in the whole optimizer step, at least B
    /// @return the loss; metrics `loss`, `weight`, which is w, and `log-ratio`, nats, `[B]` each
    /// @throws IllegalArgumentException if shapes do not fit or answersInStep is too small
    public static Loss topr(Tensor logProbs, Tensor behaviourLogProbs, Tensor advantages, long answersInStep) {
        return truncated(logProbs, behaviourLogProbs, advantages, Truncation.CANONICAL, answersInStep);
    }

    /// [#topr] with other intervals.
    public static Loss truncated(
            Tensor logProbs, Tensor behaviourLogProbs, Tensor advantages, Truncation truncation, long answersInStep) {
        Require.dims("logProbs", logProbs, 1, "[B]");
        return loss(logProbs, logProbs, behaviourLogProbs, advantages, truncation, answersInStep);
    }

    /// [#truncated] with `log π(y|x)/|y|` in the loss, as in the paper's experiments: long answers weigh no more than
    /// short ones. The ratio stays that of the whole answer.
    ///
    /// @param tokens `|y|`, `[B]`; an answer without tokens counts as one
    public static Loss lengthNormalized(
            Tensor logProbs,
            Tensor behaviourLogProbs,
            Tensor advantages,
            Tensor tokens,
            Truncation truncation,
            long answersInStep) {
        Require.dims("logProbs", logProbs, 1, "[B]");
        Require.sameShape("tokens", tokens, "logProbs", logProbs);
        Tensor perToken = logProbs.div(Elementwise.clampMin(tokens.to(logProbs.dtype()), 1));
        return loss(perToken, logProbs, behaviourLogProbs, advantages, truncation, answersInStep);
    }

    /// The share of good answers as the baseline makes it felt: `p(1-c)/(1 + c(1-2p))`. The paper finds 0.1 to 0.2
    /// best; `c = 2p - 1`, the mean reward, always makes it 1/2.
    ///
    /// @param goodShare p, the share of answers with reward +1, the others having -1; in [0, 1]
    /// @param baseline  c, subtracted from rewards, in [-1, 1]
    /// @throws IllegalArgumentException if a number is out of range, or no answer is left any weight
    public static double effectiveGoodShare(double goodShare, double baseline) {
        double good = goodShare * (1 - baseline);
        double bad = (1 - goodShare) * (1 + baseline);
        if (!(good >= 0 && bad >= 0 && baseline >= -1 && baseline <= 1 && good + bad > 0)) {
            throw new IllegalArgumentException(
                    "goodShare in [0, 1] and baseline in [-1, 1] must leave answers a weight, were " + goodShare
                            + " and " + baseline);
        }
        return good / (good + bad);
    }

    private static Loss loss(
            Tensor learned,
            Tensor logProbs,
            Tensor behaviourLogProbs,
            Tensor advantages,
            Truncation truncation,
            long answersInStep) {
        Require.sameShape("behaviourLogProbs", behaviourLogProbs, "logProbs", logProbs);
        Require.sameShape("advantages", advantages, "logProbs", logProbs);
        Require.denominator("answersInStep", answersInStep, logProbs.size(0));
        Tensor logRatio = logProbs.detach().minus(behaviourLogProbs.detach());
        Tensor weight = clamp(logRatio, truncation.goodFrom(), truncation.goodTo())
                .whereElse(advantages.ge(0), clamp(logRatio, truncation.badFrom(), truncation.badTo()))
                .exp();
        Tensor pull = weight.times(advantages.detach());
        // What has no pull is left out, though the policy find it impossible: 0 times -inf is NaN.
        Tensor losses = pull.times(learned.whereElse(pull.ne(0), 0)).neg();
        return Loss.of(losses.sum().div(answersInStep))
                .with("loss", losses)
                .with("weight", weight)
                .with("log-ratio", logRatio);
    }

    private static Tensor clamp(Tensor logRatio, double from, double to) {
        return Elementwise.clamp(logRatio, Math.log(from), Math.log(to));
    }
}
