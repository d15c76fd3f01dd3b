package dev.kedge.objective.game;

import static dev.kedge.objective.Refused.refused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.env.MirrorDescent;
import dev.kedge.env.PreferenceGame;
import dev.kedge.objective.CentralDifferences;
import dev.kedge.objective.InScope;
import dev.kedge.objective.Loss;
import dev.kedge.objective.preference.Ipo;
import dev.kedge.objective.preference.PreferenceLogProbs;
import dev.kedge.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@ExtendWith(InScope.class)
class InpoTest {
    private static final double ETA = 0.5;
    private static final double TAU = 0.2;

    private static PreferenceLogProbs pair(Tensor chosen, Tensor rejected) {
        return new PreferenceLogProbs(chosen, rejected, Tensor.of(-1.7), Tensor.of(-2.0)); // Dref = 0.3
    }

    private static double h(double[] policy, double[] previous, double[] ref, double eta, double tau, int i, int j) {
        double share = tau / eta;
        return policy[i] - policy[j] - share * (ref[i] - ref[j]) - (1 - share) * (previous[i] - previous[j]);
    }

    /// Both population losses in game g from their double sums: with win rates, with winners and losers.
    private static double[] oracles(int g, double[] policy, double[] previous, double eta, double tau) {
        double[] ref = Games.logProbs(Games.REF_LOGITS[g]);
        double rates = 0;
        double pairs = 0;
        for (int i = 0; i < 3; i++) {
            for (int j = 0; j < 3; j++) {
                double weight = Math.exp(previous[i]) * Math.exp(previous[j]);
                double h = h(policy, previous, ref, eta, tau, i, j);
                double target = (Games.winRate(g, i, previous) - Games.winRate(g, j, previous)) / eta;
                rates += weight * Math.pow(h - target, 2);
                double p = Games.P[g][i][j];
                double wins = Math.pow(h - 1 / (2 * eta), 2);
                double loses = Math.pow(h(policy, previous, ref, eta, tau, j, i) - 1 / (2 * eta), 2);
                pairs += weight * (p * wins + (1 - p) * loses);
            }
        }
        return new double[] {rates, pairs};
    }

    private static double meanOracle(int which, double[] logits, double eta, double tau) {
        return Games.meanOverGames(g -> oracles(
                g, Games.logProbs(Games.game(logits, g)), Games.logProbs(Games.game(Games.OTHER_LOGITS, g)), eta, tau)[
                which]);
    }

    private static Tensor withWinRates(Tensor logPolicy, double eta, double tau) {
        return Inpo.withWinRates(logPolicy, Games.policy(Games.OTHER_LOGITS), Games.all(), eta, tau, 2)
                .value();
    }

    private static Tensor withPairs(Tensor logPolicy, double eta, double tau) {
        return Inpo.withWinnersAndLosers(logPolicy, Games.policy(Games.OTHER_LOGITS), Games.all(), eta, tau, 2)
                .value();
    }

    /// Worked numbers: Dpi 1.2, Dref 0.3, Dt 0.7.
    @Test
    void workedExample() {
        Tensor chosen = Tensor.of(-1.0).requiresGrad();
        Tensor rejected = Tensor.of(-2.2).requiresGrad();
        Loss loss = Inpo.inpo(pair(chosen, rejected), Tensor.of(-1.5), Tensor.of(-2.2), ETA, TAU, 1);
        loss.value().backward();
        assertEquals(0.1156, loss.value().item(), 1e-14);
        assertEquals(-0.68, chosen.grad().item(), 1e-14);
        assertEquals(0.68, rejected.grad().item(), 1e-14);
        // h is the difference of the scores, of which the rewards are eta times.
        double h = (loss.metric("reward/chosen").item()
                        - loss.metric("reward/rejected").item())
                / ETA;
        assertEquals(0.66, h, 1e-14);
    }

    @Test
    void withTauEqualToEtaThePreviousPolicyDropsOut() {
        var lp = pair(Tensor.of(-1.0), Tensor.of(-2.2));
        assertEquals(
                Ipo.ipo(lp, ETA, 1).value().item(),
                Inpo.inpo(lp, Tensor.of(-9), Tensor.of(-4.0), ETA, ETA, 1)
                        .value()
                        .item(),
                1e-13);
    }

    @Test
    void withTauZeroTheReferenceDropsOut() {
        Tensor chosen = Tensor.of(-1.0);
        Tensor rejected = Tensor.of(-2.2);
        Tensor previousChosen = Tensor.of(-1.5);
        Tensor previousRejected = Tensor.of(-2.2);
        var againstPrevious = new PreferenceLogProbs(chosen, rejected, previousChosen, previousRejected);
        assertEquals(
                Ipo.ipo(againstPrevious, ETA, 1).value().item(),
                Inpo.inpo(pair(chosen, rejected), previousChosen, previousRejected, ETA, 0, 1)
                        .value()
                        .item());
    }

    @Test
    void whereAllThreeAgreeLossAndGradientAreKnown() {
        Tensor chosen = Tensor.of(-1.0, -3).requiresGrad();
        Tensor rejected = Tensor.of(-2.0, -0.5).requiresGrad();
        var lp = new PreferenceLogProbs(chosen, rejected, chosen, rejected);
        Loss loss = Inpo.inpo(lp, chosen, rejected, ETA, TAU, 2);
        loss.value().backward();
        assertEquals(1, loss.value().item(), 1e-14); // (1/(2·eta))²
        assertArrayEquals(
                new double[] {-1 / ETA / 2, -1 / ETA / 2}, chosen.grad().toDoubles(), 1e-14);
        assertArrayEquals(
                new double[] {1 / ETA / 2, 1 / ETA / 2}, rejected.grad().toDoubles(), 1e-14);
    }

    @ParameterizedTest
    @CsvSource({"0.5, 0.2", "1, 0.4", "2, 0", "0.3, 0.3"})
    void populationLossesEqualTheirEquations(double eta, double tau) {
        var random = new Random(9);
        for (int trial = 0; trial < 10; trial++) {
            double[] logits = Games.random(random);
            double rates = meanOracle(0, logits, eta, tau);
            double pairs = meanOracle(1, logits, eta, tau);
            assertEquals(rates, withWinRates(Games.policy(logits), eta, tau).item(), 1e-12 * rates);
            assertEquals(pairs, withPairs(Games.policy(logits), eta, tau).item(), 1e-12 * pairs);
        }
    }

    @ParameterizedTest
    @CsvSource({"0.5, 0.2", "1, 0.4", "2, 0", "0.3, 0.3"})
    void theTwoPopulationLossesDifferByAConstant(double eta, double tau) {
        Tensor rates = Games.logits(Games.LOGITS).requiresGrad();
        Tensor pairs = Games.logits(Games.LOGITS).requiresGrad();
        withWinRates(rates.logSoftmax(1), eta, tau).backward();
        withPairs(pairs.logSoftmax(1), eta, tau).backward();
        assertArrayEquals(rates.grad().toDoubles(), pairs.grad().toDoubles(), 1e-13);
        var random = new Random(4);
        double expected = difference(Games.LOGITS, eta, tau);
        for (int trial = 0; trial < 10; trial++) {
            assertEquals(expected, difference(Games.random(random), eta, tau), 1e-11);
        }
    }

    private static double difference(double[] logits, double eta, double tau) {
        Tensor policy = Games.policy(logits);
        return withPairs(policy, eta, tau).item()
                - withWinRates(policy, eta, tau).item();
    }

    @Test
    void gradientsEqualCentralDifferences() {
        CentralDifferences.assertGradient(Games.LOGITS, x -> withWinRates(x.logSoftmax(1), ETA, TAU), 1e-9, 2, 3);
        CentralDifferences.assertGradient(Games.LOGITS, x -> withPairs(x.logSoftmax(1), ETA, TAU), 1e-9, 2, 3);
    }

    @ParameterizedTest
    @CsvSource({"0.5, 0.2", "1, 0.4", "2, 0", "0.3, 0.3"})
    void theExactUpdateIsTheMinimum(double eta, double tau) {
        double[] update = new double[6];
        for (int g = 0; g < 2; g++) {
            double[] next = new MirrorDescent(new PreferenceGame(Games.P[g]), Games.REF_LOGITS[g], eta, tau)
                    .online(Games.logProbs(Games.game(Games.OTHER_LOGITS, g)));
            System.arraycopy(next, 0, update, 3 * g, 3);
        }
        Tensor leaf = Games.logits(update).requiresGrad();
        Tensor value = withWinRates(leaf.logSoftmax(1), eta, tau);
        value.backward();
        assertEquals(0, value.item(), 1e-28);
        assertArrayEquals(new double[6], leaf.grad().toDoubles(), 1e-14);
        Tensor pairs = Games.logits(update).requiresGrad();
        withPairs(pairs.logSoftmax(1), eta, tau).backward();
        assertArrayEquals(new double[6], pairs.grad().toDoubles(), 1e-14);
    }

    /// Labelled pairs in the numbers in which they are expected: previous policy of weights 1/2, 1/4, 1/4 and
    /// preferences in tenths.
    @Test
    void thePairLossIsThePopulationsInExpectation() {
        int[] drawn = {0, 0, 1, 2};
        double[] previous = {Math.log(0.5), Math.log(0.25), Math.log(0.25)};
        double[] policy = Games.logProbs(0.5, 0, -0.5);
        double[] ref = Games.logProbs(Games.REF_LOGITS[0]);
        var random = new ArrayList<int[]>();
        for (int i : drawn) {
            for (int j : drawn) {
                int wins = (int) Math.round(10 * Games.P[0][i][j]);
                for (int k = 0; k < 10; k++) {
                    random.add(k < wins ? new int[] {i, j} : new int[] {j, i});
                }
            }
        }
        Tensor winners = column(random, 0);
        Tensor losers = column(random, 1);
        var lp = new PreferenceLogProbs(
                Tensor.of(policy).indexSelect(0, winners),
                Tensor.of(policy).indexSelect(0, losers),
                Tensor.of(ref).indexSelect(0, winners),
                Tensor.of(ref).indexSelect(0, losers));
        Loss loss = Inpo.inpo(
                lp,
                Tensor.of(previous).indexSelect(0, winners),
                Tensor.of(previous).indexSelect(0, losers),
                ETA,
                TAU,
                random.size());
        assertEquals(oracles(0, policy, previous, ETA, TAU)[1], loss.value().item(), 1e-13);
    }

    private static Tensor column(List<int[]> pairs, int column) {
        return Tensor.of(pairs.stream().mapToInt(p -> p[column]).toArray(), pairs.size());
    }

    @Test
    void whereAllTieNothingMovesFromTheReference() {
        double[][] ties = {{.5, .5, .5}, {.5, .5, .5}, {.5, .5, .5}};
        double[] ref = {0.3, -1, 2};
        Tensor leaf = Games.logits(ref).requiresGrad();
        MatrixGames game = Games.of(new double[][][] {ties}, new double[][] {ref});
        Inpo.withWinRates(leaf.logSoftmax(1), Games.policy(ref), game, ETA, TAU, 1)
                .value()
                .backward();
        assertArrayEquals(new double[3], leaf.grad().toDoubles(), 1e-14);
    }

    @Test
    void previousPolicyAndReferenceAreConstants() {
        Tensor chosen = Tensor.of(-1.0).requiresGrad();
        Tensor previous = Tensor.of(-1.5).requiresGrad();
        Inpo.inpo(pair(chosen, Tensor.of(-2.2)), previous, previous, ETA, TAU, 1)
                .value()
                .backward();
        assertTrue(previous.grad() == null);
        Tensor logits = Games.logits(Games.LOGITS).requiresGrad();
        Tensor logPolicy = logits.logSoftmax(1);
        Inpo.withWinRates(logPolicy, logPolicy, Games.all(), ETA, TAU, 2)
                .value()
                .backward();
        Tensor free = Games.logits(Games.LOGITS).requiresGrad();
        Inpo.withWinRates(free.logSoftmax(1), Games.policy(Games.LOGITS), Games.all(), ETA, TAU, 2)
                .value()
                .backward();
        assertArrayEquals(free.grad().toDoubles(), logits.grad().toDoubles(), 1e-15);
    }

    @Test
    void extremeMarginsStayFinite() {
        Tensor chosen = Tensor.of(-1e6).requiresGrad();
        Loss loss = Inpo.inpo(pair(chosen, Tensor.of(-1.0)), Tensor.of(-1.0), Tensor.of(-1e6), 0.0075, 0.0025, 1);
        loss.value().backward();
        assertTrue(loss.value().isFinite().allTrue() && chosen.grad().isFinite().allTrue());
    }

    @Test
    void badArgumentsAreRefused() {
        Tensor one = Tensor.of(-1.0);
        var lp = pair(one, one);
        refused("eta", () -> Inpo.inpo(lp, one, one, 0, 0, 1));
        refused("tau", () -> Inpo.inpo(lp, one, one, ETA, 0.6, 1));
        refused("tau", () -> Inpo.inpo(lp, one, one, ETA, -0.1, 1));
        refused("tau", () -> Inpo.inpo(lp, one, one, ETA, Double.NaN, 1));
        refused("previousChosen", () -> Inpo.inpo(lp, Tensor.of(0, 0), one, ETA, TAU, 1));
        refused("previousRejected", () -> Inpo.inpo(lp, one, Tensor.of(0, 0), ETA, TAU, 1));
        refused("pairsInStep", () -> Inpo.inpo(lp, one, one, ETA, TAU, 0));
        Tensor policy = Games.policy(Games.LOGITS);
        MatrixGames games = Games.all();
        refused("logPolicy", () -> Inpo.withWinRates(policy.t(), policy, games, ETA, TAU, 2));
        refused("gamesInStep", () -> Inpo.withWinRates(policy, policy, games, ETA, TAU, 1));
        refused("tau", () -> Inpo.withWinRates(policy, policy, games, TAU, ETA, 2));
        refused("logPrevious", () -> Inpo.withWinnersAndLosers(policy, policy.select(0, 0), games, ETA, TAU, 2));
    }
}
