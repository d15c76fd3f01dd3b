package dev.kedge.objective.conformance;

import dev.kedge.objective.Loss;
import dev.kedge.objective.guidance.AutoregressiveReward;
import dev.kedge.objective.guidance.GuidedDecoding;
import dev.kedge.objective.preference.SequenceLogProbs;
import dev.kedge.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Cases of GenARM (arXiv:2410.08193): the loss of the reward model, guided decoding, and its reach.
final class GenArmCases {
    private GenArmCases() {}

    static Optional<Map<String, Object>> outputs(Case c) {
        return c.hasParams("kind") ? outputs(c.text("kind"), c) : Optional.empty();
    }

    private static Optional<Map<String, Object>> outputs(String kind, Case c) {
        return switch (kind) {
            case "arm_loss" -> Optional.of(loss(c));
            case "decode" ->
                Optional.of(Map.of(
                        "logp",
                        GuidedDecoding.logProbs(c.tensor("logp_base"), rewards(c), c.number("temperature", 1))));
            case "expressive" -> Optional.of(reach(c));
            default -> Optional.empty();
        };
    }

    private static Map<String, Object> loss(Case c) {
        Tensor chosenLogits = c.tensor("logits_chosen").requiresGrad();
        Tensor rejectedLogits = c.tensor("logits_rejected").requiresGrad();
        Tensor chosen = sums(chosenLogits, c.longs("tokens_chosen"), c.mask("mask_chosen"));
        Tensor rejected = sums(rejectedLogits, c.longs("tokens_rejected"), c.mask("mask_rejected"));
        Loss loss = loss(c, chosen, rejected);
        loss.value().backward();
        Map<String, Object> outputs = new LinkedHashMap<>();
        outputs.put("logp_chosen", chosen);
        outputs.put("logp_rejected", rejected);
        outputs.put("losses", loss.metric("loss"));
        outputs.put("loss", loss.value());
        outputs.put("chosen_rewards", loss.metric("reward/chosen"));
        outputs.put("rejected_rewards", loss.metric("reward/rejected"));
        outputs.put("grad_logits_chosen", chosenLogits.grad());
        outputs.put("grad_logits_rejected", rejectedLogits.grad());
        return outputs;
    }

    private static Loss loss(Case c, Tensor chosen, Tensor rejected) {
        double beta = c.number("beta_r");
        double margin = c.number("gamma", 0);
        long pairs = chosen.size(0);
        return switch (c.text("loss_type")) {
            case "sigmoid" ->
                AutoregressiveReward.logistic(chosen, rejected, beta, margin, c.number("label_smoothing", 0), pairs);
            case "hinge" -> AutoregressiveReward.hinge(chosen, rejected, beta, margin, pairs);
            case String other -> throw new IllegalArgumentException("no loss " + other);
        };
    }

    /// Of logits that stand where the tokens that they score do.
    private static Tensor sums(Tensor logits, Tensor tokens, Tensor mask) {
        Tensor scored = tokens.whereElse(mask, tokens.zerosLike()).unsqueeze(2);
        Tensor logProbs = logits.whereElse(mask.unsqueeze(2), 0).logSoftmax(2);
        return SequenceLogProbs.sum(logProbs.gather(2, scored).squeeze(2), mask);
    }

    private static List<GuidedDecoding.Reward> rewards(Case c) {
        var weights = c.params().path("alphas");
        List<GuidedDecoding.Reward> rewards = new ArrayList<>();
        for (int i = 0; i < weights.size(); i++) {
            String name = c.hasInputs("logp_arm") ? "logp_arm" : "logp_arm_" + (i + 1);
            rewards.add(new GuidedDecoding.Reward(c.tensor(name), Case.toDouble(weights.get(i))));
        }
        return rewards;
    }

    private static Map<String, Object> reach(Case c) {
        double beta = c.number("beta");
        Tensor base = c.tensor("logp_base");
        Tensor arm = GuidedDecoding.rewardOf(c.tensor("logp_target"), base, beta);
        var reward = new GuidedDecoding.Reward(arm, 1 / beta);
        return Map.of("logp_arm", arm, "logp_decoded", GuidedDecoding.logProbs(base, List.of(reward), 1));
    }
}
