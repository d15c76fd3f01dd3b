package dev.kedge.objective.policy;

import dev.kedge.objective.Loss;
import dev.kedge.tensor.Elementwise;
import dev.kedge.tensor.Require;
import dev.kedge.tensor.Tensor;

/// Losses of the tokens of a rollout whose gradient is a policy gradient, before they are aggregated.
///
/// Advantages are one per completion, `[B]`, which each of its tokens gets, or one per token, `[B, T]`; constants
/// whatever graph they carry. The log-ratios are one of [LogRatios]. Where an advantage is 0 so are loss and gradient,
/// whatever the ratio is. The value is no objective; only the gradient is.
///
/// @param rollout    what the losses are of
/// @param advantages `[B, T]`, 0 where masked
/// @param ratios     `π/π_old` before clipping, `[B, T]`, without gradient
/// @param clipped    boolean `[B, T]`, true where clipping took the gradient away
/// @param losses     `[B, T]`, 0 where masked; gradient flows
public record Surrogate(Rollout rollout, Tensor advantages, Tensor ratios, Tensor clipped, Tensor losses) {
    private static final double NONE = Double.POSITIVE_INFINITY; // a bound that is never reached

    /// `-A·ρ`.
    public static Surrogate unclipped(Rollout rollout, Tensor logRatios, Tensor advantages) {
        return within(rollout, logRatios, advantages, NONE, NONE, NONE);
    }

    /// `max(-A·ρ, -A·clip(ρ, 1 - clipLow, 1 + clipHigh))` (PPO, arXiv:1707.06347, Eq. 7; with unequal bounds DAPO,
    /// arXiv:2503.14476).
    ///
    /// No gradient where `A > 0` and `ρ > 1 + clipHigh`, or `A < 0` and `ρ < 1 - clipLow`; in the other two
    /// corners, where the policy has moved against the advantage, it is not clipped.
    ///
    /// @param clipLow  dimensionless, >= 0; from 1 on nothing is clipped below
    /// @param clipHigh dimensionless, >= 0
    /// @throws IllegalArgumentException if shapes do not fit or a number is out of range
    public static Surrogate clipped(
            Rollout rollout, Tensor logRatios, Tensor advantages, double clipLow, double clipHigh) {
        requireClip(clipLow, clipHigh);
        return within(rollout, logRatios, advantages, clipLow, clipHigh, NONE);
    }

    /// [#clipped], and at most `-A·cap` where `A < 0` (dual clip, arXiv:1912.09729): without it a bad token
    /// that has become far more probable has an unbounded gradient.
    ///
    /// @param cap dimensionless, > 1 + clipHigh
    /// @throws IllegalArgumentException if shapes do not fit or a number is out of range
    public static Surrogate dualClipped(
            Rollout rollout, Tensor logRatios, Tensor advantages, double clipLow, double clipHigh, double cap) {
        requireClip(clipLow, clipHigh);
        Require.between("cap", cap, 1 + clipHigh, Double.POSITIVE_INFINITY);
        return within(rollout, logRatios, advantages, clipLow, clipHigh, cap);
    }

    /// `-A·log π`: the score function without a ratio, as if the completions were drawn just now.
    public static Surrogate scoreFunction(Rollout rollout, Tensor advantages) {
        Surrogate onPolicy = unclipped(rollout, LogRatios.onPolicy(rollout), advantages);
        Tensor logProbs = rollout.logProbs().whereElse(rollout.mask(), 0);
        Tensor losses = logProbs.times(onPolicy.advantages).neg();
        return new Surrogate(rollout, onPolicy.advantages, onPolicy.ratios, onPolicy.clipped, losses);
    }

    /// The loss of the step's part, with metrics.
    ///
    /// @param value the losses aggregated, with whatever was added to them
    /// @return the loss; metrics `[B]`, means over the tokens of each completion, 0 without any: `loss`,
    ///         `advantage`, `ratio`; `clip/share`; `kl/old`, `log π_old/π`, which estimates KL(π_old‖π), nats;
    ///         `entropy`, `-log π`, which on policy estimates the mean entropy, nats; and `advantage/zero`, 1
    ///         where no token has an advantage; `tokens` (count), the weights that make means over completions
    ///         means over tokens
    public Loss loss(Tensor value) {
        Tensor lengths = rollout.lengths();
        Tensor none = advantages.ne(0).sum(1).eq(0);
        return Loss.of(value)
                .with("loss", rollout.means(losses))
                .with("advantage", rollout.means(advantages))
                .with("advantage/zero", none.to(lengths.dtype()))
                .with("ratio", rollout.means(ratios))
                .with("clip/share", rollout.means(clipped))
                .with("kl/old", rollout.means(rollout.logRatios().neg()))
                .with("entropy", rollout.means(rollout.logProbs().neg()))
                .with("tokens", lengths);
    }

    private static Surrogate within(
            Rollout rollout, Tensor logRatios, Tensor advantages, double clipLow, double clipHigh, double cap) {
        Require.sameShape("logRatios", logRatios, "logProbs", rollout.logProbs());
        Tensor a = perToken(rollout, advantages);
        Tensor ratios = logRatios.detach().exp();
        Tensor held = Elementwise.clampMax(ratios, 1 + clipHigh)
                .whereElse(a.ge(0), Elementwise.clamp(ratios, 1 - clipLow, cap));
        Tensor acts = a.ne(0);
        Tensor free = held.eq(ratios).and(acts);
        // Selected before the exponential: where that overflows, its gradient times 0 is NaN.
        Tensor used = logRatios.whereElse(free, 0).exp().whereElse(free, held);
        return new Surrogate(
                rollout, a, ratios, acts.and(free.not()), used.times(a).neg().whereElse(acts, 0));
    }

    private static void requireClip(double clipLow, double clipHigh) {
        Require.from("clipLow", clipLow, 0, Double.POSITIVE_INFINITY);
        Require.from("clipHigh", clipHigh, 0, Double.POSITIVE_INFINITY);
    }

    private static Tensor perToken(Rollout rollout, Tensor advantages) {
        Tensor logProbs = rollout.logProbs();
        Tensor a = advantages.detach().to(logProbs.dtype());
        if (a.dim() == 1) {
            Require.sameShape("advantages", a, "completions", logProbs.select(1, 0));
            a = a.unsqueeze(1).expand(logProbs.shape());
        }
        Require.sameShape("advantages", a, "logProbs", logProbs);
        return a.whereElse(rollout.mask(), 0);
    }
}
