package dev.kedge.objective.preference;

import dev.kedge.objective.Loss;
import dev.kedge.tensor.Functional;
import dev.kedge.tensor.Require;
import dev.kedge.tensor.Tensor;

/// Rewards learned from preferences by maximum likelihood in the model of Bradley and Terry (1952): a pair's second
/// member is preferred with probability `σ(r_2 - r_1)`.
public final class BradleyTerry {
    private BradleyTerry() {}

    /// `-(1/pairsInStep) Σ [o·log σ(d) + (1 - o)·log σ(-d)]`, `d = second - first`.
    ///
    /// @param first           rewards of the first members, such as returns of trajectories, `[B]`; gradient flows.
    ///                        `second` likewise
    /// @param secondPreferred o, 1 where the second is preferred, 0 where the first, or a probability, a constant,
    ///                        `[B]`
    /// @param pairsInStep     pairs in the whole optimizer step, at least B
    /// @return the loss; metrics `[B]`: `loss`, and `margin`, which is d
    /// @throws IllegalArgumentException if shapes differ or the denominator is too small
    public static Loss nll(Tensor first, Tensor second, Tensor secondPreferred, long pairsInStep) {
        Require.dims("first", first, 1, "[B]");
        Require.sameShape("second", second, "first", first);
        Require.sameShape("secondPreferred", secondPreferred, "first", first);
        Require.denominator("pairsInStep", pairsInStep, first.size(0));
        Tensor d = second.minus(first);
        // -log σ(d) + (1 - o)·d, as log σ(-d) = log σ(d) - d; the softplus of a large margin has no overflow.
        Tensor losses = Functional.softplus(d.neg())
                .plus(d.times(secondPreferred.detach().neg().plus(1)));
        return Loss.of(losses.sum().div(pairsInStep)).with("loss", losses).with("margin", d);
    }
}
