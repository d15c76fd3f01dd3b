package dev.kedge.objective.conformance;

import dev.kedge.objective.Loss;
import dev.kedge.objective.preference.Hypo;
import dev.kedge.objective.preference.OnlineLogProbs;
import dev.kedge.objective.preference.PreferenceLogProbs;
import dev.kedge.tensor.Tensor;
import java.util.Map;
import java.util.Optional;

/// Cases of HyPO (arXiv:2406.01462): offline pairs and online answers.
final class HypoCases {
    private HypoCases() {}

    static Optional<Map<String, Object>> outputs(Case c) {
        if (!c.hasInputs("policy_w", "policy_l", "ref_w", "ref_l", "policy_online", "ref_online")) {
            return Optional.empty();
        }
        Tensor w = c.tensor("policy_w").requiresGrad();
        Tensor l = c.tensor("policy_l").requiresGrad();
        Tensor sampled = c.tensor("policy_online").requiresGrad();
        var lp = new PreferenceLogProbs(w, l, c.tensor("ref_w"), c.tensor("ref_l"));
        Loss loss = loss(c, lp, new OnlineLogProbs(sampled, c.tensor("ref_online")));
        loss.value().backward();
        return Optional.of(Map.of(
                "dpo_losses", loss.metric("loss"),
                "dpo_loss_mean", loss.metric("loss").mean(),
                "online_kl_estimate", loss.metric("online/kl").mean(),
                "kl_advantages", loss.metric("online/advantage"),
                "surrogate_loss", loss.value(),
                "grad_policy_w", w.grad(),
                "grad_policy_l", l.grad(),
                "grad_policy_online", sampled.grad()));
    }

    private static Loss loss(Case c, PreferenceLogProbs lp, OnlineLogProbs online) {
        double beta = c.number("beta");
        double lambda = c.number("lambda");
        return switch (c.text("baseline")) {
            case "none" -> Hypo.hypo(lp, online, beta, lambda, lp.pairs(), online.samples());
            case "rloo" -> Hypo.leaveOneOut(lp, online, beta, lambda, lp.pairs(), online.samples());
            case String other -> throw new IllegalArgumentException("no baseline " + other);
        };
    }
}
