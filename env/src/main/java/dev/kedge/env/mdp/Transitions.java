package dev.kedge.env.mdp;

import java.util.Arrays;

/// The kernel `P(s'|s,a)`, sparse: row `s·A + a` holds the successors of action a in state s, at the positions from
/// `offsets[row]` to `offsets[row + 1]`.
///
/// A terminal state is one that every action leads back to, with reward 0. A row whose sum is 1 but for rounding (1e-9)
/// is divided by its sum, so that no mass is lost however long a process runs.
///
/// @param states        S, > 0
/// @param actions       A, the same in every state, > 0
/// @param offsets       where rows begin, the first is 0: `[S·A + 1]`
/// @param successors    states, those of a row in any order: `[N]`
/// @param probabilities of the successors, `>= 0`: `[N]`
public record Transitions(int states, int actions, int[] offsets, int[] successors, double[] probabilities) {
    private static final double ROUNDING = 1e-9;

    /// Says where an action leads.
    @FunctionalInterface
    public interface Kernel {
        void successors(int state, int action, Row row);
    }

    /// The row of a kernel while it is written.
    public static final class Row {
        private int[] states = new int[16];
        private double[] probabilities = new double[16];
        private int begin;
        private int end;

        /// Adds to the probability of a successor.
        public void add(int state, double probability) {
            for (int i = begin; i < end; i++) {
                if (states[i] == state) {
                    probabilities[i] += probability;
                    return;
                }
            }
            if (end == states.length) {
                states = Arrays.copyOf(states, 2 * end);
                probabilities = Arrays.copyOf(probabilities, 2 * end);
            }
            states[end] = state;
            probabilities[end++] = probability;
        }
    }

    /// @throws IllegalArgumentException naming state and action, if a probability is negative or not finite, a
    ///     successor is no state, or a row does not add up to 1; if an array has another length
    public Transitions {
        if (states < 1 || actions < 1) {
            throw new IllegalArgumentException(
                    "at least one state and one action expected, were " + states + " and " + actions);
        }
        if (offsets.length != Math.multiplyExact(states, actions) + 1
                || offsets[0] != 0
                || offsets[offsets.length - 1] != successors.length
                || successors.length != probabilities.length) {
            throw new IllegalArgumentException("offsets from 0 to the number of successors expected, one for each of "
                    + states + " x " + actions + " rows and one more, and as many probabilities; were "
                    + offsets.length + " offsets, " + successors.length + " successors and " + probabilities.length
                    + " probabilities");
        }
        offsets = offsets.clone();
        successors = successors.clone();
        probabilities = probabilities.clone();
        for (int row = 0; row < states * actions; row++) {
            normalise(states, row / actions, row % actions, offsets[row], offsets[row + 1], successors, probabilities);
        }
    }

    private static void normalise(
            int states, int state, int action, int begin, int end, int[] successors, double[] probabilities) {
        if (begin > end || begin < 0 || end > successors.length) {
            throw new IllegalArgumentException(at(state, action) + ": offsets must rise to " + successors.length
                    + ", were " + begin + " and " + end);
        }
        double sum = 0;
        for (int i = begin; i < end; i++) {
            if (successors[i] < 0 || successors[i] >= states) {
                throw new IllegalArgumentException(at(state, action) + ": successors are states from 0 to "
                        + (states - 1) + ", was " + successors[i]);
            }
            if (!(probabilities[i] >= 0 && probabilities[i] < Double.POSITIVE_INFINITY)) {
                throw new IllegalArgumentException(at(state, action) + ": the probability of state " + successors[i]
                        + " must be finite and >= 0, was " + probabilities[i]);
            }
            sum += probabilities[i];
        }
        if (!(Math.abs(sum - 1) <= ROUNDING)) {
            throw new IllegalArgumentException(
                    at(state, action) + ": the probabilities of its successors must add up to 1, added up to " + sum);
        }
        for (int i = begin; sum != 1 && i < end; i++) {
            probabilities[i] /= sum;
        }
    }

    static String at(int state, int action) {
        return "state " + state + ", action " + action;
    }

    /// What a kernel says of every state and action. Successors of probability 0 are left out.
    public static Transitions of(int states, int actions, Kernel kernel) {
        int[] offsets = new int[Math.multiplyExact(states, actions) + 1];
        var row = new Row();
        for (int i = 0; i < states * actions; i++) {
            row.begin = row.end;
            kernel.successors(i / actions, i % actions, row);
            int kept = row.begin;
            for (int j = row.begin; j < row.end; j++) {
                if (row.probabilities[j] != 0) {
                    row.states[kept] = row.states[j];
                    row.probabilities[kept++] = row.probabilities[j];
                }
            }
            row.end = kept;
            offsets[i + 1] = kept;
        }
        return new Transitions(
                states,
                actions,
                offsets,
                Arrays.copyOf(row.states, row.end),
                Arrays.copyOf(row.probabilities, row.end));
    }

    /// A kernel written out.
    ///
    /// @param p `P(s'|s,a)`, `[S][A][S]`
    /// @throws IllegalArgumentException if it has another shape, or as the constructor does
    public static Transitions dense(double[][][] p) {
        int states = p.length;
        int actions = states == 0 ? 0 : p[0].length;
        return of(states, actions, (s, a, row) -> {
            if (p[s].length != actions || p[s][a].length != states) {
                throw new IllegalArgumentException(
                        at(s, a) + ": " + states + " probabilities expected in each of " + actions + " rows");
            }
            for (int next = 0; next < states; next++) {
                row.add(next, p[s][a][next]);
            }
        });
    }

    /// `Σ P(s'|s,a)·values[s']`.
    double expectation(int state, int action, double[] values) {
        int row = state * actions + action;
        double sum = 0;
        for (int i = offsets[row]; i < offsets[row + 1]; i++) {
            sum += probabilities[i] * values[successors[i]];
        }
        return sum;
    }

    /// Adds `mass·P(s'|s,a)` to `next[s']`.
    void push(int state, int action, double mass, double[] next) {
        int row = state * actions + action;
        for (int i = offsets[row]; i < offsets[row + 1]; i++) {
            next[successors[i]] += mass * probabilities[i];
        }
    }
}
