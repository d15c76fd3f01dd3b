package dev.kedge.objective.preference;

import dev.kedge.tensor.Require;
import dev.kedge.tensor.Tensor;

/// How far the policy has moved from an anchor at each candidate of a set, over a temperature: `u = (log π(y|x) -
/// log anchor(y|x))/tau` (arXiv:2510.18913).
///
/// Over a set of candidates `softmax(u)` is the policy measured against its anchor. A constant added to all
/// log-probabilities of a set, under either model, does not change it, so neither need be normalised over the set.
/// An answer without tokens has log-probability 0 under both, so `u = 0`; equal answers have equal u.
///
/// @param values u, dimensionless, `[S, P]`: S sets of P candidates; gradient flows
public record AnchoredLogits(Tensor values) {
    /// @throws IllegalArgumentException if values is not `[S, P]` with at least 2 candidates
    public AnchoredLogits {
        requireSets("values", values);
    }

    /// At one temperature.
    ///
    /// @param policy `log π(y|x)`, nats, summed over the tokens of each candidate, `[S, P]`; gradient flows
    /// @param anchor likewise under the anchor, a constant whatever graph it carries
    /// @param tau    temperature, 1/beta of [Dpo]: dimensionless, finite and > 0. Where the loss is least `π ~
    ///               anchor·q^tau`: a small tau ends near the anchor, though its gradient, 1/tau, is large
    /// @throws IllegalArgumentException if shapes do not fit, P < 2, or tau is out of range
    public static AnchoredLogits of(Tensor policy, Tensor anchor, double tau) {
        Require.positive("tau", tau);
        return new AnchoredLogits(logRatio(policy, anchor).div(tau));
    }

    /// At a temperature of each set, as [AdpoTemperature] gives it.
    ///
    /// @param policy as above
    /// @param anchor as above
    /// @param tau    `[S]`, > 0 (not checked, since that would wait for the device), a constant whatever graph it
    ///               carries
    /// @throws IllegalArgumentException if shapes do not fit, or P < 2
    public static AnchoredLogits of(Tensor policy, Tensor anchor, Tensor tau) {
        Tensor logRatio = logRatio(policy, anchor);
        Require.sameShape("tau", tau, "one candidate of each set", logRatio.select(1, 0));
        return new AnchoredLogits(logRatio.div(tau.detach().unsqueeze(1)));
    }

    /// Against an anchor that finds all candidates equally probable: `u = log π(y|x)/tau`.
    ///
    /// @param policy as in [#of]
    /// @param tau    as in [#of]
    public static AnchoredLogits unanchored(Tensor policy, double tau) {
        Require.positive("tau", tau);
        return new AnchoredLogits(policy.div(tau));
    }

    /// S.
    public long sets() {
        return values.size(0);
    }

    /// P.
    public long candidates() {
        return values.size(1);
    }

    private static Tensor logRatio(Tensor policy, Tensor anchor) {
        requireSets("policy", policy);
        Require.sameShape("anchor", anchor, "policy", policy);
        return policy.minus(anchor.detach());
    }

    static void requireSets(String name, Tensor tensor) {
        Require.dims(name, tensor, 2, "[S, P]");
        if (tensor.size(1) < 2) {
            throw new IllegalArgumentException(
                    name + " must be [S, P] with at least 2 candidates in a set, was of P = " + tensor.size(1));
        }
    }
}
