package dev.kedge.objective.conformance;

import dev.kedge.objective.Loss;
import dev.kedge.objective.divergence.ReverseKl;
import dev.kedge.objective.selection.BestOfN;
import dev.kedge.objective.selection.Calibration;
import dev.kedge.objective.selection.InfAlign;
import dev.kedge.objective.selection.QuantileTransform;
import dev.kedge.objective.variational.EvidenceBound;
import dev.kedge.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/// Cases of InfAlign (arXiv:2412.19792): calibration, the optimum of a transform and its win rates, gradients.
final class InfAlignCases {
    private InfAlignCases() {}

    static Optional<Map<String, Object>> outputs(Case c) {
        return c.hasParams("kind") ? outputs(c.text("kind"), c) : Optional.empty();
    }

    private static Optional<Map<String, Object>> outputs(String kind, Case c) {
        return switch (kind) {
            case "calibrate_exact" ->
                Optional.of(Map.of("C", Calibration.exact(c.tensor("pi_ref"), c.tensor("reward"))));
            case "calibrate_empirical" ->
                Optional.of(Map.of("C", Calibration.empirical(c.tensor("base_rewards"), c.tensor("rewards"))));
            case "discrete_optimum" -> Optional.of(optimum(c));
            case "objective_grad" -> Optional.of(gradient(c));
            case "iapo_derivative" -> Optional.of(derivative(c));
            default -> Optional.empty();
        };
    }

    private static Map<String, Object> optimum(Case c) {
        double beta = c.number("beta");
        Tensor base = c.tensor("pi_ref");
        Tensor reward = c.tensor("reward");
        Tensor phi = transform(c).apply(Calibration.exact(base, reward));
        Tensor logPolicy = EvidenceBound.logPosterior(base.log(), phi, beta);
        Tensor policy = logPolicy.exp();
        Map<String, Object> outputs = new LinkedHashMap<>();
        outputs.put("phi", phi);
        outputs.put("pi", policy);
        outputs.put("kl", new ReverseKl().categorical(logPolicy, base.log()));
        outputs.put("objective", EvidenceBound.objective(logPolicy, base.log(), phi, beta));
        outputs.put("win_standard", BestOfN.winRate(policy, reward, base, reward));
        for (int n : new int[] {2, 4}) {
            outputs.put(
                    "win_bon" + n,
                    BestOfN.winRate(BestOfN.best(n, policy, reward), reward, BestOfN.best(n, base, reward), reward));
            outputs.put(
                    "win_won" + n,
                    BestOfN.winRate(BestOfN.worst(n, policy, reward), reward, BestOfN.worst(n, base, reward), reward));
        }
        return outputs;
    }

    private static Map<String, Object> gradient(Case c) {
        Tensor logits = c.tensor("logits").requiresGrad();
        Loss loss = InfAlign.ctrl(
                logits.logSoftmax(0).unsqueeze(0),
                c.tensor("pi_ref").log().unsqueeze(0),
                c.tensor("C").unsqueeze(0),
                transform(c),
                c.number("beta"),
                1);
        loss.value().neg().backward();
        return Map.of("objective", loss.metric("objective").squeeze(0), "grad_logits", logits.grad());
    }

    private static Map<String, Object> derivative(Case c) {
        int draws = (int) c.number("N");
        Tensor policy = c.tensor("pi").requiresGrad();
        Tensor reward = c.tensor("reward");
        Tensor base = BestOfN.best(draws, c.tensor("pi_ref"), reward);
        Tensor winRate = BestOfN.winRate(BestOfN.best(draws, policy, reward), reward, base, reward);
        winRate.backward();
        return Map.of("W", winRate, "dW_dpi", policy.grad());
    }

    private static QuantileTransform transform(Case c) {
        return switch (c.text("transform")) {
            case "identity" -> new QuantileTransform.Identity();
            case "exp(10u)" -> new QuantileTransform.Exponential(10, 1);
            case "exp(10u)/1000" -> new QuantileTransform.Exponential(10, 1000);
            case "-exp(-10u)" -> new QuantileTransform.NegativeExponential(10);
            case String other -> throw new IllegalArgumentException("no transform " + other);
        };
    }
}
