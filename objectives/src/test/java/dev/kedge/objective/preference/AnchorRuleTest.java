package dev.kedge.objective.preference;

import static dev.kedge.objective.Refused.refused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.kedge.objective.preference.AnchorRule.Decision;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AnchorRuleTest {
    /// What is kept after each of the steps, whose divergences are given.
    private static List<Double> kept(AnchorRule rule, double... divergences) {
        List<Double> kept = new ArrayList<>();
        List<Double> recent = List.of();
        for (int step = 1; step <= divergences.length; step++) {
            Decision decision = rule.after(step, recent, divergences[step - 1]);
            kept.add(decision.kept());
            recent = decision.recent();
        }
        return kept;
    }

    @Test
    void aFixedAnchorStays() {
        assertEquals(List.of(1.0, 1.0, 1.0), kept(new AnchorRule.Fixed(), 9, 9, Double.NaN));
    }

    @Test
    void everyThirdStepCopies() {
        assertEquals(List.of(1.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0), kept(new AnchorRule.Every(3), 0, 0, 0, 0, 0, 0, 0));
        assertEquals(List.of(0.0, 0.0), kept(new AnchorRule.Every(1), 0, 0));
    }

    /// A parameter that jumps from 0 to 1: the anchor follows as 1 - c^n.
    @Test
    void theMovingAverageFollowsGeometrically() {
        double anchor = 0;
        for (double kept : kept(new AnchorRule.Ema(0.9), new double[20])) {
            anchor = kept * anchor + (1 - kept) * 1;
        }
        assertEquals(1 - Math.pow(0.9, 20), anchor, 1e-14);
    }

    @Test
    void aFullWindowWithALargeMeanCopiesAndStartsAnew() {
        var rule = new AnchorRule.KlTriggered(0.5, 3);
        // 4 alone is no window; (4, 0, 0) is one; then it fills again, where a mean of 0.5 is not above 0.5
        assertEquals(List.of(1.0, 1.0, 0.0, 1.0, 1.0, 1.0, 0.0), kept(rule, 4, 0, 0, 0.5, 0.25, 0.75, 0.75));
    }

    @Test
    void onlyTheLastOfTheWindowCount() {
        var rule = new AnchorRule.KlTriggered(1, 2);
        assertEquals(List.of(1.0, 1.0, 1.0, 1.0, 0.0), kept(rule, 0.5, 0.5, 1.4, 0.5, 1.6));
        assertEquals(
                List.of(0.2, 0.3), rule.after(4, List.of(9.0, 9.0, 0.2), 0.3).recent());
    }

    @Test
    void aWindowOfOneLooksAtThisStepAlone() {
        assertEquals(List.of(1.0, 0.0, 1.0, 0.0), kept(new AnchorRule.KlTriggered(0.5, 1), 0.4, 0.6, 0.5, 9));
    }

    /// What was remembered is all that is needed to go on: a run that is cut off anywhere decides the same.
    @Test
    void theDecisionIsAFunctionOfWhatIsPassed() {
        var rule = new AnchorRule.KlTriggered(0.1, 2);
        Decision first = rule.after(1, List.of(), 0.3);
        assertEquals(new Decision(1, List.of(0.3)), first);
        assertEquals(new Decision(0, List.of()), rule.after(2, new ArrayList<>(first.recent()), 0.01));
        assertEquals(new Decision(1, List.of(0.3, -0.2)), rule.after(2, first.recent(), -0.2));
    }

    @ParameterizedTest
    @ValueSource(doubles = {Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY})
    void aDivergenceThatIsNoNumberIsRefused(double divergence) {
        var rule = new AnchorRule.KlTriggered(0.1, 2);
        var e = assertThrows(IllegalArgumentException.class, () -> rule.after(1, List.of(), divergence));
        assertEquals("divergence must be finite, was " + divergence, e.getMessage());
    }

    @Test
    void whatIsOutOfRangeIsRefused() {
        refused("steps", () -> new AnchorRule.Every(0));
        for (double wrong : new double[] {-0.1, 1, Double.NaN}) {
            refused("coefficient", () -> new AnchorRule.Ema(wrong));
        }
        for (double wrong : new double[] {0, -1, Double.NaN, Double.POSITIVE_INFINITY}) {
            refused("threshold", () -> new AnchorRule.KlTriggered(wrong, 10));
        }
        refused("window", () -> new AnchorRule.KlTriggered(0.1, 0));
        for (AnchorRule rule : List.of(
                new AnchorRule.Fixed(),
                new AnchorRule.Every(2),
                new AnchorRule.Ema(0.9),
                new AnchorRule.KlTriggered(0.1, 2))) {
            refused("step counts those done", () -> rule.after(0, List.of(), 0));
        }
    }
}
