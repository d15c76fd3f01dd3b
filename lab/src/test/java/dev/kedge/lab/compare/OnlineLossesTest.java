package dev.kedge.lab.compare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.env.Categorical;
import dev.kedge.env.RegularizedGame;
import dev.kedge.lab.compare.ComparisonTask.Arena;
import dev.kedge.lab.tabular.Bandit;
import dev.kedge.lab.tabular.TabularTraining;
import dev.kedge.lab.tabular.TabularTraining.Objective;
import dev.kedge.objective.divergence.ReverseKl;
import dev.kedge.objective.game.Egpo;
import dev.kedge.objective.game.Inpo;
import dev.kedge.objective.game.IterativeDpo;
import dev.kedge.objective.game.MatrixGames;
import dev.kedge.objective.game.NashMd;
import dev.kedge.objective.game.OnlineIpo;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// That the methods come to their closed forms, in two halves: the gradients of what is drawn are in expectation those
/// of the exact losses, and the training takes the exact losses to the closed forms.
class OnlineLossesTest {
    private static final double BETA = 0.4;
    private static final int X = 2;

    /// Adam comes to rest as its rate falls to 0: what is left after so many steps is far below the tolerance, 1e-4.
    private static final TabularTraining LONG = new TabularTraining(800, 0.1);

    private final Arena bandit = Arena.bradleyTerry(Bandit.random(X, 5, 7));
    private final double[][] elsewhere = Bandit.random(X, 5, 8).logRef();
    private Scope scope;

    @BeforeEach
    void open() {
        scope = new Scope();
    }

    @AfterEach
    void close() {
        scope.close();
    }

    private static MatrixGames games(Arena arena) {
        int n = arena.outcomes();
        double[] p = arena.judges().stream()
                .flatMap(judge -> Arrays.stream(judge.winProbabilities()))
                .flatMapToDouble(Arrays::stream)
                .toArray();
        return new MatrixGames(Tensor.of(p, arena.contexts(), n, n), Tensor.of(arena.logRef()));
    }

    // --- gradients ---

    private static final int BATCHES = 40;
    private static final int LABELS = 10_000;

    private static double[] gradient(Objective objective, double[][] logits) {
        try (var _ = new Scope()) {
            Tensor leaf = Tensor.of(logits).requiresGrad();
            objective.loss(leaf.logSoftmax(1), 0).backward();
            return leaf.grad().reshape(-1).toDoubles();
        }
    }

    /// The mean over batches is within five standard errors of the exact gradient, and these are small beside it.
    private static void assertUnbiased(Objective exact, Objective drawn, double[][] logPolicy) {
        double[] expected = gradient(exact, logPolicy);
        double[][] batches = IntStream.range(0, BATCHES)
                .mapToObj(_ -> gradient(drawn, logPolicy))
                .toArray(double[][]::new);
        double largest = Arrays.stream(expected).map(Math::abs).max().orElseThrow();
        for (int i = 0; i < expected.length; i++) {
            int entry = i;
            double mean = Arrays.stream(batches).mapToDouble(b -> b[entry]).sum() / BATCHES;
            double variance = Arrays.stream(batches)
                            .mapToDouble(b -> Math.pow(b[entry] - mean, 2))
                            .sum()
                    / (BATCHES - 1);
            double error = Math.sqrt(variance / BATCHES);
            assertEquals(expected[i], mean, 5 * error + 1e-15, "entry " + i);
            assertTrue(error < largest / 25, "entry " + i + " is known to " + error + " only, largest " + largest);
        }
    }

    @Test
    void onlineDpoIsThatOfThePolicysOwnPairs() {
        var games = games(bandit);
        assertUnbiased(
                (lp, _) -> IterativeDpo.population(lp, lp, games, BETA, X).value(),
                OnlineLosses.dpo(bandit, BETA, LABELS, 1),
                elsewhere);
    }

    @Test
    void onlineIpoIsOnlineIpo2() {
        var games = games(bandit);
        assertUnbiased(
                (lp, _) -> OnlineIpo.onlineIpo2(lp, games, BETA, X).value(),
                OnlineLosses.ipo(bandit, BETA, LABELS, 1),
                elsewhere);
    }

    /// At the optimum no pair has a gradient, and the bonus alone is left: alpha times the mean of `log π` under the
    /// reference.
    @Test
    void xpoIsOnlineDpoAndABonus() {
        double alpha = 0.3;
        assertUnbiased(
                (lp, _) ->
                        Tensor.of(bandit.logRef()).exp().times(lp).sum(1).mean().times(alpha),
                OnlineLosses.xpo(bandit, alpha, BETA, LABELS, 1),
                bandit.bandit().optimum(new ReverseKl(), BETA));
    }

    @Test
    void inpoIsTheRegressionOnThePolicyThatBegan() {
        var games = games(bandit);
        assertUnbiased(
                (lp, _) -> Inpo.withWinRates(lp, lp, games, 3 * BETA, BETA, X).value(),
                OnlineLosses.inpo(bandit, 3 * BETA, BETA, 1, LABELS, 1),
                elsewhere);
    }

    @Test
    void egpoIsThatOfUniformPairsAgainstTheOpponent() {
        var games = games(bandit);
        var drawn = OnlineLosses.egpo(bandit, BETA, LABELS, 1);
        Tensor opponent = Tensor.of(Bandit.random(X, 5, 9).logRef());
        assertUnbiased(
                (lp, _) -> Egpo.egpo(lp, opponent, games, BETA, X).value(),
                (lp, step) -> drawn.loss(lp, opponent, step),
                elsewhere);
    }

    @Test
    void nashMdPlaysAgainstTheMixture() {
        var games = games(bandit);
        assertUnbiased(
                (lp, _) -> NashMd.nashMd(lp, games, BETA, 0.6, X).value(),
                OnlineLosses.nashMd(bandit, BETA, 0.6, LABELS, 1),
                elsewhere);
    }

    @Test
    void inpoKeepsItsPairsAndItsPolicyForAnIteration() {
        var inpo = OnlineLosses.inpo(bandit, 3 * BETA, BETA, 2, 20, 1);
        Tensor first = Tensor.of(elsewhere);
        Tensor second = Tensor.of(bandit.logRef());
        double began = inpo.loss(first, 0).item();
        double other = inpo.loss(second, 1).item();
        assertEquals(began, inpo.loss(first, 1).item());
        inpo.loss(second, 2);
        assertTrue(inpo.loss(second, 3).item() != other, "another policy drew other pairs");
    }

    // --- closed forms ---

    private static void assertClose(double[][] expected, double[][] trained) {
        for (int x = 0; x < expected.length; x++) {
            double apart = Categorical.totalVariation(
                    Categorical.probabilities(expected[x]), Categorical.probabilities(trained[x]));
            assertTrue(apart < 1e-4, "context " + x + " is " + apart + " apart");
        }
    }

    private double[][] trained(Arena arena, Objective exact) {
        return LONG.train(arena.logRef(), exact);
    }

    /// At beta 1: where pairs come from the policy, what it hardly draws is slow to come to its place.
    @Test
    void onlineDpoComesToTheBanditsOptimum() {
        var games = games(bandit);
        assertClose(bandit.bandit().optimum(new ReverseKl(), 1), trained(bandit, (lp, _) -> IterativeDpo.population(
                        lp, lp, games, 1, X)
                .value()));
    }

    /// On pairs of the reference IPO's optimum is the policy that wins most against it.
    @Test
    void ipoComesToTheGamesOptimum() {
        var game = ComparisonTask.GAME.arena(1);
        var games = games(game);
        Tensor ref = Tensor.of(game.logRef());
        assertClose(game.bandit().optimum(new ReverseKl(), BETA), trained(game, (lp, _) -> Inpo.withWinRates(
                        lp, ref, games, BETA, BETA, game.contexts())
                .value()));
    }

    @Test
    void selfPlayComesToTheEquilibrium() {
        var game = ComparisonTask.GAME.arena(1);
        var games = games(game);
        int contexts = game.contexts();
        double[][] nash = IntStream.range(0, contexts)
                .mapToObj(x -> new RegularizedGame(game.judges().get(x), game.logRef()[x], BETA).nash())
                .toArray(double[][]::new);
        assertClose(nash, trained(game, (lp, _) -> OnlineIpo.onlineIpo2(lp, games, BETA, contexts)
                .value()));
        double[][][] previous = {game.logRef()};
        assertClose(nash, trained(game, (lp, step) -> {
            if (step % 20 == 0) {
                previous[0] = rows(lp, game.outcomes());
            }
            return Inpo.withWinRates(lp, Tensor.of(previous[0]), games, 3 * BETA, BETA, contexts)
                    .value();
        }));
        assertClose(nash, LONG.extragradient(game.logRef(), (lp, opponent, _) -> Egpo.egpo(
                        lp, opponent, games, BETA, contexts)
                .value()));
    }

    private static double[][] rows(Tensor table, int n) {
        double[] flat = table.detach().reshape(-1).toDoubles();
        return IntStream.range(0, flat.length / n)
                .mapToObj(x -> Arrays.copyOfRange(flat, x * n, (x + 1) * n))
                .toArray(double[][]::new);
    }

    /// Not the equilibrium: the best response to the mixture with the reference.
    @Test
    void nashMdComesToTheBestResponseToItsMixture() {
        double share = 0.5;
        var games = games(bandit);
        double[][] trained = trained(
                bandit, (lp, _) -> NashMd.nashMd(lp, games, BETA, share, X).value());
        assertClose(
                IntStream.range(0, X)
                        .mapToObj(x -> {
                            double[] mixture = new double[bandit.outcomes()];
                            Arrays.setAll(mixture, y -> (1 - share) * trained[x][y] + share * bandit.logRef()[x][y]);
                            return new RegularizedGame(bandit.judges().get(x), bandit.logRef()[x], BETA)
                                    .bestResponse(Categorical.logSoftmax(mixture));
                        })
                        .toArray(double[][]::new),
                trained);
    }
}
