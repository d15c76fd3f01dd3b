package dev.kedge.objective.conformance;

import dev.kedge.objective.divergence.SampledKl;
import dev.kedge.tensor.Tensor;
import java.util.Map;
import java.util.Optional;

/// Cases of the group-relative policy gradient family: its KL penalties.
final class GrpoFamilyCases {
    private GrpoFamilyCases() {}

    static Optional<Map<String, Object>> outputs(Case c) {
        if (c.hasInputs("logp", "ref_logp") && c.hasParams("estimator")) {
            return Optional.of(klPenalty(c));
        }
        return Optional.empty();
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
        return penalty.clamp(Case.toDouble(bounds.get(0)), Case.toDouble(bounds.get(1)));
    }
}
