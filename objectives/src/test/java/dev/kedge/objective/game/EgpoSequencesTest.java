package dev.kedge.objective.game;

import static dev.kedge.objective.Refused.refused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.objective.CentralDifferences;
import dev.kedge.objective.InScope;
import dev.kedge.objective.Loss;
import dev.kedge.objective.preference.Ipo;
import dev.kedge.objective.preference.PreferenceLogProbs;
import dev.kedge.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.DoubleStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(InScope.class)
class EgpoSequencesTest {
    private static final double BETA = 0.3;
    private static final double[] LOG_PROBS = {-3, -2.5, -1.2, -7, -4, -4};
    private static final double[] REF = {-3.5, -2, -1, -6, -4, -5};
    private static final double[] PREFERENCES = {0.2, 0.9, 1, 0, 0.5, 0.5};

    private static Tensor rows(double... values) {
        return Tensor.of(values, values.length / 2, 2);
    }

    private static double residual(int b) {
        double margin = LOG_PROBS[2 * b] - LOG_PROBS[2 * b + 1] - REF[2 * b] + REF[2 * b + 1];
        return margin - (PREFERENCES[2 * b] - PREFERENCES[2 * b + 1]) / BETA;
    }

    @Test
    void equalsTheEquationAndItsGradientIsTwiceTheResidual() {
        Tensor logProbs = rows(LOG_PROBS).requiresGrad();
        Loss loss = Egpo.sequences(logProbs, rows(REF), rows(PREFERENCES), BETA, 4);
        loss.value().backward();
        double[] gradient = logProbs.grad().toDoubles();
        double sum = 0;
        for (int b = 0; b < 3; b++) {
            sum += residual(b) * residual(b);
            assertEquals(2 * residual(b) / 4, gradient[2 * b], 1e-14);
            assertEquals(-2 * residual(b) / 4, gradient[2 * b + 1], 1e-14);
        }
        assertEquals(sum / 4, loss.value().item(), 1e-14);
        assertEquals(sum, loss.metric("loss").sum().item(), 1e-13);
        assertArrayEquals(
                new double[] {0.15, -0.06, 0}, loss.metric("reward/first").toDoubles(), 1e-14);
        assertArrayEquals(
                new double[] {-0.15, -0.3, 0.3}, loss.metric("reward/second").toDoubles(), 1e-14);
    }

    @Test
    void gradientEqualsCentralDifferences() {
        CentralDifferences.assertGradient(
                LOG_PROBS,
                x -> Egpo.sequences(x, rows(REF), rows(PREFERENCES), BETA, 3).value(),
                1e-8,
                3,
                2);
    }

    /// A winner that always wins against a loser that wins half of the time: IPO's target.
    @Test
    void withTheSurePreferenceOfOneAnswerItIsIpo() {
        Tensor w = Tensor.of(-3, -1.0);
        Tensor l = Tensor.of(-2, -7.0);
        Tensor refW = Tensor.of(-3.5, -2);
        Tensor refL = Tensor.of(-1, -6.0);
        double ipo = Ipo.ipo(new PreferenceLogProbs(w, l, refW, refL), BETA, 2)
                .value()
                .item();
        double egpo = Egpo.sequences(
                        Tensor.stack(List.of(w, l), 1),
                        Tensor.stack(List.of(refW, refL), 1),
                        rows(1, 0.5, 1, 0.5),
                        BETA,
                        2)
                .value()
                .item();
        assertEquals(ipo, egpo, 1e-13);
    }

    /// All uniform pairs against an opponent of weights 1/4, 2/4, 1/4, each draw as often as it is probable: the
    /// gradient of the sampled loss is that of the exact one.
    @Test
    void itsExpectationOverUniformPairsIsTheExactGradient() {
        int[] opponents = {0, 1, 1, 2};
        List<int[]> draws = new ArrayList<>();
        for (int first = 0; first < 3; first++) {
            for (int second = 0; second < 3; second++) {
                for (int opponent : opponents) {
                    draws.add(new int[] {first, second, opponent});
                }
            }
        }
        Tensor logits = Games.logits(0.5, 0, -0.5).requiresGrad();
        sampled(logits, draws).backward();
        Tensor exact = Games.logits(0.5, 0, -0.5).requiresGrad();
        Tensor opponent = Games.policy(Math.log(0.25), Math.log(0.5), Math.log(0.25));
        Egpo.egpo(exact.logSoftmax(1), opponent, game(), BETA, 1).value().backward();
        assertArrayEquals(exact.grad().toDoubles(), logits.grad().toDoubles(), 1e-13);
    }

    private static MatrixGames game() {
        return Games.of(new double[][][] {Games.P[0]}, new double[][] {Games.REF_LOGITS[0]});
    }

    private static Tensor sampled(Tensor logits, List<int[]> draws) {
        long[] actions =
                draws.stream().flatMapToLong(d -> LongStream.of(d[0], d[1])).toArray();
        double[] preferences = draws.stream()
                .flatMapToDouble(d -> DoubleStream.of(Games.P[0][d[0]][d[2]], Games.P[0][d[1]][d[2]]))
                .toArray();
        Tensor index = Tensor.of(actions, actions.length);
        return Egpo.sequences(
                        logits.logSoftmax(1).select(0, 0).indexSelect(0, index).view(draws.size(), 2),
                        game().logRef().select(0, 0).indexSelect(0, index).view(draws.size(), 2),
                        rows(preferences),
                        BETA,
                        draws.size())
                .value();
    }

    @Test
    void referenceAndPreferencesAreConstants() {
        Tensor ref = rows(REF).requiresGrad();
        Tensor preferences = rows(PREFERENCES).requiresGrad();
        Tensor logProbs = rows(LOG_PROBS).requiresGrad();
        Egpo.sequences(logProbs, ref, preferences, BETA, 3).value().backward();
        assertTrue(ref.grad() == null && preferences.grad() == null);
    }

    @Test
    void longAnswersStayFinite() {
        Tensor logProbs = rows(-1e6, -1, 0, -1e6).requiresGrad();
        Loss loss = Egpo.sequences(logProbs, rows(-1, -1e6, 0, 0), rows(0, 1, 1, 0), 1e-4, 2);
        loss.value().backward();
        assertTrue(
                loss.value().isFinite().allTrue() && logProbs.grad().isFinite().allTrue());
    }

    @Test
    void badArgumentsAreRefused() {
        Tensor three = Tensor.of(new double[3], 1, 3);
        Tensor two = rows(0, 0);
        refused("logProbs must be [B, 2], was [B, 3]", () -> Egpo.sequences(three, three, three, BETA, 1));
        refused("logProbs", () -> Egpo.sequences(Tensor.of(1, 2), two, two, BETA, 1));
        refused("refLogProbs", () -> Egpo.sequences(two, rows(0, 0, 0, 0), two, BETA, 1));
        refused("beta", () -> Egpo.sequences(two, two, two, -1, 1));
        Tensor threeRows = rows(0, 0, 0, 0, 0, 0);
        refused("pairsInStep", () -> Egpo.sequences(threeRows, threeRows, threeRows, BETA, 2));
        refused("pairsInStep", () -> Egpo.sequences(two, two, two, BETA, 0));
        refused("preferences", () -> Egpo.sequences(two, two, rows(0, 0, 0, 0), BETA, 1));
    }
}
