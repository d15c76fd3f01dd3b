package dev.kedge.env.mdp;

/// A chain to be swum against the stream: a little reward for staying at the near end, a large one for swimming on at
/// the far end. Action 0 goes left and always succeeds; action 1 goes right, and where it fails the stream carries the
/// swimmer one state to the left.
public final class RiverSwim {
    public static final int LEFT = 0;
    public static final int RIGHT = 1;

    private RiverSwim() {}

    /// A swim of H stages from the left end.
    ///
    /// @param states  the chain's length, > 1
    /// @param success the probability that going right succeeds
    /// @param near    reward of going left in the leftmost state
    /// @param far     reward of going right in the rightmost state, whether it succeeds or not
    public static FiniteHorizonMdp mdp(int states, int horizon, double success, double near, double far) {
        var stream = Transitions.of(states, 2, (s, a, row) -> {
            row.add(Math.max(0, s - 1), a == LEFT ? 1 : 1 - success);
            row.add(Math.min(states - 1, s + 1), a == LEFT ? 0 : success);
        });
        double[][] reward = new double[states][2];
        reward[0][LEFT] = near;
        reward[states - 1][RIGHT] = far;
        return FiniteHorizonMdp.stationary(stream, reward, Mdp.startAt(0, states), horizon);
    }
}
