package dev.kedge.objective.policy;

import dev.kedge.objective.Loss;
import dev.kedge.tensor.Elementwise;
import dev.kedge.tensor.Functional;
import dev.kedge.tensor.Indexing;
import dev.kedge.tensor.Ordering;
import dev.kedge.tensor.Require;
import dev.kedge.tensor.Tensor;

/// A reward model that scores tokens and learns from the outcomes of whole answers alone (Lyu et al. 2025,
/// arXiv:2502.06781), and the weights of tokens that OREAL takes from it.
///
/// Scores are those of a linear head without bias on a language model's states, at the position before the token
/// that is scored. `c_t`, the mean score of an answer's tokens up to t, makes `p_t = σ(c_t)`: how promising the
/// answer looks there. Formulas follow the authors' code.
public final class TokenRewardModel {
    private TokenRewardModel() {}

    /// How much each token is blamed for its answer's outcome: constants in [0, 1].
    ///
    /// @param correct of tokens of correct answers, `[B, T]`; `wrong` of tokens of wrong ones
    public record Weights(Tensor correct, Tensor wrong) {
        /// @throws IllegalArgumentException if the two are not matrices of one shape
        public Weights {
            Require.dims("correct", correct, 2, "[B, T]");
            Require.sameShape("wrong", wrong, "correct", correct);
        }

        /// 1 for all tokens: no reward model.
        public static Weights ones(Tensor logProbs) {
            Tensor ones = logProbs.onesLike();
            return new Weights(ones, ones);
        }
    }

    /// `(1/answersInStep) Σ BCE(σ(c_T), outcome)`, c_T the mean score of all of an answer's tokens.
    ///
    /// @param scores        one a token, logits, `[B, T]`; gradient flows
    /// @param mask          boolean `[B, T]`, true at the tokens of the answer
    /// @param correct       boolean `[B]`: the outcome
    /// @param answersInStep answers in the whole optimizer step, at least B
    /// @return the loss; metrics `loss` and `score`, the mean c_T, `[B]` each; an answer without tokens scores 0
    /// @throws IllegalArgumentException if shapes or types do not fit or answersInStep is too small
    public static Loss loss(Tensor scores, Tensor mask, Tensor correct, long answersInStep) {
        requireScores(scores, mask);
        Tensor lengths = Elementwise.clampMin(mask.sum(1), 1);
        Tensor score = scores.whereElse(mask, 0).sum(1).div(lengths);
        Require.mask("correct", correct, "one score per answer", score);
        Require.denominator("answersInStep", answersInStep, scores.size(0));
        Tensor losses =
                Functional.logSigmoid(score.whereElse(correct, score.neg())).neg();
        return Loss.of(losses.sum().div(answersInStep)).with("loss", losses).with("score", score);
    }

    /// `(p_t - h)/(1 - h)` clamped to [0, 1], h being `correctThreshold`; of wrong answers `1 - p_t` and their own h.
    /// With 1/2 for both, a token has at most one weight above 0, and scores of 0 have none: train the model first.
    ///
    /// @param scores           `[B, T]`, constants
    /// @param mask             boolean `[B, T]`
    /// @param correctThreshold in [0, 1); `wrongThreshold` likewise
    /// @throws IllegalArgumentException if shapes or types do not fit or a threshold is out of range
    public static Weights aboveThreshold(Tensor scores, Tensor mask, double correctThreshold, double wrongThreshold) {
        Require.from("correctThreshold", correctThreshold, 0, 1);
        Require.from("wrongThreshold", wrongThreshold, 0, 1);
        Tensor c = runningMean(scores, mask);
        return new Weights(
                above(Functional.sigmoid(c), correctThreshold), above(Functional.sigmoid(c.neg()), wrongThreshold));
    }

    /// Of each answer the share `correctRatio` of tokens with the largest p_t, rounded down but at least one, their
    /// p_t mapped linearly to [0, 1]: the least of them has 0, or all have 1 if they are equal. The other tokens
    /// have 0. Of wrong answers `1 - p_t` and their own ratio.
    ///
    /// @param scores       `[B, T]`, constants
    /// @param mask         boolean `[B, T]`
    /// @param correctRatio in (0, 1]; `wrongRatio` likewise
    /// @throws IllegalArgumentException if shapes or types do not fit or a ratio is out of range
    public static Weights largest(Tensor scores, Tensor mask, double correctRatio, double wrongRatio) {
        requireRatio("correctRatio", correctRatio);
        requireRatio("wrongRatio", wrongRatio);
        Tensor c = runningMean(scores, mask);
        return new Weights(
                largest(Functional.sigmoid(c), mask, correctRatio),
                largest(Functional.sigmoid(c.neg()), mask, wrongRatio));
    }

    private static Tensor runningMean(Tensor scores, Tensor mask) {
        requireScores(scores, mask);
        Tensor counts = Elementwise.clampMin(mask.cumsum(1), 1);
        return scores.detach().whereElse(mask, 0).cumsum(1).div(counts);
    }

    private static Tensor above(Tensor p, double threshold) {
        return Elementwise.clamp(p.minus(threshold).div(1 - threshold), 0, 1);
    }

    private static Tensor largest(Tensor p, Tensor mask, double ratio) {
        Tensor tokens = mask.to(p.dtype()).sum(1, true);
        Tensor kept = ranks(p.whereElse(mask, -1))
                .lt(Elementwise.clampMin(Elementwise.floor(tokens.times(ratio)), 1))
                .and(mask);
        Tensor low = p.whereElse(kept, 1).amin(1, true);
        Tensor range = p.whereElse(kept, 0).amax(1, true).minus(low);
        Tensor scaled = p.minus(low).div(range);
        return scaled.whereElse(range.gt(0), p.onesLike()).whereElse(kept, 0);
    }

    /// The place of each entry among those of its row, the largest having 0.
    private static Tensor ranks(Tensor p) {
        Tensor order = Ordering.sort(p, 1, true)[1];
        Tensor places = p.onesLike().cumsum(1).minus(1);
        return Indexing.scatter(p, 1, order, places);
    }

    private static void requireScores(Tensor scores, Tensor mask) {
        Require.dims("scores", scores, 2, "[B, T]");
        Require.mask("mask", mask, "scores", scores);
    }

    private static void requireRatio(String name, double ratio) {
        if (!(ratio > 0 && ratio <= 1)) {
            throw new IllegalArgumentException(name + " must be in (0, 1], was " + ratio);
        }
    }
}
