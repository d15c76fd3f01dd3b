package dev.kedge.objective.conformance;

import dev.kedge.objective.Loss;
import dev.kedge.objective.demonstration.BehaviorCloning;
import dev.kedge.objective.demonstration.FiniteHorizon;
import dev.kedge.objective.demonstration.UcbviEnt;
import dev.kedge.objective.preference.BradleyTerry;
import dev.kedge.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/// Cases of demonstration-regularized RL (arXiv:2310.17303): values, cloning, rewards from preferences, bounds.
final class DemoRegRlCases {
    private DemoRegRlCases() {}

    static Optional<Map<String, Object>> outputs(Case c) {
        return c.hasParams("kind") ? outputs(c.text("kind"), c) : Optional.empty();
    }

    private static Optional<Map<String, Object>> outputs(String kind, Case c) {
        return switch (kind) {
            case "regularised_dp" -> Optional.of(values(c));
            case "behaviour_cloning" -> Optional.of(cloning(c));
            case "bt_nll" -> Optional.of(preferences(c));
            case "ucbvi_ent_plus_backup" -> Optional.of(bounds(c));
            default -> Optional.empty();
        };
    }

    private static Map<String, Object> values(Case c) {
        var process = new FiniteHorizon(c.tensor("r"), c.tensor("P"));
        Tensor logRef = c.tensor("ref").log();
        var solution = process.regularised(logRef, c.number("lambda"));
        Tensor policy = solution.logPolicy().exp();
        Map<String, Object> outputs = new LinkedHashMap<>();
        outputs.put("Q", solution.q());
        outputs.put("V", solution.v());
        outputs.put("policy", policy);
        outputs.put("unregularised_value_of_policy", start(c, process.valuesOf(policy)));
        outputs.put("kl_traj", start(c, process.trajectoryKl(solution.logPolicy(), logRef)));
        outputs.put("V_ref", start(c, process.valuesOf(c.tensor("ref"))));
        outputs.put("V_star_unregularised", start(c, process.optimal()));
        return outputs;
    }

    private static Map<String, Object> cloning(Case c) {
        Tensor expert = c.tensor("expert");
        Tensor pairs = c.longs("trajectories_state_action");
        Tensor counts = BehaviorCloning.counts(pairs.select(2, 0), pairs.select(2, 1), expert.size(1), expert.size(2));
        Tensor policy = BehaviorCloning.policy(counts, c.number("alpha"));
        var process = new FiniteHorizon(expert.zerosLike(), c.tensor("P"));
        return Map.of(
                "counts", counts,
                "policy_bc", policy,
                "kl_traj_expert_bc", start(c, process.trajectoryKl(expert.log(), policy.log())));
    }

    private static Map<String, Object> preferences(Case c) {
        Tensor features = c.tensor("features_tau0_tau1");
        Tensor theta = c.tensor("theta").requiresGrad();
        Tensor returns = features.matmul(theta);
        long pairs = features.size(0);
        Loss loss =
                BradleyTerry.nll(returns.select(1, 0), returns.select(1, 1), c.tensor("label_tau1_preferred"), pairs);
        Tensor sum = loss.value().times(pairs);
        sum.backward();
        return Map.of("nll", sum, "grad_theta", theta.grad());
    }

    private static Map<String, Object> bounds(Case c) {
        var model = new FiniteHorizon(c.tensor("r"), c.tensor("P_hat"));
        var clip = c.params().path("clip");
        var bounds = UcbviEnt.backup(
                model,
                UcbviEnt.fixed(c.tensor("bonus")),
                c.tensor("ref").log(),
                c.number("lambda"),
                Case.toDouble(clip.get(0)),
                Case.toDouble(clip.get(1)));
        Map<String, Object> outputs = new LinkedHashMap<>();
        outputs.put("Q_upper", bounds.upperQ());
        outputs.put("Q_lower", bounds.lowerQ());
        outputs.put("V_upper", bounds.upperV());
        outputs.put("V_lower", bounds.lowerV());
        outputs.put("policy_upper", bounds.logPolicy().exp());
        outputs.put("exploration_action", bounds.explorationAction());
        return outputs;
    }

    private static Tensor start(Case c, Tensor values) {
        return values.select(0, 0).select(0, (long) c.number("start_state"));
    }
}
