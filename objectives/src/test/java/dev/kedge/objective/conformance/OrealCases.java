package dev.kedge.objective.conformance;

import dev.kedge.objective.Loss;
import dev.kedge.objective.divergence.SampledKl;
import dev.kedge.objective.policy.GroupRelative;
import dev.kedge.objective.policy.LeaveOneOut;
import dev.kedge.objective.policy.Oreal;
import dev.kedge.objective.policy.TokenRewardModel;
import dev.kedge.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.BinaryOperator;

/// Cases of OREAL (arXiv:2502.06781): the three terms of the policy's loss, and the token reward model's.
final class OrealCases {
    private OrealCases() {}

    static Optional<Map<String, Object>> outputs(Case c) {
        boolean scored = is(c, "token_rm");
        if (!c.hasInputs("logp", "ref_logp", "mask", "rewards")
                || !c.hasParams("group_size", "reward_shaping_type")
                || (scored && !is(c, "threshold_rescale") && !is(c, "topk_rescale"))) {
            return Optional.empty();
        }
        Map<String, Object> outputs = policy(c);
        if (scored) {
            Tensor scores = c.tensor("rm_scores").requiresGrad();
            Loss loss = TokenRewardModel.loss(scores, c.mask("mask"), correct(c), scores.size(0));
            loss.value().backward();
            outputs.put("rm_loss", loss.value());
            outputs.put("grad_rm_scores", scores.grad());
        }
        return Optional.of(outputs);
    }

    private static Map<String, Object> policy(Case c) {
        double positive = c.number("positive_loss_factor");
        double negative = c.number("negative_loss_factor");
        double kl = c.number("kl_coef");
        Tensor logProbs = c.tensor("logp").requiresGrad();
        Tensor advantages = advantages(c);
        var answers = new Oreal.Answers(logProbs, c.tensor("ref_logp"), c.mask("mask"), correct(c), advantages);
        Tensor value = value(c, answers, new Oreal.Strengths(positive, negative, kl));
        value.backward();
        Map<String, Object> outputs = new LinkedHashMap<>();
        outputs.put("advantages", advantages);
        outputs.put("positive_loss", value(c, answers, new Oreal.Strengths(positive, 0, 0)));
        outputs.put("negative_loss", value(c, answers, new Oreal.Strengths(0, negative, 0)));
        outputs.put("kl_loss", value(c, answers, new Oreal.Strengths(0, 0, kl)));
        outputs.put("policy_loss", value);
        outputs.put("grad_logp", logProbs.grad());
        return outputs;
    }

    private static Tensor value(Case c, Oreal.Answers answers, Oreal.Strengths strengths) {
        Tensor correct = answers.mask().and(answers.correct().unsqueeze(1));
        long n = (long) correct.sum().item();
        var tokens = new Oreal.StepTokens(n, (long) answers.mask().sum().item() - n);
        Loss loss = is(c, "pos_mult_adv")
                ? Oreal.oreal(answers, weights(c, answers), strengths, estimator(c), tokens)
                : Oreal.plainCloning(answers, weights(c, answers), strengths, estimator(c), tokens);
        return loss.value();
    }

    private static Tensor correct(Case c) {
        return c.tensor("rewards").gt(0);
    }

    private static Tensor advantages(Case c) {
        Tensor rewards = c.tensor("rewards").reshape(-1, (long) c.number("group_size"));
        Tensor grouped =
                switch (c.text("reward_shaping_type")) {
                    case "rloo" -> LeaveOneOut.advantages(rewards);
                    case "grpo" -> GroupRelative.normalized(rewards, 1e-8);
                    case String other -> throw new IllegalArgumentException("no reward shaping " + other);
                };
        return grouped.reshape(-1);
    }

    private static TokenRewardModel.Weights weights(Case c, Oreal.Answers answers) {
        if (!is(c, "token_rm")) {
            return TokenRewardModel.Weights.ones(answers.logProbs());
        }
        return is(c, "threshold_rescale")
                ? TokenRewardModel.aboveThreshold(
                        c.tensor("rm_scores"),
                        answers.mask(),
                        c.number("correct_threshold"),
                        c.number("incorrect_threshold"))
                : TokenRewardModel.largest(
                        c.tensor("rm_scores"),
                        answers.mask(),
                        c.number("correct_topk_ratio"),
                        c.number("incorrect_topk_ratio"));
    }

    private static BinaryOperator<Tensor> estimator(Case c) {
        return switch (c.params().path("kl_type").asText("unbias")) {
            case "unbias" -> SampledKl::k3;
            case "kl" -> (logP, logRef) -> SampledKl.k1(logRef, logP);
            case "mse" -> SampledKl::k2;
            case String other -> throw new IllegalArgumentException("no kind of KL " + other);
        };
    }

    private static boolean is(Case c, String param) {
        return c.params().path(param).asBoolean();
    }
}
