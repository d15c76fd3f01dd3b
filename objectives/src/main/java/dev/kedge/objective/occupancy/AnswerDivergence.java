package dev.kedge.objective.occupancy;

import dev.kedge.objective.Loss;
import dev.kedge.objective.preference.SequenceLogProbs;
import dev.kedge.tensor.Elementwise;
import dev.kedge.tensor.Require;
import dev.kedge.tensor.Tensor;

/// χ² and KL of a language model from its reference, estimated from its own answers and differentiated straight through
/// their log-probabilities (ORPO for language models, arXiv:2403.03185). An answer is one action, so that the ratio of
/// occupancy measures is that of answers, and no discriminator is needed.
///
/// With `l = Σ_t log π/π_ref` of an answer, `a = exp(l) - 1` and `b = exp(-l) - 1`, which has expectation 0 and little
/// variance to add. Beyond the limit, a grows linearly with l, and b with -l; the decaying sides stay exact.
///
/// Up to the limit values have no bias; the gradients are those of something else, as the answers themselves depend on
/// the policy, through which none flows. On answers of the policy that of `E[l + b]` is the gradient of KL(ref‖π), that
/// of `E[a + b]` the gradient of `χ²/2 + KL(ref‖π)`.
///
/// @param kl         `l + b` of each answer, `[B]`; gradient flows
/// @param chiSquared `a + b` of each answer, `[B]`; gradient flows
public record AnswerDivergence(Tensor kl, Tensor chiSquared) {
    /// @throws IllegalArgumentException if the two are not vectors of one length
    public AnswerDivergence {
        Require.dims("kl", kl, 1, "[B]");
        Require.sameShape("chiSquared", chiSquared, "kl", kl);
    }

    /// The estimates from the log-probabilities of tokens.
    ///
    /// @param logProbs    of the answers' tokens under the current policy, nats, `[B, T]`; gradient flows
    /// @param refLogProbs under the reference, a constant, `[B, T]`
    /// @param mask        boolean `[B, T]`, true at the tokens of the answer
    /// @param limit       the log-ratio from which growth is linear, nats, finite and > 0; 10 is customary
    /// @throws IllegalArgumentException if shapes do not fit or the limit is out of range
    public static AnswerDivergence of(Tensor logProbs, Tensor refLogProbs, Tensor mask, double limit) {
        Require.positive("limit", limit);
        Require.sameShape("refLogProbs", refLogProbs, "logProbs", logProbs);
        Tensor l = SequenceLogProbs.sum(logProbs.minus(refLogProbs.detach()), mask);
        Tensor b = excess(l.neg(), limit);
        return new AnswerDivergence(l.plus(b), excess(l, limit).plus(b));
    }

    /// `weight·(1/answersInStep) Σ kl`.
    ///
    /// @param weight        finite and > 0
    /// @param answersInStep answers in the whole optimizer step, at least B
    /// @return the loss; metrics `[B]`: `kl` and `chi-squared`
    /// @throws IllegalArgumentException if an argument is out of range
    public Loss klPenalty(double weight, long answersInStep) {
        Require.positive("weight", weight);
        Require.denominator("answersInStep", answersInStep, kl.size(0));
        return loss(kl.sum().div(answersInStep).times(weight));
    }

    /// `weight·sqrt(max(floor, mean χ²))`. A root of a mean: the parts of a step do not add up to it, so the call is
    /// given all answers that count together. No gradient below the floor.
    ///
    /// @param weight finite and > 0
    /// @param floor  finite and > 0, as the root has no gradient at 0; 1e-4 is customary
    /// @return the loss; metrics as in [#klPenalty]
    /// @throws IllegalArgumentException if an argument is out of range, or there is no answer
    public Loss rootChiSquaredPenalty(double weight, double floor) {
        Require.positive("weight", weight);
        Require.positive("floor", floor);
        Require.denominator("the answers given", kl.size(0), 1);
        return loss(Elementwise.clampMin(chiSquared.mean(), floor).sqrt().times(weight));
    }

    /// [#rootChiSquaredPenalty(double, double)] of a step whose answers are seen part by part: along the tangent at the
    /// mean of all of them, so that values and gradients of the parts add up to those of the whole.
    ///
    /// @param stepMean      the mean of χ² over all answers of the step, at the present policy; finite, >= 0
    /// @param answersInStep answers in the whole optimizer step, at least B
    /// @return the loss; metrics as in [#klPenalty]
    /// @throws IllegalArgumentException if an argument is out of range
    public Loss rootChiSquaredPenalty(double weight, double floor, double stepMean, long answersInStep) {
        Require.positive("weight", weight);
        Require.positive("floor", floor);
        Require.from("stepMean", stepMean, 0, Double.POSITIVE_INFINITY);
        Require.denominator("answersInStep", answersInStep, kl.size(0));
        double root = Math.sqrt(Math.max(floor, stepMean));
        double slope = stepMean > floor ? weight / (2 * root) : 0;
        double share = (double) kl.size(0) / answersInStep;
        Tensor beyond = chiSquared.minus(stepMean).sum().div(answersInStep).times(slope);
        return loss(beyond.plus(weight * root * share));
    }

    private Loss loss(Tensor value) {
        return Loss.of(value).with("kl", kl).with("chi-squared", chiSquared);
    }

    /// `exp(x) - 1` up to the limit, and on along the tangent.
    private static Tensor excess(Tensor x, double limit) {
        Tensor tangent = x.minus(limit - 1).times(Math.exp(limit)).minus(1);
        return Elementwise.expm1(Elementwise.clampMax(x, limit)).whereElse(x.lt(limit), tangent);
    }
}
