package dev.kedge.objective.preference;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.kedge.objective.InScope;
import dev.kedge.objective.Loss;
import dev.kedge.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(InScope.class)
class AdpoRankingTest {
    private static final double TAU = 0.8;

    @Test
    void splittingTheStepUnevenlyLeavesTheLossUnchanged() {
        Tensor preferences = AdpoTargets.softPreferences(Tensor.of(Sets.Q), 0.1);
        double whole = Adpo.pairwise(Sets.all(TAU), preferences, 3).value().item();
        double parts = 0;
        for (int[] part : new int[][] {{0, 1}, {1, 2}}) {
            var u = new AnchoredLogits(Sets.all(TAU).values().narrow(0, part[0], part[1]));
            parts += Adpo.pairwise(u, preferences.narrow(0, part[0], part[1]), 3)
                    .value()
                    .item();
        }
        assertEquals(whole, parts, 1e-14);
    }

    @Test
    void pairwiseIsTheMeanOfItsPairs() {
        double[][] rewards = {{1, 0, 0.5, 0.5}, {2, 2, 2, 2}, {-1, 3, 0, 1}};
        double temperature = 0.7;
        Loss loss = Adpo.pairwise(Sets.all(TAU), AdpoTargets.softPreferences(Tensor.of(rewards), temperature), 3);
        for (int s = 0; s < 3; s++) {
            double sum = 0;
            double ordered = 0;
            for (int i = 0; i < 4; i++) {
                for (int j = i + 1; j < 4; j++) {
                    double d =
                            ((Sets.POLICY[s][i] - Sets.ANCHOR[s][i]) - (Sets.POLICY[s][j] - Sets.ANCHOR[s][j])) / TAU;
                    double q = 1 / (1 + Math.exp(-(rewards[s][i] - rewards[s][j]) / temperature));
                    sum += q * Math.log1p(Math.exp(-d)) + (1 - q) * Math.log1p(Math.exp(d));
                    ordered += d > 0 ? q : d < 0 ? 1 - q : 0.5;
                }
            }
            assertEquals(sum / 6, loss.metric("loss").toDoubles()[s], 1e-14);
            assertEquals(ordered / 6, loss.metric("accuracy").toDoubles()[s], 1e-14);
        }
    }

    @Test
    void pairwiseWithTwoCandidatesIsListwise() {
        AnchoredLogits u = new AnchoredLogits(Tensor.of(new double[][] {{0.4, -0.2}, {-3, 1}}));
        Tensor preferences = Tensor.of(new double[] {Double.NaN, 0.8, 0.2, Double.NaN, 0.5, 0.3, 0.7, 0.5}, 2, 2, 2);
        Tensor targets = Tensor.of(new double[][] {{0.8, 0.2}, {0.3, 0.7}});
        assertEquals(
                Adpo.listwise(u, targets, 2).value().item(),
                Adpo.pairwise(u, preferences, 2).value().item(),
                1e-15); // the diagonal does not count, whatever it is
    }

    /// Every order of four candidates is drawn with the probability that the loss says.
    @Test
    void plackettLuceIsAProbabilityOverRankings() {
        double total = 0;
        for (int order = 0; order < 256; order++) {
            double[] scores = {order & 3, order >> 2 & 3, order >> 4 & 3, order >> 6 & 3};
            if (Arrays.stream(scores).distinct().count() == 4) {
                var u = new AnchoredLogits(Sets.all(TAU).values().narrow(0, 1, 1));
                total += Math.exp(-3
                        * Adpo.plackettLuce(u, Tensor.of(new double[][] {scores}), 1)
                                .value()
                                .item());
            }
        }
        assertEquals(1, total, 1e-14);
    }

    @Test
    void plackettLuceEqualsTheEquation() {
        double[][] scores = {{0, 3, 1, 2}, {1, 1, 2, 0}, {5, 5, 5, 5}};
        int[][] best = {{1, 3, 2, 0}, {2, 0, 1, 3}, {0, 1, 2, 3}}; // of equal scores the first is higher
        Loss loss = Adpo.plackettLuce(Sets.all(TAU), Tensor.of(scores), 3);
        for (int s = 0; s < 3; s++) {
            double sum = 0;
            double[] logP = Sets.logP(Sets.POLICY[s], Sets.ANCHOR[s], TAU);
            for (int k = 0; k < 3; k++) {
                double rest = 0;
                for (int j = k; j < 4; j++) {
                    rest += Math.exp(logP[best[s][j]]);
                }
                sum += Math.log(rest) - logP[best[s][k]];
            }
            assertEquals(sum / 3, loss.metric("loss").toDoubles()[s], 1e-14);
            assertEquals(
                    Math.exp(logP[best[s][0]]), loss.metric("probability/best").toDoubles()[s], 1e-14);
        }
    }

    /// The largest u less the smallest of each set, whatever the loss.
    @Test
    void theSpreadIsThatOfTheLogits() {
        double[] expected = new double[3];
        Arrays.setAll(expected, s -> {
            double[] u = Sets.logP(Sets.POLICY[s], Sets.ANCHOR[s], TAU);
            return Arrays.stream(u).max().orElseThrow() - Arrays.stream(u).min().orElseThrow();
        });
        Tensor q = Tensor.of(Sets.Q);
        AnchoredLogits u = Sets.all(TAU);
        for (Loss loss : List.of(
                Adpo.listwise(u, q, 3),
                Adpo.pairwise(u, AdpoTargets.hardPreferences(q), 3),
                Adpo.plackettLuce(u, q, 3))) {
            assertArrayEquals(expected, loss.metric("logit/spread").toDoubles(), 1e-14);
        }
    }

    @Test
    void withoutAnAnchorTheLogitsAreLogProbabilitiesOverTheTemperature() {
        double[] u =
                AnchoredLogits.unanchored(Tensor.of(Sets.POLICY), 0.25).values().toDoubles();
        assertArrayEquals(new double[] {-4, -8, -12, -10}, Arrays.copyOf(u, 4));
    }

    @Test
    void thePenaltyIsK3OverTheTokensOfTheStep() {
        double nan = Double.NaN;
        Tensor l = Tensor.of(new double[][] {{-1, -2, nan}, {-0.5, nan, nan}, {nan, nan, nan}})
                .requiresGrad();
        Tensor a = Tensor.of(new double[][] {{-1.5, -1, nan}, {-0.5, nan, 0}, {nan, 0, 0}});
        Tensor mask = Tensor.mask(new boolean[][] {{true, true, false}, {true, false, false}, {false, false, false}});
        Loss loss = Adpo.anchorPenalty(l, a, mask, 1.2, 7);
        loss.value().backward();
        double first = Math.exp(-0.5) + 0.5 - 1 + Math.exp(1) - 1 - 1;
        Tensor one = mask.narrow(0, 1, 1).narrow(1, 0, 1);
        Tensor alone = Adpo.anchorPenalty(
                        Tensor.of(new double[][] {{-1}}), Tensor.of(new double[][] {{-1.5}}), one, 1, 1)
                .value();
        assertEquals(Math.exp(-0.5) + 0.5 - 1, alone.item(), 1e-15);
        assertEquals(1.2 / 7 * first, loss.value().item(), 1e-15);
        assertArrayEquals(new double[] {first, 0, 0}, loss.metric("kl/anchor").toDoubles(), 1e-15);
        assertArrayEquals(new double[] {2, 1, 0}, loss.metric("tokens").toDoubles());
        assertArrayEquals(
                new double[] {1.2 / 7 * (1 - Math.exp(-0.5)), 1.2 / 7 * (1 - Math.exp(1)), 0, 0, 0, 0, 0, 0, 0},
                l.grad().toDoubles(),
                1e-15);
    }
}
