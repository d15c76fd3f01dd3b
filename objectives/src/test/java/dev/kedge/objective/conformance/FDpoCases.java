package dev.kedge.objective.conformance;

import dev.kedge.objective.Loss;
import dev.kedge.objective.divergence.AlphaDivergence;
import dev.kedge.objective.divergence.BarrierDivergence;
import dev.kedge.objective.divergence.ForwardKl;
import dev.kedge.objective.divergence.JensenShannon;
import dev.kedge.objective.divergence.ReverseKl;
import dev.kedge.objective.preference.FDpo;
import dev.kedge.objective.preference.PreferenceLogProbs;
import dev.kedge.objective.preference.SequenceLogProbs;
import dev.kedge.tensor.Tensor;
import java.util.Map;
import java.util.Optional;

/// Cases of f-DPO (arXiv:2309.16240): the loss of pairs, and log-probabilities of answers.
final class FDpoCases {
    private FDpoCases() {}

    static Optional<Map<String, Object>> outputs(Case c) {
        if (c.hasInputs("policy_chosen_logps", "policy_rejected_logps", "ref_chosen_logps", "ref_rejected_logps")) {
            return Optional.of(pairLoss(c));
        }
        if (c.hasInputs("logits", "labels")) {
            return Optional.of(sequenceLogProbs(c));
        }
        return Optional.empty();
    }

    private static Map<String, Object> pairLoss(Case c) {
        Tensor chosen = c.tensor("policy_chosen_logps").requiresGrad();
        Tensor rejected = c.tensor("policy_rejected_logps").requiresGrad();
        var lp = new PreferenceLogProbs(chosen, rejected, c.tensor("ref_chosen_logps"), c.tensor("ref_rejected_logps"));
        Loss loss = FDpo.fDpo(lp, divergence(c), c.number("beta"), lp.pairs());
        loss.value().backward();
        return Map.of(
                "losses", loss.metric("loss"),
                "loss_mean", loss.value(),
                "chosen_rewards", loss.metric("reward/chosen"),
                "rejected_rewards", loss.metric("reward/rejected"),
                "grad_policy_chosen_logps", chosen.grad(),
                "grad_policy_rejected_logps", rejected.grad());
    }

    private static BarrierDivergence divergence(Case c) {
        return switch (c.text("divergence")) {
            case "reverse_kl" -> new ReverseKl();
            case "forward_kl" -> new ForwardKl();
            case "jsd" -> new JensenShannon();
            case "alpha" -> new AlphaDivergence(c.number("alpha"));
            case String other -> throw new IllegalArgumentException("no divergence " + other);
        };
    }

    private static Map<String, Object> sequenceLogProbs(Case c) {
        long ignoreLabel = (long) c.number("ignore_label", -100);
        return Map.of("sequence_logps", SequenceLogProbs.ofLogits(c.tensor("logits"), c.longs("labels"), ignoreLabel));
    }
}
