package dev.kedge.objective.conformance;

import dev.kedge.objective.Loss;
import dev.kedge.objective.policy.GroupRelative;
import dev.kedge.objective.policy.Gtpo;
import dev.kedge.objective.policy.Rollout;
import dev.kedge.tensor.Tensor;
import java.util.Map;
import java.util.Optional;

/// Cases of GTPO (arXiv:2508.03772): the completions to one prompt.
final class GtpoCases {
    private GtpoCases() {}

    static Optional<Map<String, Object>> outputs(Case c) {
        return c.hasInputs("token_ids", "mask", "logits", "rewards") ? Optional.of(onePrompt(c)) : Optional.empty();
    }

    private static Map<String, Object> onePrompt(Case c) {
        Tensor logits = c.tensor("logits").requiresGrad();
        Tensor tokens = c.longs("token_ids");
        Tensor mask = c.mask("mask");
        long group = tokens.size(0);
        Tensor advantages = GroupRelative.centred(c.tensor("rewards").unsqueeze(0));
        Tensor entropies = Gtpo.meanEntropies(logits, mask);
        var conflicts = Gtpo.conflicts(tokens, mask, advantages, c.number("w_pos"));
        Tensor shaped =
                Gtpo.shaped(advantages.reshape(-1), entropies, c.number("ent_scale"), c.number("ent_threshold"));
        var rollout = Rollout.ofLogits(logits, tokens, tokens.to(logits.dtype()), mask)
                .onPolicy();
        Loss loss = Gtpo.gtpo(rollout, shaped, conflicts, group);
        Tensor sum = loss.value().times(group); // over the completions, where ours is their mean
        sum.backward();
        return Map.of(
                "advantage", advantages.reshape(-1),
                "mean_entropy", entropies,
                "lambda_weights", conflicts.weights(),
                "n_conflict", conflicts.counts(),
                "shaped_advantage", shaped,
                "loss_per_completion", loss.metric("loss"),
                "loss_sum", sum,
                "grad_logits", logits.grad());
    }
}
