package dev.kedge.env.mdp;

import java.util.Collections;
import java.util.List;

/// A Markov decision process of H stages: `V_h(s) = E[Σ_{h' >= h} r_h'(s_h', a_h') | s_h = s]`, not discounted. Kernel
/// and rewards may differ from stage to stage, and so do optimal policies: a policy is a list of H of them.
///
/// A state that cannot be reached from the start is allowed; see [Mdp].
///
/// @param transitions the kernel of each stage, all with S states and A actions: `[H]`
/// @param reward      r_h(s,a), finite: `[H][S][A]`
/// @param start       the distribution of the first state: `[S]`
public record FiniteHorizonMdp(List<Transitions> transitions, double[][][] reward, double[] start) {
    /// @throws IllegalArgumentException naming stage, state and action, if an argument is out of range or of another
    ///                                  shape
    public FiniteHorizonMdp {
        transitions = List.copyOf(transitions);
        if (transitions.isEmpty() || reward.length != transitions.size()) {
            throw new IllegalArgumentException("kernels and rewards of the same number of stages > 0 expected, were "
                    + transitions.size() + " and " + reward.length);
        }
        reward = reward.clone();
        Transitions first = transitions.getFirst();
        for (int h = 0; h < reward.length; h++) {
            Transitions stage = transitions.get(h);
            if (stage.states() != first.states() || stage.actions() != first.actions()) {
                throw new IllegalArgumentException("stage " + h + ": " + stage.states() + " states and "
                        + stage.actions() + " actions, stage 0 has " + first.states() + " and " + first.actions());
            }
            reward[h] = Mdp.copyOfRewards(reward[h], stage, "stage " + h + ", ");
        }
        start = Mdp.copyOfStart(start, first.states());
    }

    /// The same kernel and rewards in every stage.
    ///
    /// @param reward `[S][A]`
    public static FiniteHorizonMdp stationary(Transitions transitions, double[][] reward, double[] start, int horizon) {
        return new FiniteHorizonMdp(
                Collections.nCopies(horizon, transitions),
                Collections.nCopies(horizon, reward).toArray(double[][][]::new),
                start);
    }

    /// One state, one decision.
    ///
    /// @param rewards of the actions
    public static FiniteHorizonMdp bandit(double... rewards) {
        Mdp bandit = Mdp.bandit(rewards);
        return stationary(bandit.transitions(), bandit.reward(), bandit.start(), 1);
    }

    /// H.
    public int horizon() {
        return reward.length;
    }

    /// S.
    public int states() {
        return transitions.getFirst().states();
    }

    /// A.
    public int actions() {
        return transitions.getFirst().actions();
    }

    /// `Σ start(s)·V_0(s)`.
    ///
    /// @param values of the states at the first stage: `[S]`
    public double expectedReturn(double[] values) {
        return Mdp.expectedValue(start, values);
    }
}
