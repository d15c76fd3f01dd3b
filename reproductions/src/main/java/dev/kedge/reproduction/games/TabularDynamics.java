package dev.kedge.reproduction.games;

import dev.kedge.env.Categorical;
import dev.kedge.env.RegularizedGame;
import dev.kedge.reproduction.games.GameTrajectory.Point;
import dev.kedge.reproduction.games.GameTrajectory.Quality;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/// Learns games by a method and watches how far its policies are from equilibrium. The same arguments give the same
/// numbers.
public final class TabularDynamics {
    private final TabularGames games;
    private final List<List<Point>> points;
    private final double[][] sums;

    private TabularDynamics(TabularGames games) {
        this.games = games;
        points = games.games().stream().<List<Point>>map(_ -> new ArrayList<>()).toList();
        sums = new double[games.count()][games.actions()];
    }

    /// Learning with exact expectations. INPO's regression is solved to the end; iterative DPO's fit nearly.
    ///
    /// @param updates how many
    /// @param every   after how many updates a point is recorded; the first and the last state always are
    /// @return one for each game
    public static List<GameTrajectory> exact(GameMethod method, TabularGames games, int updates, int every) {
        try (var policies = new TabularPolicies(games)) {
            return new TabularDynamics(games).run(policies, new ExactDynamics(method, games, policies), updates, every);
        }
    }

    /// Learning with drawn actions and preferences.
    ///
    /// @throws IllegalArgumentException if the method has no sampled form
    public static List<GameTrajectory> sampled(
            GameMethod method, TabularGames games, GameSampling sampling, int updates, int every) {
        try (var policies = new TabularPolicies(games)) {
            var dynamics = new SampledDynamics(method, games, policies, sampling);
            return new TabularDynamics(games).run(policies, dynamics, updates, every);
        }
    }

    private List<GameTrajectory> run(TabularPolicies learners, Dynamics dynamics, int updates, int every) {
        if (updates < 0 || every < 1) {
            throw new IllegalArgumentException(
                    "updates >= 0 and every >= 1 expected, were " + updates + " and " + every);
        }
        int gradients = 0;
        double[][] policies = policies(learners);
        add(policies);
        record(0, 0, policies);
        for (int update = 1; update <= updates; update++) {
            gradients += dynamics.update();
            policies = policies(learners);
            add(policies);
            if (update % every == 0 || update == updates) {
                record(update, gradients, policies);
            }
        }
        double[][] last = policies;
        return IntStream.range(0, games.count())
                .mapToObj(g -> new GameTrajectory(points.get(g), last[g]))
                .toList();
    }

    /// Log-probabilities, `[G][n]`.
    private double[][] policies(TabularPolicies learners) {
        double[] logits = learners.logits();
        int n = games.actions();
        return IntStream.range(0, games.count())
                .mapToObj(g -> Categorical.logSoftmax(Arrays.copyOfRange(logits, g * n, (g + 1) * n)))
                .toArray(double[][]::new);
    }

    private void add(double[][] policies) {
        for (int g = 0; g < sums.length; g++) {
            for (int y = 0; y < sums[g].length; y++) {
                sums[g][y] += Math.exp(policies[g][y]);
            }
        }
    }

    private void record(int updates, int gradients, double[][] policies) {
        for (int g = 0; g < sums.length; g++) {
            RegularizedGame game = games.games().get(g);
            double[] average =
                    Categorical.logSoftmax(Arrays.stream(sums[g]).map(Math::log).toArray());
            points.get(g).add(new Point(updates, gradients, quality(game, policies[g]), quality(game, average)));
        }
    }

    private static Quality quality(RegularizedGame game, double[] logPolicy) {
        return new Quality(
                game.dualityGap(logPolicy), game.game().exploitability(Categorical.probabilities(logPolicy)));
    }
}
