package dev.kedge.objective.conformance;

import dev.kedge.env.mdp.DifferentiableOccupancy;
import dev.kedge.env.mdp.ProxyBound;
import dev.kedge.objective.Loss;
import dev.kedge.objective.divergence.ChiSquared;
import dev.kedge.objective.divergence.ReverseKl;
import dev.kedge.objective.occupancy.AnswerDivergence;
import dev.kedge.objective.occupancy.Discriminator;
import dev.kedge.objective.occupancy.RootChiSquaredPenalty;
import dev.kedge.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/// Cases of correlated proxies (arXiv:2403.03185): discriminators, penalties, divergences, and the bound in an MDP.
final class CorrelatedProxiesCases {
    private CorrelatedProxiesCases() {}

    static Optional<Map<String, Object>> outputs(Case c) {
        return c.hasParams("kind") ? outputs(c.text("kind"), c) : Optional.empty();
    }

    private static Optional<Map<String, Object>> outputs(String kind, Case c) {
        return switch (kind) {
            case "kl_chi2_discriminator_loss", "tv_discriminator_loss" -> Optional.of(discriminator(kind, c));
            case "sqrt_chi2_penalty" -> penalty(c);
            case "chi2_categorical" ->
                Optional.of(Map.of("chi2", DifferentiableOccupancy.chiSquared(c.tensor("p"), c.tensor("q"))));
            case "chi2_diag_gaussian" ->
                Optional.of(Map.of(
                        "chi2",
                        new ChiSquared()
                                .gaussian(
                                        c.tensor("mean1"),
                                        c.tensor("std1").log(),
                                        c.tensor("mean2"),
                                        c.tensor("std2").log())));
            case "llm_regulariser" -> Optional.of(answers(c));
            case "tabular_bound" -> Optional.of(bound(c));
            default -> Optional.empty();
        };
    }

    private static Map<String, Object> discriminator(String kind, Case c) {
        Tensor current = c.tensor("scores_current").requiresGrad();
        Tensor reference = c.tensor("scores_reference").requiresGrad();
        Tensor d = current.reshape(-1);
        Tensor dRef = reference.reshape(-1);
        Loss loss = kind.startsWith("tv")
                ? Discriminator.totalVariation(d, dRef, d.size(0), dRef.size(0))
                : Discriminator.logistic(d, dRef, d.size(0), dRef.size(0));
        loss.value().backward();
        return Map.of("loss", loss.value(), "grad_current", current.grad(), "grad_reference", reference.grad());
    }

    private static Optional<Map<String, Object>> penalty(Case c) {
        if (!c.params().path("reward_clip").asText("none").equals("none")) {
            return Optional.empty(); // how a clipped penalty comes out is not known
        }
        var penalty = RootChiSquaredPenalty.of(c.tensor("scores_current"), c.number("trim_fraction"));
        Map<String, Object> outputs = new LinkedHashMap<>();
        outputs.put("chi2_untrimmed", penalty.untrimmed());
        outputs.put("chi2_trimmed", penalty.trimmed());
        outputs.put("penalty_per_step", penalty.perStep());
        if (c.hasInputs("rewards")) {
            outputs.put("augmented_reward", penalty.takenFrom(c.tensor("rewards"), c.number("lambda")));
        }
        return Optional.of(outputs);
    }

    private static Map<String, Object> answers(Case c) {
        Tensor logProbs = c.tensor("logp").requiresGrad();
        var divergence =
                AnswerDivergence.of(logProbs, c.tensor("ref_logp"), c.mask("mask"), c.number("log_ratio_clip"));
        double loss = 0;
        if (c.params().hasNonNull("kl_weight")) {
            Tensor value = divergence
                    .klPenalty(c.number("kl_weight"), logProbs.size(0))
                    .value();
            value.backward();
            loss += value.item();
        }
        if (c.params().hasNonNull("sqrt_chi2_weight")) {
            // The graph is walked once, so the second penalty has its own.
            Tensor value = AnswerDivergence.of(
                            logProbs, c.tensor("ref_logp"), c.mask("mask"), c.number("log_ratio_clip"))
                    .rootChiSquaredPenalty(c.number("sqrt_chi2_weight"), c.number("chi2_floor"))
                    .value();
            value.backward();
            loss += value.item();
        }
        return Map.of(
                "loss", loss,
                "grad_logp", logProbs.grad(),
                "kl", divergence.kl().mean(),
                "chi2", divergence.chiSquared().mean());
    }

    private static Map<String, Object> bound(Case c) {
        Tensor policy = c.tensor("pi");
        Tensor ref = c.tensor("ref");
        Tensor truth = c.tensor("true_reward");
        Tensor proxy = c.tensor("proxy_reward");
        Tensor measure = DifferentiableOccupancy.measure(c.tensor("P"), c.tensor("mu0"), policy, c.number("gamma"));
        Tensor refMeasure = DifferentiableOccupancy.measure(c.tensor("P"), c.tensor("mu0"), ref, c.number("gamma"));
        ProxyBound bound = ProxyBound.of(measure, refMeasure, truth, proxy);
        var kl = new ReverseKl();
        Map<String, Object> outputs = new LinkedHashMap<>();
        outputs.put("occ_ref", refMeasure);
        outputs.put("occ_pi", measure);
        outputs.put("J_true_pi", DifferentiableOccupancy.expected(measure, truth));
        outputs.put("J_true_ref", DifferentiableOccupancy.expected(refMeasure, truth));
        outputs.put("J_proxy_pi", DifferentiableOccupancy.expected(measure, proxy));
        outputs.put("J_proxy_ref", DifferentiableOccupancy.expected(refMeasure, proxy));
        outputs.put("sigma_true", bound.sigmaTrue());
        outputs.put("sigma_proxy", bound.sigmaProxy());
        outputs.put("correlation", bound.correlation());
        outputs.put("chi2_om", bound.chiSquared());
        outputs.put(
                "kl_om",
                kl.categorical(measure.reshape(-1).log(), refMeasure.reshape(-1).log()));
        outputs.put(
                "kl_action_expected",
                measure.sum(1).times(kl.categorical(policy.log(), ref.log())).sum());
        outputs.put("lambda_star", bound.lambda());
        outputs.put("bound_lhs", bound.gain());
        outputs.put("bound_rhs", bound.bound());
        outputs.put(
                "objective",
                ProxyBound.objective(measure, refMeasure, proxy, bound.lambda().item()));
        return outputs;
    }
}
