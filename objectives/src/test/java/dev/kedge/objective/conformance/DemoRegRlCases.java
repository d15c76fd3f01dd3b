package dev.kedge.objective.conformance;

import dev.kedge.env.mdp.BackwardInduction;
import dev.kedge.env.mdp.FiniteHorizonMdp;
import dev.kedge.env.mdp.Mdp;
import dev.kedge.env.mdp.MdpPolicy;
import dev.kedge.env.mdp.OptimisticPlanning;
import dev.kedge.env.mdp.OptimisticPlanning.Estimate;
import dev.kedge.env.mdp.Regularizer;
import dev.kedge.env.mdp.Transitions;
import dev.kedge.objective.Loss;
import dev.kedge.objective.demonstration.BehaviorCloning;
import dev.kedge.objective.preference.BradleyTerry;
import dev.kedge.tensor.Tensor;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;

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
        FiniteHorizonMdp process = process(c, c.tensor("r"));
        List<MdpPolicy> ref = policies(c.tensor("ref"));
        var soft = BackwardInduction.optimal(process, ref, new Regularizer.Kl(c.number("lambda")));
        Map<String, Object> outputs = new LinkedHashMap<>();
        outputs.put("Q", soft.actionValues());
        outputs.put("V", stages(soft.values()));
        outputs.put("policy", probabilities(soft.policies()));
        outputs.put(
                "unregularised_value_of_policy", start(process, BackwardInduction.evaluate(process, soft.policies())));
        outputs.put("kl_traj", BackwardInduction.trajectoryKl(process, soft.policies(), ref));
        outputs.put("V_ref", start(process, BackwardInduction.evaluate(process, ref)));
        outputs.put("V_star_unregularised", start(process, BackwardInduction.optimal(process)));
        return outputs;
    }

    private static Map<String, Object> cloning(Case c) {
        Tensor expert = c.tensor("expert");
        Tensor pairs = c.longs("trajectories_state_action");
        Tensor counts = BehaviorCloning.counts(pairs.select(2, 0), pairs.select(2, 1), expert.size(1), expert.size(2));
        Tensor policy = BehaviorCloning.policy(counts, c.number("alpha"));
        FiniteHorizonMdp process = process(c, expert.zerosLike());
        return Map.of(
                "counts", counts,
                "policy_bc", policy,
                "kl_traj_expert_bc", BackwardInduction.trajectoryKl(process, policies(expert), policies(policy)));
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
        var clip = c.params().path("clip");
        double[][][] reward = perAction(c.tensor("r"));
        double[] high = new double[reward.length];
        Arrays.fill(high, Case.toDouble(clip.get(1)));
        var bounds = OptimisticPlanning.plan(
                new Estimate(reward, perSuccessor(c.tensor("P_hat"))),
                OptimisticPlanning.fixed(perAction(c.tensor("bonus"))),
                policies(c.tensor("ref")),
                new Regularizer.Kl(c.number("lambda")),
                Case.toDouble(clip.get(0)),
                high);
        Map<String, Object> outputs = new LinkedHashMap<>();
        outputs.put("Q_upper", bounds.upperQ());
        outputs.put("Q_lower", bounds.lowerQ());
        outputs.put("V_upper", stages(bounds.upperV()));
        outputs.put("V_lower", stages(bounds.lowerV()));
        outputs.put("policy_upper", probabilities(bounds.policies()));
        outputs.put("exploration_action", bounds.explorationAction());
        return outputs;
    }

    private static FiniteHorizonMdp process(Case c, Tensor reward) {
        double[][][][] kernel = perSuccessor(c.tensor("P"));
        return new FiniteHorizonMdp(
                Arrays.stream(kernel).map(Transitions::dense).toList(),
                perAction(reward),
                Mdp.startAt((int) c.number("start_state"), kernel[0].length));
    }

    private static List<MdpPolicy> policies(Tensor probabilities) {
        return Arrays.stream(perAction(probabilities)).map(MdpPolicy::of).toList();
    }

    private static double start(FiniteHorizonMdp process, BackwardInduction.Solution solution) {
        return process.expectedReturn(solution.values()[0]);
    }

    private static double[][][] perAction(Tensor tensor) {
        return parts(tensor)
                .map(stage -> parts(stage).map(Tensor::toDoubles).toArray(double[][]::new))
                .toArray(double[][][]::new);
    }

    private static double[][][][] perSuccessor(Tensor tensor) {
        return parts(tensor).map(DemoRegRlCases::perAction).toArray(double[][][][]::new);
    }

    private static Stream<Tensor> parts(Tensor tensor) {
        return IntStream.range(0, (int) tensor.size(0)).mapToObj(i -> tensor.select(0, i));
    }

    private static double[][][] probabilities(List<MdpPolicy> policies) {
        return policies.stream().map(MdpPolicy::probabilities).toArray(double[][][]::new);
    }

    /// Without the zeros after the last stage.
    private static double[][] stages(double[][] values) {
        return Arrays.copyOf(values, values.length - 1);
    }
}
