package dev.kedge.objective.preference;

import dev.kedge.tensor.Require;
import dev.kedge.tensor.Tensor;

/// Log-probabilities of answers just drawn from the policy, G independent ones for each of P prompts, each summed over
/// the answer's tokens, its end included: nats, `[P, G]`.
///
/// @param policy `log π(y|x)`; gradient flows
/// @param ref    `log π_ref(y|x)`, a constant whatever graph it carries
public record OnlineLogProbs(Tensor policy, Tensor ref) {
    /// @throws IllegalArgumentException if the two are not matrices of one shape
    public OnlineLogProbs {
        Require.dims("policy", policy, 2, "[P, G]");
        Require.sameShape("ref", ref, "policy", policy);
    }

    /// `log π(y|x)/π_ref(y|x)`, `[P, G]`: its mean estimates `KL(π||π_ref)` without bias.
    public Tensor logRatio() {
        return policy.minus(ref.detach());
    }

    /// How many answers, P·G.
    public long samples() {
        return policy.numel();
    }
}
