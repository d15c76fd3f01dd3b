package dev.kedge.objective.policy;

import dev.kedge.objective.Loss;
import dev.kedge.tensor.Creation;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Elementwise;
import dev.kedge.tensor.Functional;
import dev.kedge.tensor.Indexing;
import dev.kedge.tensor.Ordering;
import dev.kedge.tensor.Require;
import dev.kedge.tensor.Tensor;

/// SPINE (arXiv:2511.17938): test-time reinforcement learning that moves only the tokens where a completion forks, and
/// keeps their entropy inside a band.
///
/// The rewards are those of a vote, [Ttrl]. [#topShare] is the selection of the paper's first version, [#otsu] that of
/// its second. The paper does not publish its coefficients.
///
/// The band comes from the entropies that it bounds, so that part of them always lies outside, and above it more than
/// below: it evens entropies out within a completion and does not stop all from falling together.
public final class Spine {
    private static final double STD_EPSILON = 1e-6;

    private Spine() {}

    /// `A = (r - mean)/(std + 1e-6)`, std with divisor G, `[P·G]`, prompt by prompt.
    ///
    /// @param rewards of the G completions to each prompt, `[P, G]` with G >= 2
    /// @throws IllegalArgumentException if rewards is no matrix or has a single column
    public static Tensor advantages(Tensor rewards) {
        return GroupRelative.populationNormalized(rewards, STD_EPSILON).reshape(-1);
    }

    /// Where completions fork, and the band for the entropies there; constants.
    ///
    /// @param selected boolean `[B, T]`, only where tokens count
    /// @param low      nats, `[B]`; 0 of a completion without tokens, and `high` likewise
    public record Forking(Tensor selected, Tensor low, Tensor high) {
        /// @throws IllegalArgumentException if shapes or types do not fit
        public Forking {
            Require.dims("selected", selected, 2, "[B, T]");
            Require.mask("selected", selected, "itself", selected);
            Require.dims("low", low, 1, "[B]");
            Require.sameShape("high", high, "low", low);
        }

        /// How many tokens of each completion are selected, int64 `[B]`.
        public Tensor count() {
            return selected.sum(1);
        }
    }

    /// The tokens of highest entropy of each completion, `max(1, floor(share·L))` of them, of equal ones the first; the
    /// band is between two quantiles of their entropies, interpolated linearly.
    ///
    /// @param entropies nats, `[B, T]`, a constant whatever graph it carries
    /// @param mask      boolean `[B, T]`, true at the tokens of the completion
    /// @param share     in (0, 1], customarily 0.2
    /// @param low       level of the lower quantile, in [0, 1], customarily 0.1; `high` likewise, 0.5
    /// @throws IllegalArgumentException if shapes or types do not fit or a number is out of range
    public static Forking topShare(Tensor entropies, Tensor mask, double share, double low, double high) {
        if (!(share > 0 && share <= 1)) {
            throw new IllegalArgumentException("share must be in (0, 1], was " + share);
        }
        if (!(0 <= low && low <= high && high <= 1)) {
            throw new IllegalArgumentException("levels must be 0 <= low <= high <= 1, were " + low + " and " + high);
        }
        Tensor h = counted(entropies, mask);
        Tensor lengths = mask.sum(1, true);
        Tensor count =
                Elementwise.clampMin(Elementwise.floor(lengths.to(DType.FLOAT64).times(share)), 1);
        Tensor order = Ordering.sort(h.whereElse(mask, Double.NEGATIVE_INFINITY), 1, true)[1];
        Tensor rank = Creation.arange(0, mask.size(1), mask.device());
        Tensor first = rank.lt(count);
        Tensor selected = Indexing.scatter(mask, 1, order, first).and(mask);
        return new Forking(selected, quantile(h, selected, low), quantile(h, selected, high));
    }

    /// The tokens from Otsu's threshold on, which parts a histogram of each completion's entropies into two classes
    /// farthest apart; the band is from `1.4826·MAD`, at least 1e-6, below their median to the median, and not
    /// below 0.
    ///
    /// The threshold is the centre of the last bin of the lower class, of equally good cuts that of the first.
    /// Equal entropies are all selected.
    ///
    /// @param entropies nats, `[B, T]`, a constant whatever graph it carries
    /// @param mask      boolean `[B, T]`, true at the tokens of the completion
    /// @param bins      of equal width from the least entropy of a completion to its greatest, >= 2,
    ///                  customarily 100
    /// @throws IllegalArgumentException if shapes or types do not fit or a number is out of range
    public static Forking otsu(Tensor entropies, Tensor mask, long bins) {
        if (bins < 2) {
            throw new IllegalArgumentException("bins must be >= 2, was " + bins);
        }
        Tensor h = counted(entropies, mask);
        Tensor selected = h.ge(otsuThresholds(h.to(DType.FLOAT64), mask, bins)).and(mask);
        Tensor median = quantile(h, selected, 0.5);
        Tensor deviation = quantile(h.minus(median.unsqueeze(1)).abs(), selected, 0.5);
        Tensor low = Elementwise.clampMin(median.minus(Elementwise.clampMin(deviation.times(1.4826), 1e-6)), 0);
        return new Forking(selected, low, median);
    }

    /// `[B, 1]`, float64.
    private static Tensor otsuThresholds(Tensor h, Tensor mask, long bins) {
        Tensor least = h.whereElse(mask, Double.POSITIVE_INFINITY).amin(1, true);
        Tensor width = h.whereElse(mask, Double.NEGATIVE_INFINITY)
                .amax(1, true)
                .minus(least)
                .div(bins);
        Tensor number = Creation.arange(0, bins, h.device());
        Tensor bin = Elementwise.clampMax(Elementwise.floor(h.minus(least).div(width)), bins - 1.0);
        Tensor counts = bin.unsqueeze(2).eq(number).and(mask.unsqueeze(2)).sum(1);
        Tensor centres = number.plus(0.5).times(width).plus(least);
        Tensor sums = counts.times(centres);
        Tensor below = counts.cumsum(1);
        Tensor above = counts.sum(1, true).minus(below);
        Tensor sumBelow = sums.cumsum(1);
        Tensor apart =
                sumBelow.div(below).minus(sums.sum(1, true).minus(sumBelow).div(above));
        Tensor parts = below.times(above);
        Tensor between = parts.times(apart.square()).whereElse(parts.gt(0), 0);
        // Cuts inside a gap of the histogram are equally good but for rounding.
        Tensor good = between.ge(between.amax(1, true).times(1 - 1e-12));
        Tensor first = good.cumsum(1).eq(0).sum(1, true);
        return centres.gather(1, first);
    }

    /// Of the selected values of each row, interpolated linearly, `[B]`; 0 of none.
    private static Tensor quantile(Tensor values, Tensor selected, double level) {
        Tensor sorted = Ordering.sort(values.whereElse(selected, Double.POSITIVE_INFINITY), 1, false)[0];
        Tensor last = Elementwise.clampMin(selected.sum(1, true).minus(1), 0);
        Tensor at = last.to(DType.FLOAT64).times(level);
        // A quantile that is one of the values is exactly that value: where it bounds it, the hinge has no gradient.
        Tensor nearest = Elementwise.round(at);
        at = nearest.whereElse(at.minus(nearest).abs().lt(1e-9), at);
        Tensor lower = at.to(DType.INT64);
        Tensor a = sorted.gather(1, lower);
        Tensor b = sorted.gather(1, Elementwise.minimum(lower.plus(1), last));
        Tensor fraction = at.minus(Elementwise.floor(at)).to(values.dtype());
        return a.plus(b.minus(a).times(fraction))
                .whereElse(selected.sum(1, true).gt(0), 0)
                .squeeze(1);
    }

    private static Tensor counted(Tensor entropies, Tensor mask) {
        Require.dims("entropies", entropies, 2, "[B, T]");
        Require.mask("mask", mask, "entropies", entropies);
        return entropies.detach();
    }

    /// `(1/tokensInStep) Σ_selected max(-A·ρ, -A·clip(ρ, 1 - clip, 1 + clip))`: [PpoClip#ppoClip] at the forks. Tokens
    /// that are not selected have no gradient but count in the denominator.
    ///
    /// @param rollout      `[B, T]`
    /// @param advantages   `[B]`, constants whatever graph they carry
    /// @param forking      of the same completions
    /// @param clip         dimensionless, in (0, 1), customarily 0.2
    /// @param tokensInStep completion tokens of the whole optimizer step, selected or not, >= 1
    /// @return the loss; metrics as in [Surrogate#loss], as if all were selected, and `[B]` `forking/share`, of
    ///         tokens
    /// @throws IllegalArgumentException if shapes do not fit or a number is out of range
    public static Loss policy(Rollout rollout, Tensor advantages, Forking forking, double clip, long tokensInStep) {
        Require.between("clip", clip, 0, 1);
        var surrogate = Surrogate.clipped(rollout, LogRatios.tokens(rollout), advantages, clip, clip);
        Tensor value = Aggregation.perToken(surrogate.losses(), forking.selected, tokensInStep);
        return surrogate.loss(value).with("forking/share", rollout.means(forking.selected));
    }

    /// `(1/tokensInStep) Σ_selected [lowStrength·max(low - H, 0) + highStrength·max(H - high, 0)]`, without gradient
    /// on a bound itself.
    ///
    /// @param entropies    H, nats, `[B, T]`; gradient flows. Of [Entropy#ofLogits]
    /// @param forking      of the same entropies
    /// @param lowStrength  per nat, finite and >= 0; `highStrength` likewise
    /// @param tokensInStep completion tokens of the whole optimizer step, selected or not, >= 1
    /// @return the loss; metrics `[B]`: `band`, the hinges summed over the completion, and `forking/entropy`, the
    ///         mean over its selected tokens, nats
    /// @throws IllegalArgumentException if shapes do not fit or a number is out of range
    public static Loss band(
            Tensor entropies, Forking forking, double lowStrength, double highStrength, long tokensInStep) {
        Require.sameShape("entropies", entropies, "selected", forking.selected);
        Require.from("lowStrength", lowStrength, 0, Double.POSITIVE_INFINITY);
        Require.from("highStrength", highStrength, 0, Double.POSITIVE_INFINITY);
        Tensor below = Functional.relu(forking.low.detach().unsqueeze(1).minus(entropies));
        Tensor above = Functional.relu(entropies.minus(forking.high.detach().unsqueeze(1)));
        Tensor hinges = below.times(lowStrength).plus(above.times(highStrength));
        Tensor count = Elementwise.clampMin(forking.count(), 1);
        return Loss.of(Aggregation.perToken(hinges, forking.selected, tokensInStep))
                .with("band", hinges.whereElse(forking.selected, 0).sum(1))
                .with(
                        "forking/entropy",
                        entropies.whereElse(forking.selected, 0).sum(1).div(count));
    }

    /// `(strength/selectedInStep) Σ_selected KL(π‖π_0)`, π_0 the policy before it was adapted.
    ///
    /// @param kl             exact over the vocabulary, as of [dev.kedge.objective.divergence.ReverseKl], nats,
    ///                       `[B, T]`; gradient flows
    /// @param forking        of the same completions
    /// @param strength       dimensionless, finite and >= 0
    /// @param selectedInStep selected tokens of the whole optimizer step, >= 1
    /// @return the loss; metric `kl/anchor`, the mean over the selected tokens of a completion, nats, `[B]`
    /// @throws IllegalArgumentException if shapes do not fit or a number is out of range
    public static Loss anchor(Tensor kl, Forking forking, double strength, long selectedInStep) {
        Require.sameShape("kl", kl, "selected", forking.selected);
        Require.from("strength", strength, 0, Double.POSITIVE_INFINITY);
        Require.denominator("selectedInStep", selectedInStep, 1);
        Tensor count = Elementwise.clampMin(forking.count(), 1);
        Tensor sums = kl.whereElse(forking.selected, 0).sum(1);
        return Loss.of(sums.sum().times(strength / selectedInStep)).with("kl/anchor", sums.div(count));
    }
}
