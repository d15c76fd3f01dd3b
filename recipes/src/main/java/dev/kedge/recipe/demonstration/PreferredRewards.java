package dev.kedge.recipe.demonstration;

import dev.kedge.env.mdp.FiniteHorizonMdp;
import dev.kedge.env.mdp.MdpPolicy;
import dev.kedge.env.mdp.Trajectory;
import dev.kedge.objective.preference.BradleyTerry;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;

/// Rewards learnt from preferences between trajectories (arXiv:2310.17303): the likeliest ones in [0, 1], where
/// `P(second preferred) = σ(r(second) - r(first))` and a trajectory's reward is the sum over its stages.
public final class PreferredRewards {
    private static final int STEPS = 400;

    private PreferredRewards() {}

    /// Two trajectories, one label.
    public record Pair(Trajectory first, Trajectory second, boolean secondPreferred) {}

    /// Pairs of trajectories that a policy draws, labelled by the true rewards.
    public static List<Pair> pairs(
            FiniteHorizonMdp environment, List<MdpPolicy> policies, int count, RandomGenerator random) {
        List<Pair> pairs = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            Trajectory first = Trajectory.sample(environment, policies, random);
            Trajectory second = Trajectory.sample(environment, policies, random);
            double p = 1 / (1 + Math.exp(first.total() - second.total()));
            pairs.add(new Pair(first, second, random.nextDouble() < p));
        }
        return pairs;
    }

    /// The estimate, `[H][S][A]`, by accelerated projected gradient descent. Where no pair tells anything it stays at
    /// `unseen`: many estimates are equally likely, and this is the one near that.
    ///
    /// @param unseen in [0, 1]
    public static double[][][] fit(FiniteHorizonMdp environment, List<Pair> pairs, double unseen) {
        int horizon = environment.horizon();
        int states = environment.states();
        int actions = environment.actions();
        int cells = horizon * states * actions;
        double[] reward = new double[cells];
        Arrays.fill(reward, unseen);
        if (pairs.isEmpty()) {
            return unflattened(reward, horizon, states, actions);
        }
        try (Scope _ = new Scope()) {
            Tensor first = visited(pairs.stream().map(Pair::first).toList(), states, actions, cells);
            Tensor second = visited(pairs.stream().map(Pair::second).toList(), states, actions, cells);
            Tensor preferred = Tensor.of(
                    pairs.stream().mapToDouble(p -> p.secondPreferred ? 1 : 0).toArray());
            // Of the mean over pairs: σ'(d) is at most 1/4, and two trajectories differ in at most 2H cells.
            double step = 4 / (2.0 * horizon);
            double[] before = reward;
            for (int i = 0; i < STEPS; i++) {
                double momentum = i / (i + 3.0);
                double[] now = reward;
                double[] last = before;
                double[] ahead = new double[cells];
                Arrays.setAll(ahead, j -> now[j] + momentum * (now[j] - last[j]));
                double[] slope;
                try (Scope _ = new Scope()) {
                    Tensor r = Tensor.of(ahead).requiresGrad();
                    BradleyTerry.nll(first.matmul(r), second.matmul(r), preferred, pairs.size())
                            .value()
                            .backward();
                    slope = r.grad().toDoubles();
                }
                before = reward;
                double[] next = new double[cells];
                Arrays.setAll(next, j -> Math.clamp(ahead[j] - step * slope[j], 0, 1));
                reward = next;
            }
        }
        return unflattened(reward, horizon, states, actions);
    }

    /// The cells that each trajectory went through: `[N, H·S·A]`.
    private static Tensor visited(List<Trajectory> trajectories, int states, int actions, int cells) {
        double[] visited = new double[trajectories.size() * cells];
        for (int i = 0; i < trajectories.size(); i++) {
            Trajectory t = trajectories.get(i);
            for (int h = 0; h < t.states().length; h++) {
                visited[i * cells + (h * states + t.states()[h]) * actions + t.actions()[h]] = 1;
            }
        }
        return Tensor.of(visited, trajectories.size(), cells);
    }

    private static double[][][] unflattened(double[] values, int horizon, int states, int actions) {
        double[][][] reward = new double[horizon][states][actions];
        for (int i = 0; i < values.length; i++) {
            reward[i / (states * actions)][i / actions % states][i % actions] = values[i];
        }
        return reward;
    }
}
