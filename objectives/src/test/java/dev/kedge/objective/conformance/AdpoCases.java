package dev.kedge.objective.conformance;

import dev.kedge.objective.Loss;
import dev.kedge.objective.preference.Adpo;
import dev.kedge.objective.preference.AdpoTargets;
import dev.kedge.objective.preference.AdpoTemperature;
import dev.kedge.objective.preference.AnchoredLogits;
import dev.kedge.objective.preference.SequenceLogProbs;
import dev.kedge.tensor.Tensor;
import java.util.Map;
import java.util.Optional;

/// Cases of ADPO (arXiv:2510.18913): the online loss of blocks of answers, their advantages, and the loss of one set.
final class AdpoCases {
    private AdpoCases() {}

    static Optional<Map<String, Object>> outputs(Case c) {
        if (c.hasInputs("policy_token_logps", "anchor_token_logps", "advantages", "response_mask")) {
            return Optional.of(onlineLoss(c));
        }
        if (c.hasInputs("token_rewards", "response_mask")) {
            return Optional.of(advantages(c));
        }
        if (c.hasInputs("policy_logps", "anchor_logps", "q")) {
            return Optional.of(oneSet(c));
        }
        return Optional.empty();
    }

    private static Map<String, Object> onlineLoss(Case c) {
        Tensor logProbs = c.tensor("policy_token_logps").requiresGrad();
        Tensor anchorLogProbs = c.tensor("anchor_token_logps");
        Tensor mask = c.mask("response_mask");
        Tensor policy = sets(c, SequenceLogProbs.sum(logProbs, mask));
        Tensor anchor = sets(c, SequenceLogProbs.sum(anchorLogProbs, mask));
        Tensor targets = AdpoTargets.softmax(sets(c, c.tensor("advantages")), c.number("beta_reward"));
        boolean adaptive = c.flag("use_adaptive_tau");
        Tensor tau = adaptive
                ? adaptiveTau(c, targets)
                : targets.select(1, 0).onesLike().times(c.number("tau"));
        Loss sets = Adpo.listwise(AnchoredLogits.of(policy, anchor, tau), targets, policy.size(0));
        Loss penalty = Adpo.anchorPenalty(logProbs, anchorLogProbs, mask, c.number("beta_anchor_kl"), (long)
                mask.sum().item());
        Tensor loss = sets.value().plus(penalty.value());
        loss.backward();
        return Map.of(
                "loss",
                loss,
                "grad_policy_token_logps",
                logProbs.grad(),
                "mean_tau",
                adaptive ? tau.mean() : "none where tau is fixed");
    }

    private static Tensor adaptiveTau(Case c, Tensor targets) {
        return AdpoTemperature.fromTargetEntropy(
                targets, c.number("tau"), c.number("adaptive_tau_alpha"), c.number("adaptive_tau_min"));
    }

    private static Map<String, Object> advantages(Case c) {
        if (!c.text("scale").equals("group")) {
            throw new IllegalArgumentException("no scale " + c.text("scale"));
        }
        Tensor returns = SequenceLogProbs.sum(c.tensor("token_rewards"), c.mask("response_mask"));
        Tensor advantages = AdpoTargets.groupAdvantages(sets(c, returns));
        return Map.of("returns", returns, "advantages", advantages.reshape(-1));
    }

    private static Map<String, Object> oneSet(Case c) {
        Tensor policy = c.tensor("policy_logps").requiresGrad();
        var u = AnchoredLogits.of(policy.unsqueeze(0), c.tensor("anchor_logps").unsqueeze(0), c.number("tau"));
        Loss loss = Adpo.listwise(u, c.tensor("q").unsqueeze(0), 1);
        loss.value().backward();
        return Map.of("loss", loss.value(), "grad_policy_logps", policy.grad());
    }

    /// Consecutive rows of one context as a set.
    private static Tensor sets(Case c, Tensor rows) {
        return rows.reshape(-1, (long) c.number("num_generations"));
    }
}
