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
        Tensor old = c.tensor("old_logp");
        Tensor mask = c.mask("mask");
        Tensor rewards = c.tensor("rewards");
        long longest = (long) c.number("max_response_length");
        Collection<int[]> questions = Groups.of(c.longs("question").toLongs()).values();
        Tensor loss = Tensor.scalarOf(0);
        double surrogate = 0;
        double[] allWeights = new double[(int) rewards.size(0)];
        for (int[] rows : questions) {
            Tensor index = Tensor.of(rows, rows.length);
            Tensor r = rewards.indexSelect(0, index).unsqueeze(0);
            var rollout =
                    new Rollout(logProbs.indexSelect(0, index), old.indexSelect(0, index), mask.indexSelect(0, index));
            loss = loss.plus(Drpo.drpo(rollout, r, longest, c.number("lambda"), c.number("tau"), questions.size())
                    .value());
            Tensor weights = Drpo.positiveWeights(r, rollout.lengths().unsqueeze(0), longest, c.number("lambda"));
            double[] w = weights.toDoubles();
            for (int i = 0; i < rows.length; i++) {
                allWeights[rows[i]] = w[i];
            }
            Tensor raised = weights.times(rollout.means(rollout.logProbs())).sum();
            // The code's scalar: tau in place of the negative part, wherever there are answers of both kinds.
            surrogate += weights.anyTrue() ? (c.number("tau") - raised.item()) / questions.size() : 0;
        }
        var step = new Rollout(logProbs, old, mask);
        long tokens = GrpoFamilyCases.tokens(mask);
        double kl = Drpo.trustRegion(step, estimator(c), 1, tokens).value().item();
        Tensor region = Drpo.trustRegion(
                        step, estimator(c), Drpo.strength(kl, c.number("beta"), c.number("delta")), tokens)
                .value();
        double objective = -loss.item();
        loss = loss.plus(region);
        loss.backward();
        return Map.of(
                "grad_logp",
                logProbs.grad(),
                "kl",
                kl,
                "surrogate_loss_value",
                surrogate + region.item(),
                "positive_weights",
                allWeights,
                "objective_J",
                objective,
                "true_loss_value",
                loss.item());
    }

    private static BinaryOperator<Tensor> estimator(Case c) {
        return switch (c.text("kl_type")) {
            case "kl" -> SampledKl::k1;
            case "low_var_kl" -> SampledKl::k3;
            case String other -> throw new IllegalArgumentException("no kl_type " + other);
        };
    }
}
