package dev.kedge.env.mdp;

import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.function.IntPredicate;

/// A grid of cells to walk in, as a map: `#` is a wall, anything else is free. The states are the free cells in reading
/// order, the actions four moves; a move into a wall or off the map leaves the walker where it is.
///
/// @param map rows from top to bottom, of the same length
public record Gridworld(List<String> map) {
    /// Rows and columns that the actions add: up, right, down, left.
    private static final int[][] MOVES = {{-1, 0}, {0, 1}, {1, 0}, {0, -1}};

    /// How many moves there are.
    public static final int ACTIONS = MOVES.length;

    /// @throws IllegalArgumentException naming the row, if one has another length, or if there is no free cell
    public Gridworld {
        map = List.copyOf(map);
        for (int row = 0; row < map.size(); row++) {
            if (map.get(row).length() != map.getFirst().length()) {
                throw new IllegalArgumentException(
                        "row " + row + " of the map has " + map.get(row).length() + " cells, row 0 has "
                                + map.getFirst().length());
            }
        }
        if (map.stream().allMatch(row -> row.chars().allMatch(c -> c == '#'))) {
            throw new IllegalArgumentException("a map needs at least one free cell");
        }
    }

    /// A grid without walls.
    public static Gridworld open(int rows, int columns) {
        return new Gridworld(Collections.nCopies(rows, ".".repeat(columns)));
    }

    /// The free cells' places, `{row, column}`: `[S][2]`.
    public int[][] cells() {
        return cells(_ -> true);
    }

    /// The places of those free cells whose mark is this one, in reading order: `[N][2]`.
    public int[][] cells(char mark) {
        return cells(c -> c == mark);
    }

    private int[][] cells(IntPredicate kept) {
        int[][] cells = new int[map.size() * map.getFirst().length()][];
        int n = 0;
        for (int row = 0; row < map.size(); row++) {
            for (int column = 0; column < map.get(row).length(); column++) {
                char c = map.get(row).charAt(column);
                if (c != '#' && kept.test(c)) {
                    cells[n++] = new int[] {row, column};
                }
            }
        }
        return Arrays.copyOf(cells, n);
    }

    /// The state that each place is, -1 for walls: `[rows][columns]`.
    public int[][] states() {
        int[][] states = new int[map.size()][map.getFirst().length()];
        for (int[] row : states) {
            Arrays.fill(row, -1);
        }
        int[][] cells = cells();
        for (int s = 0; s < cells.length; s++) {
            states[cells[s][0]][cells[s][1]] = s;
        }
        return states;
    }

    /// Where each move leads from each state: `[S][4]`.
    public int[][] moves() {
        int[][] states = states();
        int[][] cells = cells();
        int[][] moves = new int[cells.length][ACTIONS];
        for (int s = 0; s < cells.length; s++) {
            for (int a = 0; a < ACTIONS; a++) {
                int row = cells[s][0] + MOVES[a][0];
                int column = cells[s][1] + MOVES[a][1];
                boolean inside = row >= 0 && row < states.length && column >= 0 && column < states[0].length;
                moves[s][a] = inside && states[row][column] >= 0 ? states[row][column] : s;
            }
        }
        return moves;
    }

    /// The kernel of the walk.
    ///
    /// @param slip the probability of a uniformly random move instead of the one chosen, in [0, 1]
    public Transitions transitions(double slip) {
        int[][] moves = moves();
        return Transitions.of(moves.length, ACTIONS, (s, a, row) -> {
            row.add(moves[s][a], 1 - slip);
            for (int other : moves[s]) {
                row.add(other, slip / ACTIONS);
            }
        });
    }
}
