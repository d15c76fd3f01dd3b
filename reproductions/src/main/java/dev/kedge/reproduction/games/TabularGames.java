package dev.kedge.reproduction.games;

import dev.kedge.env.PreferenceGame;
import dev.kedge.env.RegularizedGame;
import dev.kedge.objective.game.MatrixGames;
import dev.kedge.tensor.Streams;
import dev.kedge.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.LongStream;

/// Games that are played side by side, and where play begins.
///
/// @param games  of equally many actions and the same beta
/// @param starts logits of the first policy in each game, `[G][n]`
public record TabularGames(List<RegularizedGame> games, double[][] starts) {
    /// @throws IllegalArgumentException if there is no game, or the games differ in actions or beta
    public TabularGames {
        games = List.copyOf(games);
        if (games.isEmpty() || games.size() != starts.length) {
            throw new IllegalArgumentException(games.size() + " games and " + starts.length + " starts");
        }
        RegularizedGame first = games.getFirst();
        int actions = first.game().actions();
        for (int g = 0; g < starts.length; g++) {
            RegularizedGame game = games.get(g);
            if (game.game().actions() != actions || game.beta() != first.beta() || starts[g].length != actions) {
                throw new IllegalArgumentException(
                        "game " + g + " has " + game.game().actions() + " actions, beta "
                                + game.beta() + " and a start of " + starts[g].length + " logits, expected " + actions
                                + " actions and beta " + first.beta());
            }
        }
    }

    /// Games whose play begins at the reference.
    public static TabularGames fromReference(List<RegularizedGame> games) {
        return new TabularGames(
                games, games.stream().map(RegularizedGame::logRef).toArray(double[][]::new));
    }

    /// Rock, scissors, paper with a reference and a start off the centre: logits (0.3, -0.2, 0) and (1, 0, -1).
    public static TabularGames rockPaperScissors(double beta) {
        var game = new RegularizedGame(PreferenceGame.rockPaperScissors(), new double[] {0.3, -0.2, 0}, beta);
        return new TabularGames(List.of(game), new double[][] {{1, 0, -1}});
    }

    /// Rock, scissors, paper with standard normal logits of reference and start.
    public static TabularGames rockPaperScissors(double beta, long seed) {
        var random = new SplittableRandom(Streams.of(seed, "reference and start"));
        var game = new RegularizedGame(PreferenceGame.rockPaperScissors(), normal(3, random), beta);
        return new TabularGames(List.of(game), new double[][] {normal(3, random)});
    }

    /// Random games, with references of standard normal logits, at which play begins: those of arXiv:2503.08942, ten
    /// games of ten actions.
    ///
    /// @param seed of all games
    public static TabularGames random(int count, int actions, double beta, long seed) {
        return fromReference(LongStream.range(0, count)
                .mapToObj(i -> random(actions, beta, Streams.of(seed, "game", i)))
                .toList());
    }

    private static RegularizedGame random(int actions, double beta, long seed) {
        var reference = new SplittableRandom(Streams.of(seed, "reference"));
        return new RegularizedGame(PreferenceGame.random(actions, seed), normal(actions, reference), beta);
    }

    private static double[] normal(int count, SplittableRandom random) {
        double[] x = new double[count];
        Arrays.setAll(x, _ -> random.nextGaussian());
        return x;
    }

    /// How many games, G.
    public int count() {
        return games.size();
    }

    /// How many actions each has, n.
    public int actions() {
        return starts[0].length;
    }

    /// Strength of the regulariser of all games.
    public double beta() {
        return games.getFirst().beta();
    }

    /// The games as tensors, which belong to the caller and no scope.
    MatrixGames tensors() {
        int n = actions();
        double[] p = games.stream()
                .flatMap(game -> Arrays.stream(game.game().winProbabilities()))
                .flatMapToDouble(Arrays::stream)
                .toArray();
        double[][] logRef = games.stream().map(RegularizedGame::logRef).toArray(double[][]::new);
        return new MatrixGames(
                Tensor.of(p, count(), n, n).unscoped(), Tensor.of(logRef).unscoped());
    }
}
