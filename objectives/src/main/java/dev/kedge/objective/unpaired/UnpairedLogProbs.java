package dev.kedge.objective.unpaired;

import dev.kedge.objective.Loss;
import dev.kedge.tensor.Require;
import dev.kedge.tensor.Tensor;

/// Log-probabilities of single answers, each summed over the answer's tokens, and their labels: nats, shape `[B]`.
///
/// @param policy    `log π(y|x)`; gradient flows
/// @param reference `log π_ref(y|x)`, a constant whatever graph it carries
/// @param desirable boolean: true where the answer is desirable, false where it is not
public record UnpairedLogProbs(Tensor policy, Tensor reference, Tensor desirable) {
    /// @throws IllegalArgumentException if the three are not vectors of one length, or desirable is not boolean
    public UnpairedLogProbs {
        Require.dims("policy", policy, 1, "[B]");
        Require.sameShape("reference", reference, "policy", policy);
        Require.mask("desirable", desirable, "policy", policy);
    }

    /// `beta·log π(y|x)/π_ref(y|x)`, `[B]`; gradient flows.
    public Tensor rewards(double beta) {
        return policy.minus(reference.detach()).times(beta);
    }

    /// `x` where the answer is desirable and `-x` where it is not, `[B]`.
    Tensor signed(Tensor x) {
        return x.whereElse(desirable, x.neg());
    }

    /// `Σ losses / answersInStep`, with what every objective of single answers reports.
    ///
    /// @return the loss; metrics `[B]`: `loss`, and `reward/desirable` and `reward/undesirable`, 0 at answers
    ///         of the other label, so that their sums belong over the counts of `desirable`, 1 or 0, and of its
    ///         opposite
    /// @throws IllegalArgumentException if answersInStep is less than B
    Loss loss(Tensor losses, Tensor rewards, long answersInStep) {
        Require.denominator("answersInStep", answersInStep, policy.size(0));
        return Loss.of(losses.sum().div(answersInStep))
                .with("loss", losses)
                .with("reward/desirable", rewards.whereElse(desirable, 0))
                .with("reward/undesirable", rewards.whereElse(desirable.not(), 0))
                .with("desirable", desirable.to(policy.dtype()));
    }
}
