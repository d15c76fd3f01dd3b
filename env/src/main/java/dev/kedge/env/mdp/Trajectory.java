package dev.kedge.env.mdp;

import java.util.List;
import java.util.random.RandomGenerator;

/// What happened, step by step. Equal generators draw equal trajectories.
///
/// @param states  s_t: `[T]`
/// @param actions a_t: `[T]`
/// @param rewards r(s_t, a_t): `[T]`
public record Trajectory(int[] states, int[] actions, double[] rewards) {
    /// So many steps of a process that goes on for ever.
    public static Trajectory sample(Mdp mdp, MdpPolicy policy, int steps, RandomGenerator random) {
        policy.requireShape(mdp.states(), mdp.actions());
        var drawn = new Trajectory(new int[steps], new int[steps], new double[steps]);
        drawn.fill(mdp.start(), random, _ -> mdp.transitions(), _ -> policy, _ -> mdp.reward());
        return drawn;
    }

    /// A trajectory that goes on after each step with probability `discount`. Its [#total] is an unbiased estimate of
    /// the discounted return, and its last step is a draw from the discounted occupancy measure.
    public static Trajectory geometric(Mdp mdp, MdpPolicy policy, RandomGenerator random) {
        int steps = 1;
        while (random.nextDouble() < mdp.discount()) {
            steps++;
        }
        return sample(mdp, policy, steps, random);
    }

    /// All stages of a process.
    ///
    /// @param policies of each stage: `[H]`
    public static Trajectory sample(FiniteHorizonMdp mdp, List<MdpPolicy> policies, RandomGenerator random) {
        BackwardInduction.requireStages(mdp, policies);
        int steps = mdp.horizon();
        var drawn = new Trajectory(new int[steps], new int[steps], new double[steps]);
        drawn.fill(mdp.start(), random, mdp.transitions()::get, policies::get, h -> mdp.reward()[h]);
        return drawn;
    }

    private interface At<T> {
        T step(int t);
    }

    private void fill(
            double[] start,
            RandomGenerator random,
            At<Transitions> kernel,
            At<MdpPolicy> policy,
            At<double[][]> reward) {
        int state = draw(start, random);
        for (int t = 0; t < states.length; t++) {
            states[t] = state;
            actions[t] = action(policy.step(t), state, random);
            rewards[t] = reward.step(t)[state][actions[t]];
            state = successor(kernel.step(t), state, actions[t], random);
        }
    }

    /// `Σ r_t`.
    public double total() {
        double sum = 0;
        for (double r : rewards) {
            sum += r;
        }
        return sum;
    }

    /// An action of a policy, drawn.
    public static int action(MdpPolicy policy, int state, RandomGenerator random) {
        double left = random.nextDouble();
        int last = -1;
        for (int a = 0; a < policy.actions(); a++) {
            double p = policy.probability(state, a);
            if (p > 0) {
                last = a;
                left -= p;
                if (left < 0) {
                    break;
                }
            }
        }
        return last;
    }

    /// A successor, drawn.
    public static int successor(Transitions transitions, int state, int action, RandomGenerator random) {
        int row = state * transitions.actions() + action;
        double left = random.nextDouble();
        int last = -1;
        for (int i = transitions.offsets()[row]; i < transitions.offsets()[row + 1]; i++) {
            if (transitions.probabilities()[i] > 0) {
                last = transitions.successors()[i];
                left -= transitions.probabilities()[i];
                if (left < 0) {
                    break;
                }
            }
        }
        return last;
    }

    /// A state of a distribution, drawn.
    static int draw(double[] p, RandomGenerator random) {
        double left = random.nextDouble();
        int last = -1;
        for (int s = 0; s < p.length; s++) {
            if (p[s] > 0) {
                last = s;
                left -= p[s];
                if (left < 0) {
                    break;
                }
            }
        }
        return last;
    }
}
