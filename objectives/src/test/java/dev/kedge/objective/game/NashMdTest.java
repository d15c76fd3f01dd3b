package dev.kedge.objective.game;

import static dev.kedge.objective.Refused.refused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;

import dev.kedge.env.Categorical;
import dev.kedge.env.MirrorDescent;
import dev.kedge.env.PreferenceGame;
import dev.kedge.env.RegularizedGame;
import dev.kedge.objective.InScope;
import dev.kedge.objective.Loss;
import dev.kedge.tensor.Tensor;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(InScope.class)
class NashMdTest {
    private static final double BETA = 0.2;
    private static final double SHARE = 0.15;
    private static final Single FIRST = new Single(0);

    /// One game alone.
    record Single(int g) {
        MatrixGames tensors() {
            return Games.of(new double[][][] {Games.P[g]}, new double[][] {Games.REF_LOGITS[g]});
        }

        double[] logRef() {
            return Games.logProbs(Games.REF_LOGITS[g]);
        }
    }

    /// `~ π^(1-c)·ref^c` from probabilities.
    private static double[] mixture(double[] logPolicy, double[] logRef, double share) {
        double[] mass = new double[logPolicy.length];
        Arrays.setAll(mass, y -> Math.pow(Math.exp(logPolicy[y]), 1 - share) * Math.pow(Math.exp(logRef[y]), share));
        double sum = Arrays.stream(mass).sum();
        return Arrays.stream(mass).map(m -> Math.log(m / sum)).toArray();
    }

    private static double[] gradient(double... logits) {
        Tensor leaf = Games.logits(logits).requiresGrad();
        NashMdPg.nashMdPg(leaf.logSoftmax(1), FIRST.tensors(), BETA, SHARE, 1)
                .value()
                .backward();
        return leaf.grad().toDoubles();
    }

    @Test
    void theMixtureIsGeometric() {
        double[] policy = Games.logProbs(0.5, 0, -0.5);
        Tensor mixed = NashMd.mixture(Games.logits(policy), FIRST.tensors().logRef(), SHARE);
        assertArrayEquals(mixture(policy, FIRST.logRef(), SHARE), mixed.toDoubles(), 1e-14);
    }

    @Test
    void isTheLossAgainstTheMixture() {
        double[] policy = Games.logProbs(0.5, 0, -0.5);
        Tensor opponent = Games.logits(mixture(policy, FIRST.logRef(), SHARE));
        assertEquals(
                Egpo.egpo(Games.logits(policy), opponent, FIRST.tensors(), BETA, 1)
                        .value()
                        .item(),
                NashMd.nashMd(Games.logits(policy), FIRST.tensors(), BETA, SHARE, 1)
                        .value()
                        .item(),
                1e-13);
    }

    @Test
    void aPlainStepIsThatOfMirrorDescent() {
        double lr = 0.05;
        Tensor leaf = Games.logits(0.5, 0, -0.5).requiresGrad();
        NashMd.nashMd(leaf.logSoftmax(1), FIRST.tensors(), BETA, SHARE, 1)
                .value()
                .backward();
        double[] next = leaf.detach().minus(leaf.grad().times(lr)).toDoubles();
        var mirror = new MirrorDescent(
                new PreferenceGame(Games.P[0]), Games.REF_LOGITS[0], BETA * Games.ACTIONS / (4 * lr), BETA);
        assertArrayEquals(mirror.nashMd(Games.logProbs(0.5, 0, -0.5), SHARE), Categorical.logSoftmax(next), 1e-13);
    }

    @Test
    void withoutTheReferenceInTheMixtureItIsOnlineIpo() {
        Tensor policy = Games.policy(Games.LOGITS);
        assertEquals(
                OnlineIpo.onlineIpo1(policy, Games.all(), BETA, 2).value().item(),
                NashMd.nashMd(policy, Games.all(), BETA, 0, 2).value().item(),
                1e-13);
    }

    @Test
    void policyGradientEqualsTheEquation() {
        for (int g = 0; g < 2; g++) {
            double[] logits = Games.game(Games.LOGITS, g);
            double[] policy = Games.logProbs(logits);
            var game = new Single(g);
            double[] mixed = mixture(policy, game.logRef(), SHARE);
            double value = 0;
            double[] advantages = new double[3];
            double mean = 0;
            for (int y = 0; y < 3; y++) {
                advantages[y] = Games.winRate(g, y, mixed) - BETA * (policy[y] - game.logRef()[y]);
                value -= Math.exp(policy[y]) * advantages[y] * policy[y];
                mean += Math.exp(policy[y]) * advantages[y];
            }
            Tensor leaf = Games.logits(logits).requiresGrad();
            Loss loss = NashMdPg.nashMdPg(leaf.logSoftmax(1), game.tensors(), BETA, SHARE, 1);
            loss.value().backward();
            assertEquals(value, loss.value().item(), 1e-13);
            for (int y = 0; y < 3; y++) {
                assertEquals(
                        -Math.exp(policy[y]) * (advantages[y] - mean),
                        leaf.grad().toDoubles()[y],
                        1e-14);
            }
        }
    }

    /// With the mixture held, the gradient is the slope of the value of the game against it.
    @Test
    void policyGradientIsTheSlopeOfTheValue() {
        double[] logits = {0.5, 0, -0.5};
        double[] opponent = mixture(Games.logProbs(logits), FIRST.logRef(), SHARE);
        var game = new RegularizedGame(new PreferenceGame(Games.P[0]), Games.REF_LOGITS[0], BETA);
        double[] gradient = gradient(logits);
        for (int i = 0; i < 3; i++) {
            double[] up = logits.clone();
            double[] down = logits.clone();
            up[i] += 1e-5;
            down[i] -= 1e-5;
            double slope = game.value(Games.logProbs(up), opponent) - game.value(Games.logProbs(down), opponent);
            assertEquals(-slope / 2e-5, gradient[i], 1e-9);
        }
    }

    /// Draws from a policy of weights 1/4, 2/4, 1/4 against the mixture's exact win rates, less 1/2.
    @Test
    void sampledAnswersGiveThePolicyGradient() {
        double[] logits = {Math.log(0.25), Math.log(0.5), Math.log(0.25)};
        double[] mixed = mixture(logits, FIRST.logRef(), SHARE);
        Tensor drawn = Tensor.of(new long[] {0, 1, 1, 2}, 4);
        double[] preferences = new double[4];
        Arrays.setAll(preferences, b -> Games.winRate(0, (int) drawn.toLongs()[b], mixed) - 0.5);
        Tensor leaf = Games.logits(logits).requiresGrad();
        Tensor logProbs = leaf.logSoftmax(1).select(0, 0).indexSelect(0, drawn);
        Tensor ref = FIRST.tensors().logRef().select(0, 0).indexSelect(0, drawn);
        Loss loss = NashMdPg.sequences(logProbs, logProbs, ref, Tensor.of(preferences), BETA, 4);
        loss.value().backward();
        assertArrayEquals(gradient(logits), leaf.grad().toDoubles(), 1e-14);
        assertEquals(
                preferences[1] - BETA * (Math.log(0.5) - FIRST.logRef()[1]),
                loss.metric("advantage").toDoubles()[1],
                1e-14);
    }

    @Test
    void theMixtureGoesFromThePolicyToTheReference() {
        Tensor policy = Games.policy(Games.LOGITS);
        Tensor ref = Games.all().logRef();
        assertArrayEquals(policy.toDoubles(), NashMd.mixture(policy, ref, 0).toDoubles(), 1e-15);
        assertArrayEquals(ref.toDoubles(), NashMd.mixture(policy, ref, 1).toDoubles(), 1e-15);
        Tensor mixed =
                NashMd.mixture(policy.detach().requiresGrad(), ref.detach().requiresGrad(), 0.5);
        assertFalse(mixed.hasGradientGraph());
    }

    @Test
    void onlyThePolicyOfTheSequencesIsLearnt() {
        Tensor logProbs = Tensor.of(-1, -2).requiresGrad();
        Tensor old = Tensor.of(-1.5, -2).requiresGrad();
        Tensor ref = Tensor.of(-1.2, -0.5).requiresGrad();
        Tensor preferences = Tensor.of(0.2, 0.9).requiresGrad();
        Loss loss = NashMdPg.sequences(logProbs, old, ref, preferences, 2, 4);
        loss.value().backward();
        double[] advantages = {0.2 + 2 * 0.3, 0.9 + 2 * 1.5};
        assertArrayEquals(
                new double[] {-advantages[0] / 4, -advantages[1] / 4},
                logProbs.grad().toDoubles(),
                1e-15);
        assertArrayEquals(advantages, loss.metric("advantage").toDoubles(), 1e-15);
        assertArrayEquals(
                new double[] {advantages[0], 2 * advantages[1]},
                loss.metric("loss").toDoubles(),
                1e-14);
        for (Tensor constant : new Tensor[] {old, ref, preferences}) {
            assertNull(constant.grad());
        }
    }

    @Test
    void badArgumentsAreRefused() {
        Tensor policy = Games.policy(Games.LOGITS);
        Tensor v = Tensor.of(0, 0);
        refused("refShare", () -> NashMd.nashMd(policy, Games.all(), BETA, 1.5, 2));
        refused("refShare", () -> NashMd.nashMd(policy, Games.all(), BETA, -0.1, 2));
        refused("refShare", () -> NashMd.nashMd(policy, Games.all(), BETA, Double.NaN, 2));
        refused("beta", () -> NashMdPg.nashMdPg(policy, Games.all(), 0, SHARE, 2));
        refused("logRef", () -> NashMdPg.nashMdPg(policy, Games.worked(), 1, SHARE, 2));
        refused("beta", () -> NashMdPg.sequences(v, v, v, v, 0, 2));
        refused("answersInStep", () -> NashMdPg.sequences(v, v, v, v, BETA, 1));
        refused("refLogProbs", () -> NashMdPg.sequences(v, v, Tensor.of(0.0), v, BETA, 2));
        Tensor row = policy.select(0, 0);
        refused("logPolicy", () -> NashMd.mixture(row, row, SHARE));
        refused("logProbs", () -> NashMdPg.sequences(policy, policy, policy, policy, BETA, 2));
        refused("oldLogProbs", () -> NashMdPg.sequences(v, Tensor.of(0.0), v, v, BETA, 2));
        refused("preferences", () -> NashMdPg.sequences(v, v, v, Tensor.of(0.0), BETA, 2));
    }
}
