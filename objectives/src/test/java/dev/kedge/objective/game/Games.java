package dev.kedge.objective.game;

import dev.kedge.tensor.Tensor;
import java.util.Arrays;
import java.util.Random;
import java.util.function.IntToDoubleFunction;

/// Two games of three actions in plain numbers, with policies, and what the equations need of them.
final class Games {
    static final int COUNT = 2;
    static final int ACTIONS = 3;
    static final double[][][] P = {
        {{.5, .9, .2}, {.1, .5, .8}, {.8, .2, .5}},
        {{.5, .3, .65}, {.7, .5, 1}, {.35, 0, .5}}
    };
    static final double[][] REF_LOGITS = {{0, 0.5, 0}, {-1, 0.2, 2}};
    static final double[] LOGITS = {0.5, 0, -0.5, 0.3, -1.2, 0.4};
    static final double[] OTHER_LOGITS = {0.2, 0, -0.1, -0.7, 1, 0.1};

    private Games() {}

    static MatrixGames all() {
        return of(P, REF_LOGITS);
    }

    /// The first game alone, with a uniform reference: that of the worked numbers.
    static MatrixGames worked() {
        return of(new double[][][] {P[0]}, new double[][] {{0, 0, 0}});
    }

    static MatrixGames of(double[][][] p, double[][] refLogits) {
        double[] flat = Arrays.stream(p)
                .flatMap(Arrays::stream)
                .flatMapToDouble(Arrays::stream)
                .toArray();
        int n = p[0].length;
        return new MatrixGames(
                Tensor.of(flat, p.length, n, n), Tensor.of(refLogits).logSoftmax(1));
    }

    /// Log-probabilities [2, 3] of six logits.
    static Tensor policy(double... logits) {
        return logits(logits).logSoftmax(1);
    }

    static Tensor logits(double... logits) {
        return Tensor.of(logits, logits.length / ACTIONS, ACTIONS);
    }

    static double[] random(Random random) {
        return random.doubles(COUNT * ACTIONS, -2, 2).toArray();
    }

    static double[] logProbs(double... logits) {
        double sum = Arrays.stream(logits).map(Math::exp).sum();
        return Arrays.stream(logits).map(x -> x - Math.log(sum)).toArray();
    }

    static double[] game(double[] logits, int g) {
        return Arrays.copyOfRange(logits, g * ACTIONS, (g + 1) * ACTIONS);
    }

    /// `P(y > opponent)` in game g.
    static double winRate(int g, int y, double[] logOpponent) {
        double rate = 0;
        for (int z = 0; z < ACTIONS; z++) {
            rate += P[g][y][z] * Math.exp(logOpponent[z]);
        }
        return rate;
    }

    static double meanOverGames(IntToDoubleFunction loss) {
        return (loss.applyAsDouble(0) + loss.applyAsDouble(1)) / 2;
    }
}
