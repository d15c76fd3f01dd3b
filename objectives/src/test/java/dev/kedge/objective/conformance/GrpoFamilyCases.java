package dev.kedge.objective.conformance;

import dev.kedge.objective.Loss;
import dev.kedge.objective.divergence.SampledKl;
import dev.kedge.objective.policy.Aggregation;
import dev.kedge.objective.policy.GroupRelative;
import dev.kedge.objective.policy.LeaveOneOut;
import dev.kedge.objective.policy.LogRatios;
import dev.kedge.objective.policy.Rollout;
import dev.kedge.objective.policy.Surrogate;
import dev.kedge.objective.policy.Ttrl;
import dev.kedge.tensor.Elementwise;
import dev.kedge.tensor.Tensor;
import java.util.Map;
import java.util.Optional;

/// Cases of the group-relative policy gradient family: clipped losses, advantages, KL penalties, the vote.
final class GrpoFamilyCases {
    private GrpoFamilyCases() {}

    static Optional<Map<String, Object>> outputs(Case c) {
        if (c.hasInputs("logp", "ref_logp") && c.hasParams("estimator")) {
            return Optional.of(klPenalty(c));
        }
        if (c.hasInputs("logp", "old_logp", "mask", "advantages")) {
            return Optional.of(clippedLoss(c));
        }
        if (c.hasInputs("rewards", "question")) {
            return Optional.of(advantages(c));
        }
        if (c.hasInputs("answers")) {
            return Optional.of(vote(c));
        }
        return Optional.empty();
    }

    private static Map<String, Object> clippedLoss(Case c) {
        Tensor logProbs = c.tensor("logp").requiresGrad();
        Rollout rollout = new Rollout(logProbs, c.tensor("old_logp"), c.mask("mask"));
        Tensor logRatios =
                switch (c.text("kind")) {
                    case "ppo" -> LogRatios.tokens(rollout);
                    case "gspo" ->
                        Elementwise.clampMax(LogRatios.sequences(rollout), 10); // a cap of the code, not of the paper
                    case String other -> throw new IllegalArgumentException("no kind " + other);
                };
        var surrogate = Surrogate.clipped(
                rollout, logRatios, c.tensor("advantages"), c.number("clip_low"), c.number("clip_high"));
        Loss loss = surrogate.loss(aggregate(c, surrogate.losses(), rollout.mask()));
        loss.value().backward();
        return Map.of(
                "loss", loss.value(),
                "grad_logp", logProbs.grad(),
                "clip_fraction", tokenMean(loss, "clip/share"),
                "approx_kl_k1", tokenMean(loss, "kl/old"));
    }

    private static Tensor aggregate(Case c, Tensor losses, Tensor mask) {
        long rows = losses.size(0);
        return switch (c.params().path("loss_agg").asText("seq-mean-token-mean")) {
            case "token-mean" -> Aggregation.perToken(losses, mask, tokens(mask));
            case "seq-mean-token-mean" -> Aggregation.perSequence(losses, mask, rows);
            case "seq-mean-token-sum" -> Aggregation.sequenceSum(losses, mask, rows);
            // The sum over the whole batch by the padded width alone: a mean over one completion.
            case "seq-mean-token-sum-norm" ->
                Aggregation.constantLength(losses, mask, losses.size(1), rows).times(rows);
            case String other -> throw new IllegalArgumentException("no aggregation " + other);
        };
    }

    /// At least 1: a batch without tokens has the mean 0.
    static long tokens(Tensor mask) {
        return Math.max(1, (long) mask.sum().item());
    }

    /// Means of completions, weighted with their tokens.
    static Tensor tokenMean(Loss loss, String metric) {
        Tensor tokens = loss.metric("tokens");
        return loss.metric(metric).times(tokens).sum().div(Elementwise.clampMin(tokens.sum(), 1));
    }

    private static Map<String, Object> advantages(Case c) {
        double[] rewards = c.tensor("rewards").toDoubles();
        double[] advantages = new double[rewards.length];
        Groups.of(c.longs("question").toLongs()).values().forEach(rows -> {
            double[] group = Groups.pick(rewards, rows);
            double[] relative = group.length == 1 ? alone(c, group[0]) : relative(c, Tensor.of(group, 1, group.length));
            for (int i = 0; i < rows.length; i++) {
                advantages[rows[i]] = relative[i];
            }
        });
        return Map.of("advantages", advantages);
    }

    private static boolean normalizes(Case c) {
        return c.params().path("norm_adv_by_std_in_grpo").asBoolean(true);
    }

    private static double[] relative(Case c, Tensor group) {
        return switch (c.text("kind")) {
            case "grpo" ->
                (normalizes(c) ? GroupRelative.normalized(group, c.number("epsilon")) : GroupRelative.centred(group))
                        .toDoubles();
            case "rloo" -> LeaveOneOut.advantages(group).toDoubles();
            case String other -> throw new IllegalArgumentException("no kind " + other);
        };
    }

    /// A completion without others, which the code takes against a mean of 0 and a std of 1, and we refuse.
    private static double[] alone(Case c, double reward) {
        boolean divides = c.text("kind").equals("grpo") && normalizes(c);
        return new double[] {divides ? reward / (1 + c.number("epsilon")) : reward};
    }

    private static Map<String, Object> vote(Case c) {
        var vote = Ttrl.vote(c.texts("answers").stream().map(Optional::of).toList());
        return Map.of(
                "majority", vote.majority().orElseThrow(),
                "majority_ratio", vote.share(),
                "rewards", vote.rewards());
    }

    private static Map<String, Object> klPenalty(Case c) {
        Tensor logProbs = c.tensor("logp").requiresGrad();
        Tensor penalty = clamp(c, estimate(c.text("estimator"), logProbs, c.tensor("ref_logp")));
        penalty.sum().backward();
        return Map.of("value", penalty.detach(), "grad_logp", logProbs.grad());
    }

    private static Tensor estimate(String estimator, Tensor logProbs, Tensor refLogProbs) {
        return switch (estimator) {
            case "kl" -> SampledKl.k1(logProbs, refLogProbs);
            case "abs" -> SampledKl.k1(logProbs, refLogProbs).abs();
            case "mse" -> SampledKl.k2(logProbs, refLogProbs);
            case "low_var_kl" -> SampledKl.k3(logProbs, refLogProbs);
            default -> throw new IllegalArgumentException("no estimator " + estimator);
        };
    }

    private static Tensor clamp(Case c, Tensor penalty) {
        if (!c.params().hasNonNull("clamp")) {
            return penalty;
        }
        var bounds = c.params().get("clamp");
        return Elementwise.clamp(penalty, Case.toDouble(bounds.get(0)), Case.toDouble(bounds.get(1)));
    }
}
