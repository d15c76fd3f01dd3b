package dev.kedge.recipe.demonstration;

import dev.kedge.config.Kind;
import dev.kedge.env.mdp.FiniteHorizonMdp;
import dev.kedge.env.mdp.Gridworld;
import dev.kedge.env.mdp.LowRank;
import dev.kedge.env.mdp.Mdp;
import dev.kedge.env.mdp.RidgeVisits;
import java.util.Arrays;
import java.util.List;

/// A decision process of H stages as a recipe names it, small enough to be solved exactly. Rewards are in [0, 1].
public sealed interface FiniteEnvironment {
    /// H.
    int horizon();

    /// The process.
    FiniteHorizonMdp process();

    /// What a linear method is told of states and actions: `[S][A][d]`. One-hot unless the environment has
    /// features of its own.
    default double[][][] features() {
        FiniteHorizonMdp process = process();
        return RidgeVisits.oneHot(process.states(), process.actions());
    }

    /// [dev.kedge.env.mdp.RiverSwim]: a chain against the stream.
    ///
    /// @param success the probability that a stroke against the stream succeeds, in [0, 1]
    /// @param near    reward at the near end, in [0, 1]; `far` at the far end
    @Kind("river_swim")
    record RiverSwim(int states, int horizon, double success, double near, double far) implements FiniteEnvironment {
        public RiverSwim {
            if (states < 2) {
                throw new IllegalArgumentException("a river has at least 2 states, was " + states);
            }
            requireHorizon(horizon);
            requireShare("success", success);
            requireShare("near", near);
            requireShare("far", far);
        }

        @Override
        public FiniteHorizonMdp process() {
            return dev.kedge.env.mdp.RiverSwim.mdp(states, horizon, success, near, far);
        }
    }

    /// [dev.kedge.env.mdp.Garnet]: random kernel and rewards, the same in every stage, from state 0.
    ///
    /// @param branching successors of each state and action, from 1 to `states`
    /// @param seed      of the process
    @Kind("garnet")
    record Garnet(int states, int actions, int branching, int horizon, long seed) implements FiniteEnvironment {
        public Garnet {
            if (states < 1 || actions < 1 || branching < 1 || branching > states) {
                throw new IllegalArgumentException(
                        "states and actions of at least 1 and a branching from 1 to the states expected, were " + states
                                + ", " + actions + " and " + branching);
            }
            requireHorizon(horizon);
        }

        @Override
        public FiniteHorizonMdp process() {
            return FiniteHorizonMdp.stationary(
                    dev.kedge.env.mdp.Garnet.transitions(states, actions, branching, seed),
                    dev.kedge.env.mdp.Garnet.rewards(states, actions, seed),
                    Mdp.startAt(0, states),
                    horizon);
        }
    }

    /// A walk on a map from `S`; every step that begins on `G` brings 1, and who is there may stay by walking into a
    /// wall or by the map's edge.
    ///
    /// @param map  rows from top to bottom, `#` a wall, one `S`, at least one `G`
    /// @param slip the probability of a uniformly random move instead of the one chosen, in [0, 1]
    @Kind("grid")
    record Grid(List<String> map, int horizon, double slip) implements FiniteEnvironment {
        public Grid {
            Gridworld grid = new Gridworld(map);
            if (grid.cells('S').length != 1 || grid.cells('G').length < 1) {
                throw new IllegalArgumentException("a map with one S and at least one G expected, were "
                        + grid.cells('S').length + " and " + grid.cells('G').length);
            }
            requireHorizon(horizon);
            requireShare("slip", slip);
        }

        @Override
        public FiniteHorizonMdp process() {
            Gridworld grid = new Gridworld(map);
            int[][] states = grid.states();
            double[][] reward = new double[grid.cells().length][Gridworld.ACTIONS];
            for (int[] goal : grid.cells('G')) {
                Arrays.fill(reward[states[goal[0]][goal[1]]], 1);
            }
            int[] start = grid.cells('S')[0];
            return FiniteHorizonMdp.stationary(
                    grid.transitions(slip), reward, Mdp.startAt(states[start[0]][start[1]], reward.length), horizon);
        }
    }

    /// [dev.kedge.env.mdp.LowRank]: a random process that is linear in features of its own.
    ///
    /// @param rank how many features there are, d
    /// @param seed of the process
    @Kind("linear")
    record Linear(int states, int actions, int rank, int horizon, long seed) implements FiniteEnvironment {
        public Linear {
            if (states < 1 || actions < 1 || rank < 1) {
                throw new IllegalArgumentException("states, actions and rank of at least 1 expected, were " + states
                        + ", " + actions + " and " + rank);
            }
            requireHorizon(horizon);
        }

        @Override
        public FiniteHorizonMdp process() {
            return LowRank.random(states, actions, rank, horizon, seed).mdp();
        }

        @Override
        public double[][][] features() {
            return LowRank.random(states, actions, rank, horizon, seed).features();
        }
    }

    private static void requireHorizon(int horizon) {
        if (horizon < 1) {
            throw new IllegalArgumentException("horizon must be at least 1, was " + horizon);
        }
    }

    private static void requireShare(String name, double value) {
        if (!(value >= 0 && value <= 1)) {
            throw new IllegalArgumentException(name + " must be from 0 to 1, was " + value);
        }
    }
}
