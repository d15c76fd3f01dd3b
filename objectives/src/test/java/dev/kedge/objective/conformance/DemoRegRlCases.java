package dev.kedge.objective.conformance;

import dev.kedge.env.mdp.BackwardInduction;
import dev.kedge.env.mdp.FiniteHorizonMdp;
import dev.kedge.env.mdp.Mdp;
import dev.kedge.env.mdp.Policy;
import dev.kedge.env.mdp.Regularizer;
import dev.kedge.env.mdp.Transitions;
import dev.kedge.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/// Cases of demonstration-regularised RL (arXiv:2310.17303): planning against a reference, and behaviour cloning.
final class DemoRegRlCases {
    private DemoRegRlCases() {}

    static Optional<Map<String, Object>> outputs(Case c) {
        if (c.hasInputs("r", "P", "ref") && c.hasParams("lambda", "start_state")) {
            return Optional.of(planning(c));
        }
        if (c.hasInputs("trajectories_state_action", "expert", "P") && c.hasParams("alpha", "start_state")) {
            return Optional.of(cloning(c));
        }
        return Optional.empty();
    }

    private static Map<String, Object> planning(Case c) {
        FiniteHorizonMdp mdp = process(c, stages(c, "r"));
        List<Policy> ref = policies(c, "ref");
        var soft = BackwardInduction.optimal(mdp, ref, new Regularizer.Kl(c.number("lambda")));
        double[][] values = new double[mdp.horizon()][];
        System.arraycopy(soft.values(), 0, values, 0, values.length);
        return Map.of(
                "Q", tensor(soft.actionValues()),
                "V", Tensor.of(values),
                "policy", probabilities(soft.policies()),
                "unregularised_value_of_policy", value(mdp, BackwardInduction.evaluate(mdp, soft.policies())),
                "kl_traj", BackwardInduction.trajectoryKl(mdp, soft.policies(), ref),
                "V_ref", value(mdp, BackwardInduction.evaluate(mdp, ref)),
                "V_star_unregularised", value(mdp, BackwardInduction.optimal(mdp)));
    }

    private static Map<String, Object> cloning(Case c) {
        List<Policy> expert = policies(c, "expert");
        int states = expert.getFirst().states();
        int actions = expert.getFirst().actions();
        double[][][] counts = new double[expert.size()][states][actions];
        for (double[][] trajectory : stages(c, "trajectories_state_action")) {
            for (int h = 0; h < trajectory.length; h++) {
                counts[h][(int) trajectory[h][0]][(int) trajectory[h][1]]++;
            }
        }
        List<Policy> cloned = IntStream.range(0, counts.length)
                .mapToObj(h -> Policy.cloned(counts[h], c.number("alpha")))
                .toList();
        FiniteHorizonMdp mdp = process(c, new double[counts.length][states][actions]);
        return Map.of(
                "counts", tensor(counts),
                "policy_bc", probabilities(cloned),
                "kl_traj_expert_bc", BackwardInduction.trajectoryKl(mdp, expert, cloned));
    }

    private static FiniteHorizonMdp process(Case c, double[][][] reward) {
        double[] start = Mdp.startAt((int) c.number("start_state"), reward[0].length);
        return new FiniteHorizonMdp(kernels(c, reward.length), reward, start);
    }

    private static double value(FiniteHorizonMdp mdp, BackwardInduction.Solution solution) {
        return mdp.expectedReturn(solution.values()[0]);
    }

    private static Tensor probabilities(List<Policy> policies) {
        return tensor(policies.stream().map(Policy::probabilities).toArray(double[][][]::new));
    }

    private static List<Policy> policies(Case c, String input) {
        return Arrays.stream(stages(c, input)).map(Policy::of).toList();
    }

    /// An input [H][S][A].
    private static double[][][] stages(Case c, String input) {
        Tensor tensor = c.tensor(input);
        double[][] parts = cut(tensor.toDoubles(), (int) (tensor.size(1) * tensor.size(2)));
        return Arrays.stream(parts).map(part -> cut(part, (int) tensor.size(2))).toArray(double[][][]::new);
    }

    /// `P`, [H][S][A][S].
    private static List<Transitions> kernels(Case c, int horizon) {
        Tensor tensor = c.tensor("P");
        int states = (int) tensor.size(-1);
        int actions = (int) tensor.size(-2);
        double[] all = tensor.toDoubles();
        return Arrays.stream(cut(all, all.length / horizon))
                .map(stage -> Transitions.dense(Arrays.stream(cut(stage, actions * states))
                        .map(part -> cut(part, states))
                        .toArray(double[][][]::new)))
                .toList();
    }

    private static double[][] cut(double[] all, int length) {
        double[][] parts = new double[all.length / length][];
        Arrays.setAll(parts, i -> Arrays.copyOfRange(all, i * length, (i + 1) * length));
        return parts;
    }

    private static Tensor tensor(double[][][] stages) {
        double[] all = Arrays.stream(stages)
                .flatMap(Arrays::stream)
                .flatMapToDouble(Arrays::stream)
                .toArray();
        return Tensor.of(all, stages.length, stages[0].length, stages[0][0].length);
    }
}
