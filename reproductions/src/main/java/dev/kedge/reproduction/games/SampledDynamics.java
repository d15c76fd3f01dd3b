package dev.kedge.reproduction.games;

import dev.kedge.objective.Loss;
import dev.kedge.objective.game.Egpo;
import dev.kedge.objective.game.Inpo;
import dev.kedge.objective.game.MatrixGames;
import dev.kedge.objective.game.NashMd;
import dev.kedge.objective.game.NashMdPg;
import dev.kedge.objective.preference.Dpo;
import dev.kedge.objective.preference.PreferenceLogProbs;
import dev.kedge.tensor.Elementwise;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Streams;
import dev.kedge.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Function;

/// Updates by the gradients of the objectives' forms for samples: S draws in each of G games, all games' draws in one
/// batch of G·S rows. A drawn action is named by its place among the actions of all games, [G·n].
final class SampledDynamics implements Dynamics {
    private final GameMethod method;
    private final TabularGames games;
    private final GameSampling sampling;
    private final SplittableRandom random;
    private final MatrixGames tensors;
    private final TabularPolicies policies;

    SampledDynamics(GameMethod method, TabularGames games, TabularPolicies policies, GameSampling sampling) {
        if (method instanceof GameMethod.MirrorExtragradient) {
            throw new IllegalArgumentException("MirrorExtragradient is a closed form and cannot be sampled");
        }
        this.method = method;
        this.games = games;
        this.sampling = sampling;
        random = new SplittableRandom(Streams.of(sampling.seed(), "updates"));
        tensors = policies.games();
        this.policies = policies;
    }

    @Override
    public int update() {
        double beta = games.beta();
        try (Scope _ = new Scope()) {
            return switch (method) {
                case GameMethod.Egpo(double rate) -> {
                    policies.extragradient(policies::logits, this::uniformPairs, rate);
                    yield 2;
                }
                case GameMethod.OnlineIpo1(double rate) -> descend(uniformPairs(policies.logits()), rate);
                case GameMethod.OnlineIpo2(double rate) -> descend(ownPairs(), rate);
                case GameMethod.NashMd(double rate, double share) -> descend(uniformPairs(mixture(share)), rate);
                case GameMethod.NashMdPg(double rate, double share) -> descend(ownAnswers(share), rate);
                case GameMethod.Inpo(double eta) -> regress(eta, beta);
                case GameMethod.SelfPlay(double eta) -> regress(eta, 0);
                case GameMethod.IterativeDpo() ->
                    fit(drawnPairs(), beta * beta / 2, pairs -> Dpo.dpo(logProbs(pairs), beta, rows()));
                case GameMethod.MirrorExtragradient _ -> throw new IllegalStateException("refused on construction");
            };
        }
    }

    /// Places of two actions a row: `[G·S]` each.
    private record Pairs(long[] first, long[] second) {}

    private int rows() {
        return games.count() * sampling.samples();
    }

    private int descend(Loss loss, double rate) {
        policies.descend(loss, rate);
        return 1;
    }

    // --- draws ---

    /// One action a row from its game's policy.
    ///
    /// @param logits [G·n]
    private long[] draw(double[] logits) {
        int n = games.actions();
        long[] places = new long[rows()];
        double[] cumulative = new double[n];
        for (int row = 0; row < places.length; row++) {
            int game = row / sampling.samples() * n;
            if (row % sampling.samples() == 0) {
                accumulate(logits, game, cumulative);
            }
            double u = random.nextDouble() * cumulative[n - 1];
            int action = 0;
            while (action < n - 1 && cumulative[action] <= u) {
                action++;
            }
            places[row] = game + action;
        }
        return places;
    }

    private static void accumulate(double[] logits, int from, double[] cumulative) {
        double max = Double.NEGATIVE_INFINITY;
        for (int y = 0; y < cumulative.length; y++) {
            max = Math.max(max, logits[from + y]);
        }
        double sum = 0;
        for (int y = 0; y < cumulative.length; y++) {
            sum += Math.exp(logits[from + y] - max);
            cumulative[y] = sum;
        }
    }

    private long[] drawUniformly() {
        return draw(new double[games.count() * games.actions()]);
    }

    /// `P(first > second)`, row by row.
    private double[] preferences(long[] first, long[] second) {
        int n = games.actions();
        double[] wins = new double[first.length];
        Arrays.setAll(
                wins,
                row -> games.games().get(row / sampling.samples()).game().winProbability((int) (first[row] % n), (int)
                        (second[row] % n)));
        return wins;
    }

    /// Independent pairs of the policy, the winner first by one draw of the preference.
    private Pairs drawnPairs() {
        double[] logits = policies.logits();
        long[] first = draw(logits);
        long[] second = draw(logits);
        double[] wins = preferences(first, second);
        for (int row = 0; row < wins.length; row++) {
            if (random.nextDouble() >= wins[row]) {
                long loser = first[row];
                first[row] = second[row];
                second[row] = loser;
            }
        }
        return new Pairs(first, second);
    }

    // --- losses ---

    private double[] mixture(double share) {
        return NashMd.mixture(policies.logProbs(), tensors.logRef(), share).toDoubles();
    }

    /// Row by row, of a table `[G, n]`.
    private static Tensor at(Tensor perAction, long[] places) {
        return perAction.view(-1).indexSelect(0, Tensor.of(places, places.length));
    }

    private Loss uniformPairs(double[] opponentLogits) {
        Pairs pairs = new Pairs(drawUniformly(), drawUniformly());
        long[] opponent = draw(opponentLogits);
        return pairLoss(pairs, preferences(pairs.first(), opponent), preferences(pairs.second(), opponent));
    }

    private Loss ownPairs() {
        double[] logits = policies.logits();
        Pairs pairs = new Pairs(draw(logits), draw(logits));
        double[] half = new double[rows()];
        Arrays.fill(half, 0.5);
        return pairLoss(pairs, preferences(pairs.first(), pairs.second()), half);
    }

    private Loss pairLoss(Pairs pairs, double[] firstWins, double[] secondWins) {
        PreferenceLogProbs lp = logProbs(pairs);
        return Egpo.sequences(
                columns(lp.chosen(), lp.rejected()),
                columns(lp.refChosen(), lp.refRejected()),
                columns(Tensor.of(firstWins), Tensor.of(secondWins)),
                games.beta(),
                rows());
    }

    private static Tensor columns(Tensor first, Tensor second) {
        return Tensor.stack(List.of(first, second), 1);
    }

    /// Preferences less 1/2, which is the policy's own rate against itself.
    private Loss ownAnswers(double share) {
        long[] answers = draw(policies.logits());
        Tensor wins = Tensor.of(preferences(answers, draw(mixture(share)))).minus(0.5);
        Tensor logProbs = at(policies.logProbs(), answers);
        return NashMdPg.sequences(logProbs, logProbs, at(tensors.logRef(), answers), wins, games.beta(), rows());
    }

    private PreferenceLogProbs logProbs(Pairs pairs) {
        Tensor policy = policies.logProbs();
        return new PreferenceLogProbs(
                at(policy, pairs.first()),
                at(policy, pairs.second()),
                at(tensors.logRef(), pairs.first()),
                at(tensors.logRef(), pairs.second()));
    }

    // --- fits ---

    private int regress(double eta, double tau) {
        Tensor previous = policies.logProbs().detach();
        return fit(
                drawnPairs(),
                4,
                pairs -> Inpo.inpo(
                        logProbs(pairs), at(previous, pairs.first()), at(previous, pairs.second()), eta, tau, rows()));
    }

    /// Steps along the gradient over `curvature` times the share of pairs in which an action meets another. The second
    /// derivatives are at most that, so that no step overshoots; actions that were not drawn stay.
    private int fit(Pairs pairs, double curvature, Function<Pairs, Loss> loss) {
        double[] meetings = new double[games.count() * games.actions()];
        for (int row = 0; row < rows(); row++) {
            if (pairs.first()[row] != pairs.second()[row]) {
                meetings[(int) pairs.first()[row]]++;
                meetings[(int) pairs.second()[row]]++;
            }
        }
        Tensor scale =
                Elementwise.clampMin(Tensor.of(meetings).times(curvature / sampling.samples()), Double.MIN_NORMAL);
        for (int i = 0; i < sampling.regressionSteps(); i++) {
            try (Scope _ = new Scope()) {
                policies.descend(loss.apply(pairs), scale);
            }
        }
        return sampling.regressionSteps();
    }
}
