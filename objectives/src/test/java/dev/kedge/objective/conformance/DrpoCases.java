package dev.kedge.objective.conformance;

import dev.kedge.objective.divergence.SampledKl;
import dev.kedge.objective.policy.Drpo;
import dev.kedge.objective.policy.Rollout;
import dev.kedge.tensor.Tensor;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import java.util.function.BinaryOperator;

/// Cases of DRPO (arXiv:2510.04474): questions of any size, each a part of the step.
final class DrpoCases {
    private DrpoCases() {}

    static Optional<Map<String, Object>> outputs(Case c) {
        return c.hasInputs("logp", "old_logp", "mask", "question", "rewards")
                ? Optional.of(oneStep(c))
                : Optional.empty();
    }

    private static Map<String, Object> oneStep(Case c) {
        Tensor logProbs = c.tensor("logp").requiresGrad();
        Tensor mask = c.mask("mask");
        var step = new Rollout(logProbs, c.tensor("old_logp"), mask);
        Collection<int[]> questions = Groups.of(c.longs("question").toLongs()).values();
        Tensor loss = Tensor.scalarOf(0);
        double surrogate = 0;
        double[] weights = new double[(int) mask.size(0)];
        for (int[] rows : questions) {
            Part part = part(c, step, rows, questions.size());
            loss = loss.plus(part.loss);
            surrogate += part.surrogate;
            for (int i = 0; i < rows.length; i++) {
                weights[rows[i]] = part.weights[i];
            }
        }
        long tokens = GrpoFamilyCases.tokens(mask);
        double kl = Drpo.trustRegion(step, estimator(c), 1, tokens).value().item();
        double strength = Drpo.strength(kl, c.number("beta"), c.number("delta"));
        Tensor region = Drpo.trustRegion(step, estimator(c), strength, tokens).value();
        Tensor whole = loss.plus(region);
        whole.backward();
        return Map.of(
                "grad_logp",
                logProbs.grad(),
                "kl",
                kl,
                "surrogate_loss_value",
                surrogate + region.item(),
                "positive_weights",
                weights,
                "objective_J",
                loss.neg(),
                "true_loss_value",
                whole);
    }

    /// One question's share: the loss, the scalar that the code has in its place, and the weights of its answers.
    private record Part(Tensor loss, double surrogate, double[] weights) {}

    private static Part part(Case c, Rollout step, int[] rows, long questions) {
        Tensor index = Tensor.of(rows, rows.length);
        Tensor rewards = c.tensor("rewards").indexSelect(0, index).unsqueeze(0);
        var rollout = new Rollout(
                step.logProbs().indexSelect(0, index),
                step.oldLogProbs().indexSelect(0, index),
                step.mask().indexSelect(0, index));
        long longest = (long) c.number("max_response_length");
        double lambda = c.number("lambda");
        double tau = c.number("tau");
        Tensor loss =
                Drpo.drpo(rollout, rewards, longest, lambda, tau, questions).value();
        Tensor weights = Drpo.positiveWeights(rewards, rollout.lengths().unsqueeze(0), longest, lambda);
        double raised = weights.times(rollout.means(rollout.logProbs())).sum().item();
        // The code has tau, a constant, in place of the negative part, where there are answers of both kinds.
        return new Part(loss, weights.anyTrue() ? (tau - raised) / questions : 0, weights.toDoubles());
    }

    private static BinaryOperator<Tensor> estimator(Case c) {
        return switch (c.text("kl_type")) {
            case "kl" -> SampledKl::k1;
            case "low_var_kl" -> SampledKl::k3;
            case String other -> throw new IllegalArgumentException("no kl_type " + other);
        };
    }
}
