package dev.kedge.objective.conformance;

import dev.kedge.objective.Loss;
import dev.kedge.objective.preference.PreferenceLogProbs;
import dev.kedge.objective.preference.Xpo;
import dev.kedge.tensor.Tensor;
import java.util.Map;
import java.util.Optional;

/// Cases of XPO (arXiv:2405.21046): a policy sample and a reference sample for each prompt, token by token.
final class XpoCases {
    private XpoCases() {}

    static Optional<Map<String, Object>> outputs(Case c) {
        if (!c.hasInputs("policy_logp_tokens_on_policy_sample", "policy_sample_is_chosen")) {
            return Optional.empty();
        }
        Tensor onPolicySample = c.tensor("policy_logp_tokens_on_policy_sample").requiresGrad();
        Tensor onRefSample = c.tensor("policy_logp_tokens_on_ref_sample").requiresGrad();
        Tensor policySampleIsChosen = c.mask("policy_sample_is_chosen");
        // Padding holds 0 already, and the cases ask for its gradient too: a plain sum.
        var lp = PreferenceLogProbs.judged(
                onPolicySample.sum(1),
                onRefSample.sum(1),
                c.tensor("ref_logp_tokens_on_policy_sample").sum(1),
                c.tensor("ref_logp_tokens_on_ref_sample").sum(1),
                policySampleIsChosen);
        Loss loss = loss(c, lp, policySampleIsChosen);
        loss.value().backward();
        return Optional.of(Map.of(
                "loss", loss.value(),
                "pref_losses", loss.metric("loss"),
                "bonus_terms", loss.metric("bonus"),
                "grad_policy_logp_tokens_on_policy_sample", onPolicySample.grad(),
                "grad_policy_logp_tokens_on_ref_sample", onRefSample.grad()));
    }

    private static Loss loss(Case c, PreferenceLogProbs lp, Tensor policySampleIsChosen) {
        double alpha = c.number("alpha");
        double beta = c.number("beta");
        return switch (c.text("pref_loss")) {
            case "sigmoid" -> Xpo.xpo(lp, policySampleIsChosen, alpha, beta, lp.pairs());
            case "ipo" -> Xpo.ipo(lp, policySampleIsChosen, alpha, beta, lp.pairs());
            case String other -> throw new IllegalArgumentException("no preference loss " + other);
        };
    }
}
