package dev.kedge.objective.policy;

import dev.kedge.tensor.Elementwise;
import dev.kedge.tensor.Require;
import dev.kedge.tensor.Tensor;

/// From losses of tokens to the loss of a step. The choice says what weighs the same: a token or a completion.
///
/// `losses` are `[B, T]`, `mask` is boolean `[B, T]`, true at the tokens of the completions; gradient flows.
/// Denominators count the whole optimizer step, over all micro-batches and ranks, so that the parts of a step add
/// up. All throw [IllegalArgumentException] if shapes or types do not fit or a denominator is out of range.
public final class Aggregation {
    private Aggregation() {}

    /// `(1/tokensInStep) Σ_it l_it`: every token weighs the same (DAPO, arXiv:2503.14476).
    ///
    /// @param tokensInStep tokens of completions in the whole step, >= 1; that the mask holds no more is not
    ///                     checked, since counting would wait for the device
    public static Tensor perToken(Tensor losses, Tensor mask, long tokensInStep) {
        Require.denominator("tokensInStep", tokensInStep, 1);
        return sums(losses, mask).sum().div(tokensInStep);
    }

    /// `(1/completionsInStep) Σ_i (1/L_i) Σ_t l_it`: every completion weighs the same, whatever its length, and so
    /// the tokens of a short one more (GRPO, arXiv:2402.03300). A completion without tokens adds 0 and counts.
    ///
    /// @param completionsInStep completions in the whole step, at least B
    public static Tensor perSequence(Tensor losses, Tensor mask, long completionsInStep) {
        Require.denominator("completionsInStep", completionsInStep, losses.size(0));
        Tensor lengths = Elementwise.clampMin(mask.sum(1), 1);
        return sums(losses, mask).div(lengths).sum().div(completionsInStep);
    }

    /// `(1/completionsInStep) Σ_i Σ_t l_it`: the completion is one action, whose log-probability is a sum.
    ///
    /// @param completionsInStep completions in the whole step, at least B
    public static Tensor sequenceSum(Tensor losses, Tensor mask, long completionsInStep) {
        Require.denominator("completionsInStep", completionsInStep, losses.size(0));
        return sums(losses, mask).sum().div(completionsInStep);
    }

    /// `(1/(completionsInStep·length)) Σ_it l_it`: [#sequenceSum] in the scale of a mean over tokens, without the
    /// bias of one (Dr. GRPO, arXiv:2503.20783).
    ///
    /// @param length            a constant, customarily the longest completion allowed, tokens, >= 1
    /// @param completionsInStep completions in the whole step, at least B
    public static Tensor constantLength(Tensor losses, Tensor mask, long length, long completionsInStep) {
        if (length < 1) {
            throw new IllegalArgumentException("length must be >= 1, was " + length);
        }
        return sequenceSum(losses, mask, completionsInStep).div(length);
    }

    private static Tensor sums(Tensor losses, Tensor mask) {
        Require.dims("losses", losses, 2, "[B, T]");
        Require.mask("mask", mask, "losses", losses);
        return losses.whereElse(mask, 0).sum(1); // select, do not multiply: NaN * 0 is NaN
    }
}
