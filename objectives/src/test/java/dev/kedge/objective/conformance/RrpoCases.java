package dev.kedge.objective.conformance;

import dev.kedge.objective.Loss;
import dev.kedge.objective.preference.Rrpo;
import dev.kedge.tensor.Tensor;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;

/// Cases of RRPO (arXiv:2504.12083): the loss of pairs from the logits of both models.
final class RrpoCases {
    private static final long IGNORED = -100;

    private RrpoCases() {}

    static Optional<Map<String, Object>> outputs(Case c) {
        return c.hasInputs("policy_logits", "ref_logits", "targets", "signs") ? Optional.of(loss(c)) : Optional.empty();
    }

    private static Map<String, Object> loss(Case c) {
        Tensor logits = c.tensor("policy_logits").requiresGrad();
        Tensor signs = c.longs("signs");
        Tensor phrases = signs.narrow(1, 1, signs.size(1) - 1);
        long pairs = signs.size(0) / 2;
        Rrpo.Tokens tokens = Rrpo.Tokens.ofLogits(logits, c.tensor("ref_logits"), c.longs("targets"), IGNORED);
        Loss loss = Rrpo.rrpo(tokens, phrases, c.number("beta"), c.number("alpha"), pairs);
        loss.value().backward();
        long[] numbers = Arrays.stream(phrases.toLongs())
                .filter(k -> k > 0)
                .distinct()
                .sorted()
                .toArray();
        Tensor margins = tokens.phraseLogRatios(phrases, numbers);
        return Map.of(
                "losses", loss.metric("loss"),
                "loss_mean", loss.value(),
                "chosen_phrase_margins", margins.narrow(0, 0, pairs),
                "rejected_phrase_margins", margins.narrow(0, pairs, pairs),
                "chosen_rewards", loss.metric("reward/chosen"),
                "rejected_rewards", loss.metric("reward/rejected"),
                "chosen_kl_sum", loss.metric("kl/chosen"),
                "rejected_kl_sum", loss.metric("kl/rejected"),
                "grad_policy_logits", logits.grad());
    }
}
