package dev.kedge.objective.conformance;

import dev.kedge.objective.Loss;
import dev.kedge.objective.policy.Topr;
import dev.kedge.objective.preference.SequenceLogProbs;
import dev.kedge.tensor.Tensor;
import java.util.Map;
import java.util.Optional;

/// Cases of TOPR (arXiv:2503.14286): answers token by token, ratios truncated to any intervals.
final class ToprCases {
    private ToprCases() {}

    static Optional<Map<String, Object>> outputs(Case c) {
        if (!c.hasInputs("logp", "behaviour_logp", "mask", "rewards") || !c.hasParams("a_pos", "a_neg")) {
            return Optional.empty();
        }
        Tensor tokens = c.tensor("logp").requiresGrad();
        Loss loss = loss(c, tokens);
        loss.value().backward();
        return Optional.of(Map.of("weights", loss.metric("weight"), "loss", loss.value(), "grad_logp", tokens.grad()));
    }

    private static Loss loss(Case c, Tensor tokens) {
        Tensor mask = c.mask("mask");
        Tensor logProbs = SequenceLogProbs.sum(tokens, mask);
        Tensor behaviour = SequenceLogProbs.sum(c.tensor("behaviour_logp"), mask);
        Tensor advantages = c.tensor("rewards").minus(c.number("baseline", 0));
        var truncation = new Topr.Truncation(
                c.number("a_pos"),
                c.number("b_pos", Double.POSITIVE_INFINITY),
                c.number("a_neg"),
                c.number("b_neg", Double.POSITIVE_INFINITY));
        long answers = logProbs.size(0);
        return c.params().path("length_norm").asBoolean()
                ? Topr.lengthNormalized(
                        logProbs, behaviour, advantages, SequenceLogProbs.lengths(mask), truncation, answers)
                : Topr.truncated(logProbs, behaviour, advantages, truncation, answers);
    }
}
