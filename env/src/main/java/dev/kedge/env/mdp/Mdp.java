package dev.kedge.env.mdp;

import java.util.Arrays;

/// A Markov decision process that goes on for ever and discounts: `V(s) = E[Σ_t discount^t·r(s_t, a_t) | s_0 = s]`.
///
/// A state that cannot be reached from the start is allowed. It has a value and a policy as every other, and no part
/// in returns and occupancies; [Reachability] lists such states.
///
/// @param transitions the kernel: S states, A actions
/// @param reward      r(s,a), or its expectation, finite: `[S][A]`
/// @param start       the distribution of the first state: `[S]`
/// @param discount    in [0, 1)
public record Mdp(Transitions transitions, double[][] reward, double[] start, double discount) {
    /// @throws IllegalArgumentException naming the state (and action), if an argument is out of range or of another
    ///                                  shape
    public Mdp {
        if (!(discount >= 0 && discount < 1)) {
            throw new IllegalArgumentException("discount must be in [0, 1), was " + discount);
        }
        reward = copyOfRewards(reward, transitions, "");
        start = copyOfStart(start, transitions.states());
    }

    static double[][] copyOfRewards(double[][] reward, Transitions transitions, String where) {
        if (reward.length != transitions.states()) {
            throw new IllegalArgumentException(
                    where + "rewards of " + reward.length + " states in a process of " + transitions.states());
        }
        for (int s = 0; s < reward.length; s++) {
            if (reward[s].length != transitions.actions()) {
                throw new IllegalArgumentException(where + "state " + s + ": rewards of " + reward[s].length
                        + " actions in a process of " + transitions.actions());
            }
            for (int a = 0; a < reward[s].length; a++) {
                if (!Double.isFinite(reward[s][a])) {
                    throw new IllegalArgumentException(
                            where + Transitions.at(s, a) + ": the reward must be finite, was " + reward[s][a]);
                }
            }
        }
        return Arrays.stream(reward).map(double[]::clone).toArray(double[][]::new);
    }

    static double[] copyOfStart(double[] start, int states) {
        if (start.length != states) {
            throw new IllegalArgumentException(
                    "a start distribution over " + start.length + " states in a process of " + states);
        }
        for (int s = 0; s < states; s++) {
            if (!(start[s] >= 0)) {
                throw new IllegalArgumentException(
                        "state " + s + ": the start probability must be >= 0, was " + start[s]);
            }
        }
        return MdpPolicy.normalised(start, "the start distribution");
    }

    /// The distribution that starts in one state.
    public static double[] startAt(int state, int states) {
        if (state < 0 || state >= states) {
            throw new IllegalArgumentException("states are from 0 to " + (states - 1) + ", was " + state);
        }
        double[] start = new double[states];
        start[state] = 1;
        return start;
    }

    /// One state, one decision: discount 0, so that the value of a policy is its expected reward.
    ///
    /// @param rewards of the actions
    public static Mdp bandit(double... rewards) {
        var loop = Transitions.of(1, rewards.length, (_, _, row) -> row.add(0, 1));
        return new Mdp(loop, new double[][] {rewards}, new double[] {1}, 0);
    }

    /// S.
    public int states() {
        return transitions.states();
    }

    /// A.
    public int actions() {
        return transitions.actions();
    }

    /// The same process with other rewards, `[S][A]`.
    public Mdp withReward(double[][] other) {
        return new Mdp(transitions, other, start, discount);
    }

    /// `J = (1 - discount)·Σ start(s)·V(s)`: the mean of what a step brings under the occupancy measure.
    ///
    /// @param values of the states: `[S]`
    public double normalisedReturn(double[] values) {
        return (1 - discount) * expectedValue(start, values);
    }

    static double expectedValue(double[] start, double[] values) {
        double sum = 0;
        for (int s = 0; s < start.length; s++) {
            sum += start[s] == 0 ? 0 : start[s] * values[s];
        }
        return sum;
    }

    /// `Q(s,a) = r(s,a) + discount·Σ P(s'|s,a)·V(s')`: `[S][A]`.
    public double[][] actionValues(double[] values) {
        double[][] q = new double[states()][];
        Arrays.setAll(q, s -> actionValues(s, values, new double[actions()]));
        return q;
    }

    double[] actionValues(int state, double[] values, double[] q) {
        for (int a = 0; a < q.length; a++) {
            q[a] = reward[state][a] + discount * transitions.expectation(state, a, values);
        }
        return q;
    }
}
