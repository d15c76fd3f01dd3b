package dev.kedge.recipe.preference;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.objective.Loss;
import dev.kedge.objective.preference.PreferenceLogProbs;
import dev.kedge.sequence.PreferenceLoss;
import dev.kedge.sequence.PreferenceLoss.DivergenceName;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.util.List;
import java.util.Optional;
import java.util.function.DoubleFunction;
import java.util.function.ToDoubleFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/// Each name against its closed form on one pair: which function is meant, and with which numbers.
class PreferenceLossTest {
    /// Every loss that one strength makes, by its strength.
    static final List<DoubleFunction<PreferenceLoss>> FORMS = List.of(
            PreferenceLoss.Sigmoid::new,
            b -> new PreferenceLoss.Conservative(b, 0.1),
            b -> new PreferenceLoss.Robust(b, 0.1),
            PreferenceLoss.Ipo::new,
            PreferenceLoss.Hinge::new,
            PreferenceLoss.ReferenceFree::new,
            PreferenceLoss.LengthNormalized::new,
            b -> new PreferenceLoss.Cpo(b, 1),
            PreferenceLoss.Orpo::new,
            b -> new PreferenceLoss.SimPo(b, 0.5),
            b -> new PreferenceLoss.FDpo(b, DivergenceName.FORWARD_KL, Optional.empty(), Optional.empty()));

    private static final double BETA = 0.3;
    private static final double CHOSEN = -1.2; // log-prob less the reference's
    private static final double REJECTED = 0.7;
    private static final double[] REFERENCE = {-5, -3};
    private static final int[] TOKENS = {4, 2};

    @Test
    void closedForms() {
        double h = CHOSEN - REJECTED;
        double right = -logSigmoid(BETA * h);
        double flipped = -logSigmoid(-BETA * h);
        equal(right, new PreferenceLoss.Sigmoid(BETA));
        equal(0.9 * right + 0.1 * flipped, new PreferenceLoss.Conservative(BETA, 0.1));
        equal((0.9 * right - 0.1 * flipped) / 0.8, new PreferenceLoss.Robust(BETA, 0.1));
        equal(Math.pow(h - 1 / (2 * BETA), 2), new PreferenceLoss.Ipo(BETA));
        equal(1 - BETA * h, new PreferenceLoss.Hinge(BETA));
        equal(-logSigmoid(BETA * (h + REFERENCE[0] - REFERENCE[1])), new PreferenceLoss.ReferenceFree(BETA));
        equal(-logSigmoid(BETA * (CHOSEN / 4 - REJECTED / 2)), new PreferenceLoss.LengthNormalized(BETA));
        equal(
                -logSigmoid(BETA * (CHOSEN - 5 - REJECTED + 3)) - 0.7 * (CHOSEN - 5) / 4,
                new PreferenceLoss.Cpo(BETA, 0.7));
        equal(-logSigmoid(BETA * ((CHOSEN - 5) / 4 - (REJECTED - 3) / 2) - 0.4), new PreferenceLoss.SimPo(BETA, 0.4));
    }

    /// arXiv:2403.07691, Eq. 6 and 7 at the geometric means of the tokens' probabilities.
    @Test
    void oddsRatio() {
        double chosen = Math.exp((CHOSEN - 5) / 4);
        double rejected = Math.exp((REJECTED - 3) / 2);
        double odds = Math.log(chosen / (1 - chosen)) - Math.log(rejected / (1 - rejected));
        equal(-Math.log(chosen) - BETA * logSigmoid(odds), new PreferenceLoss.Orpo(BETA));
    }

    /// arXiv:2309.16240, Eq. 7 with the derivatives f' of Table 1 at u, the ratio to the reference.
    @Test
    void fDivergences() {
        fDpo(DivergenceName.REVERSE_KL, Optional.empty(), u -> Math.log(u) + 1);
        fDpo(DivergenceName.FORWARD_KL, Optional.empty(), u -> -1 / u);
        fDpo(DivergenceName.JENSEN_SHANNON, Optional.empty(), u -> Math.log(2 * u / (1 + u)));
        fDpo(DivergenceName.ALPHA, Optional.of(0.3), u -> (1 - Math.pow(u, -0.3)) / 0.3);
    }

    private static void fDpo(DivergenceName name, Optional<Double> alpha, ToDoubleFunction<Double> derivative) {
        double margin = derivative.applyAsDouble(Math.exp(CHOSEN)) - derivative.applyAsDouble(Math.exp(REJECTED));
        equal(-logSigmoid(BETA * margin), new PreferenceLoss.FDpo(BETA, name, alpha, Optional.empty()));
    }

    @Test
    void exponentsAreHeldWhereAsked() {
        // Forward KL's exponent is -log u = 1.2 for the chosen reply: held at 0.5.
        double margin = -Math.exp(0.5) + Math.exp(-REJECTED);
        equal(
                -logSigmoid(BETA * margin),
                new PreferenceLoss.FDpo(BETA, DivergenceName.FORWARD_KL, Optional.empty(), Optional.of(0.5)));
    }

    @Test
    void alphaBelongsToOneDivergenceOnly() {
        for (DivergenceName name : DivergenceName.values()) {
            Optional<Double> wrong = name == DivergenceName.ALPHA ? Optional.empty() : Optional.of(0.5);
            var e = assertThrows(
                    IllegalArgumentException.class, () -> new PreferenceLoss.FDpo(1, name, wrong, Optional.empty()));
            assertEquals(
                    "alpha belongs to the alpha divergence and to no other; divergence is "
                            + name.name().toLowerCase(),
                    e.getMessage());
        }
        var e = assertThrows(
                IllegalArgumentException.class,
                () -> new PreferenceLoss.FDpo(1, DivergenceName.ALPHA, Optional.of(1.5), Optional.empty()));
        assertTrue(e.getMessage().contains("1.5"), e.getMessage());
    }

    @Test
    void strengthsThatAreNoneAreRefused() {
        for (double wrong : new double[] {0, -0.1, Double.NaN, Double.POSITIVE_INFINITY}) {
            for (DoubleFunction<PreferenceLoss> form : FORMS) {
                refused("beta must be finite and > 0, was " + wrong, () -> form.apply(wrong));
            }
            refused(
                    "max_exponent must be finite and > 0, was " + wrong,
                    () -> new PreferenceLoss.FDpo(1, DivergenceName.FORWARD_KL, Optional.empty(), Optional.of(wrong)));
        }
        refused("flip_probability must be in [0.0, 0.5), was 0.5", () -> new PreferenceLoss.Conservative(1, 0.5));
        refused("alpha must be in [0.0, Infinity), was -0.1", () -> new PreferenceLoss.Cpo(1, -0.1));
        refused("gamma must be in [0.0, Infinity), was -0.1", () -> new PreferenceLoss.SimPo(1, -0.1));
        refused("flip_probability must be in [0.0, 0.5), was -0.1", () -> new PreferenceLoss.Robust(1, -0.1));
    }

    private static void refused(String message, Executable call) {
        assertEquals(message, assertThrows(IllegalArgumentException.class, call).getMessage());
    }

    private static double logSigmoid(double x) {
        return -Math.log1p(Math.exp(-x));
    }

    private static void equal(double expected, PreferenceLoss objective) {
        try (Scope _ = new Scope()) {
            PreferenceLogProbs lp = new PreferenceLogProbs(
                    Tensor.of(REFERENCE[0] + CHOSEN),
                    Tensor.of(REFERENCE[1] + REJECTED),
                    Tensor.of(REFERENCE[0]),
                    Tensor.of(REFERENCE[1]));
            Tensor[] tokens = {Tensor.of((double) TOKENS[0]), Tensor.of((double) TOKENS[1])};
            Loss loss = objective.loss(lp, tokens, 1);
            assertEquals(expected, loss.value().item(), 1e-12, objective.toString());
            assertEquals(expected / 4, objective.loss(lp, tokens, 4).value().item(), 1e-12, "a quarter of a step");
            PreferenceLogProbs unscored = PreferenceLogProbs.referenceFree(lp.chosen(), lp.rejected());
            double without = objective.loss(unscored, tokens, 1).value().item();
            assertEquals(objective.needsReference(), Math.abs(without - expected) > 1e-12, objective.toString());
            assertTrue(Double.isFinite(loss.metric("reward/chosen").item()));
            assertTrue(Double.isFinite(loss.metric("reward/rejected").item()));
        }
    }
}
