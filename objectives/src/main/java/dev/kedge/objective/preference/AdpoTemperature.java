package dev.kedge.objective.preference;

import dev.kedge.tensor.Elementwise;
import dev.kedge.tensor.Require;
import dev.kedge.tensor.Tensor;

/// Temperatures of [AnchoredLogits] that adapt to each set: `[S]`, constants.
///
/// The paper (arXiv:2510.18913) and its code disagree on the direction: the early code lowers tau where the target
/// is uncertain, the late paper raises it where the policy is uncertain or does badly. Both stand here as they are
/// written. All throw [IllegalArgumentException] if shapes do not fit or a number is out of range.
public final class AdpoTemperature {
    private static final double LOG_EPSILON = 1e-8;

    private AdpoTemperature() {}

    /// Version A: `max(lowest, tau·(1 - alpha·H(q)/log P))`, `H(q) = -Σ q log(q + 1e-8)`.
    ///
    /// @param targets q, probabilities over each set, `[S, P]`
    /// @param tau     at a certain target, finite and > 0
    /// @param alpha   how far a uniform target lowers it, finite and >= 0; 0 leaves tau alone
    /// @param lowest  finite and > 0
    public static Tensor fromTargetEntropy(Tensor targets, double tau, double alpha, double lowest) {
        AnchoredLogits.requireSets("targets", targets);
        Require.positive("tau", tau);
        Require.from("alpha", alpha, 0, Double.POSITIVE_INFINITY);
        Require.positive("lowest", lowest);
        Tensor q = targets.detach();
        Tensor entropy = q.times(q.plus(LOG_EPSILON).log()).sum(1).neg();
        double ofUniform = Math.log(q.size(1));
        return Elementwise.clampMin(entropy.times(-alpha / ofUniform).plus(1).times(tau), lowest);
    }

    /// Version B: `tau·(1 + alpha·h + b·(1 - h)·(1 - r))`, held to lowest..highest: higher where the policy is
    /// uncertain, and where it is certain of answers with low rewards.
    ///
    /// @param entropy h, mean entropy of the policy's tokens over a set's candidates divided by log V, in [0, 1],
    ///                `[S]`
    /// @param reward  r, a set's mean reward on a scale from 0 to 1, `[S]`: of [#onUnitScale]
    /// @param tau     at no entropy and full reward, finite and > 0
    /// @param alpha   weight of the entropy, finite and >= 0; `b` likewise of the missing reward
    /// @param lowest  finite and > 0
    /// @param highest finite, at least lowest
    public static Tensor fromPolicyEntropy(
            Tensor entropy, Tensor reward, double tau, double alpha, double b, double lowest, double highest) {
        Require.dims("entropy", entropy, 1, "[S]");
        Require.sameShape("reward", reward, "entropy", entropy);
        Require.positive("tau", tau);
        Require.from("alpha", alpha, 0, Double.POSITIVE_INFINITY);
        Require.from("b", b, 0, Double.POSITIVE_INFINITY);
        Require.positive("lowest", lowest);
        Require.from("highest", highest, lowest, Double.POSITIVE_INFINITY);
        Tensor h = entropy.detach();
        Tensor certainAndWrong = h.neg().plus(1).times(reward.detach().neg().plus(1));
        return Elementwise.clamp(
                h.times(alpha).plus(certainAndWrong.times(b)).plus(1).times(tau), lowest, highest);
    }

    /// `(mean - least)/(most - least)`, or 1/2 where most = least: mean rewards of sets on a scale from 0 to 1.
    ///
    /// @param means mean reward of each set, `[S]`
    /// @param least the least mean among all sets of the optimizer step, so that its parts use one scale; `most`
    ///              likewise
    public static Tensor onUnitScale(Tensor means, double least, double most) {
        Require.dims("means", means, 1, "[S]");
        if (!(least <= most && least > Double.NEGATIVE_INFINITY && most < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException(
                    "least and most must be finite and in order, were " + least + " and " + most);
        }
        Tensor m = means.detach();
        return least == most ? m.zerosLike().plus(0.5) : m.minus(least).div(most - least);
    }
}
