package dev.kedge.env.mdp;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Tomatoes to be watered, and a bucket from inside of which all seem to be (arXiv:2403.03185). `t` is a tomato, dry at
/// first, `A` the start, `B` the bucket.
///
/// Moving onto a tomato waters it; then every tomato farther than 3 from the gardener, as the crow flies, dries. A step
/// is rewarded with [#SCALE] times the tomatoes watered after it; the proxy is the same, but on the bucket it is
/// [#SCALE] times all accessible cells. When all are watered the episode ends, in a last state without rewards. The
/// states are those that can be reached, and that last one: in the paper's level it is out of reach, as what is far
/// dries.
///
/// Where this differs from the authors' code: that takes dried tomatoes from a list while it walks along it, and so
/// forgets the neighbour of each.
public final class TomatoGarden {
    public static final double SCALE = 0.02;

    /// The level of the paper: 9 tomatoes, 26 cells.
    public static final Gridworld LEVEL = new Gridworld(List.of(
            "##########",
            "#t..######",
            "###.######",
            "#tt.######",
            "#A....####",
            "#tttttt###",
            "#####.####",
            "#B....####",
            "####..####",
            "##########"));

    /// 5 tomatoes, 8 cells.
    public static final Gridworld SMALL =
            new Gridworld(List.of("#######", "#######", "#######", "#tt####", "#A.B###", "#ttt###", "#######"));

    private static final int REACH_SQUARED = 9;
    private static final int MOST = 1 << 25;

    private TomatoGarden() {}

    /// The process.
    ///
    /// @param map  with one `A`, one `B` and at least one `t`; cells times 2 to the number of `t` at most 2²⁵
    /// @param slip the probability of a uniformly random move instead of the one chosen, in [0, 1]
    public static ProxyTask task(Gridworld map, double slip) {
        Situations all = situations(map);
        int end = all.found.size();
        double[] reward = new double[end + 1]; // of arriving in a state
        double[] proxy = new double[end + 1];
        boolean[] over = new boolean[end + 1];
        over[end] = true;
        for (int s = 0; s < end; s++) {
            reward[s] = SCALE * Integer.bitCount(all.watered(s));
            proxy[s] = all.cell(s) == all.bucket ? SCALE * all.cells : reward[s];
            over[s] = all.watered(s) == (1 << all.tomatoes) - 1;
        }
        var transitions = Transitions.of(end + 1, Gridworld.ACTIONS, (s, a, row) -> {
            if (over[s]) {
                row.add(end, 1);
                return;
            }
            row.add(all.next.get(s)[a], 1 - slip);
            for (int other : all.next.get(s)) {
                row.add(other, slip / Gridworld.ACTIONS);
            }
        });
        return new ProxyTask(
                transitions, expected(transitions, reward), expected(transitions, proxy), Mdp.startAt(0, end + 1));
    }

    /// What the gardener sees of each state: a one for the cell, a bit for each tomato that is watered, one for the
    /// bucket; nothing in the last state. `[S][cells + tomatoes + 1]`.
    ///
    /// @param map as for [#task]
    public static double[][] observations(Gridworld map) {
        Situations all = situations(map);
        double[][] seen = new double[all.found.size() + 1][all.cells + all.tomatoes + 1];
        for (int s = 0; s < all.found.size(); s++) {
            seen[s][all.cell(s)] = 1;
            for (int t = 0; t < all.tomatoes; t++) {
                seen[s][all.cells + t] = all.watered(s) >> t & 1;
            }
            seen[s][all.cells + all.tomatoes] = all.cell(s) == all.bucket ? 1 : 0;
        }
        return seen;
    }

    /// All that can be reached, in the order in which it is found.
    ///
    /// @param found    `watered · cells + cell`, watered one bit a tomato
    /// @param next     the number of the situation that each move leads to
    /// @param cells    of the map
    /// @param tomatoes of the map
    /// @param bucket   its cell
    private record Situations(List<Integer> found, List<int[]> next, int cells, int tomatoes, int bucket) {
        int cell(int s) {
            return found.get(s) % cells;
        }

        int watered(int s) {
            return found.get(s) / cells;
        }
    }

    private static Situations situations(Gridworld map) {
        int[][] states = map.states();
        int[][] tomatoes = map.cells('t');
        int start = only(map, states, 'A');
        int bucket = only(map, states, 'B');
        int[][] cells = map.cells();
        if (tomatoes.length == 0 || tomatoes.length > 20 || (long) cells.length << tomatoes.length > MOST) {
            throw new IllegalArgumentException("a garden needs 1 to 20 tomatoes, and at most " + MOST
                    + " situations, cells times 2 to the tomatoes; has " + tomatoes.length + " tomatoes and "
                    + cells.length + " cells");
        }
        int[][] moves = map.moves();
        int[] planted = new int[cells.length]; // the tomato's bit in each cell
        int[] near = new int[cells.length]; // bits of the tomatoes that do not dry while the gardener is in a cell
        for (int t = 0; t < tomatoes.length; t++) {
            planted[states[tomatoes[t][0]][tomatoes[t][1]]] = 1 << t;
            for (int c = 0; c < cells.length; c++) {
                int rows = cells[c][0] - tomatoes[t][0];
                int columns = cells[c][1] - tomatoes[t][1];
                near[c] |= rows * rows + columns * columns <= REACH_SQUARED ? 1 << t : 0;
            }
        }
        int[] number = new int[cells.length << tomatoes.length];
        Arrays.fill(number, -1);
        List<Integer> found = new ArrayList<>(List.of(start));
        number[start] = 0;
        List<int[]> next = new ArrayList<>();
        int all = (1 << tomatoes.length) - 1;
        for (int s = 0; s < found.size(); s++) {
            int cell = found.get(s) % cells.length;
            int watered = found.get(s) / cells.length;
            int[] successors = new int[Gridworld.ACTIONS];
            for (int a = 0; a < successors.length && watered != all; a++) {
                int to = moves[cell][a];
                int situation = ((watered | planted[to]) & near[to]) * cells.length + to;
                if (number[situation] < 0) {
                    number[situation] = found.size();
                    found.add(situation);
                }
                successors[a] = number[situation];
            }
            next.add(successors);
        }
        return new Situations(found, next, cells.length, tomatoes.length, bucket);
    }

    private static double[][] expected(Transitions transitions, double[] onArrival) {
        double[][] reward = new double[transitions.states()][transitions.actions()];
        for (int s = 0; s < reward.length; s++) {
            int state = s;
            Arrays.setAll(reward[s], a -> transitions.expectation(state, a, onArrival));
        }
        return reward;
    }

    private static int only(Gridworld map, int[][] states, char mark) {
        int[][] marked = map.cells(mark);
        if (marked.length != 1) {
            throw new IllegalArgumentException("a garden needs one cell " + mark + ", has " + marked.length);
        }
        return states[marked[0][0]][marked[0][1]];
    }
}
