package dev.kedge.lab.tabular;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.lab.tabular.Bandit.Evaluation;
import java.util.List;
import org.junit.jupiter.api.Test;

class SweepTest {
    private static final Evaluation DIVERGED = new Evaluation(Double.NaN, Double.NaN, Double.NaN, Double.NaN);

    private static final Sweep SWEEP = new Sweep(
            new double[] {4, 2, 1, 0.5, 0.25},
            List.of(
                    new Evaluation(0.1, 1, 3, 0.1),
                    DIVERGED,
                    new Evaluation(0.5, 2, 2, 0.3),
                    new Evaluation(1.5, 1.5, 1, 0.9),
                    new Evaluation(4, 0.2, 0.1, 2)));

    @Test
    void theFrontierIsWhatNothingElseDominates() {
        assertEquals(2, SWEEP.best().reward());
        var frontier = SWEEP.frontier().evaluations();
        assertEquals(5, frontier.size());
        assertEquals(SWEEP.evaluations().get(0), frontier.get(0));
        assertEquals(SWEEP.evaluations().get(2), frontier.get(2));
        assertFalse(frontier.get(1).isFinite()
                || frontier.get(3).isFinite()
                || frontier.get(4).isFinite());
    }

    /// A weaker strength that happens to reach less divergence counts as any other.
    @Test
    void theFrontierDoesNotAskForTheOrderOfTheStrengths() {
        var evaluations = List.of(
                new Evaluation(2, 1, 1, 1),
                new Evaluation(3, 2, 1, 1),
                new Evaluation(1, 1, 1, 1),
                new Evaluation(0.5, 0.5, 2, 0));
        var frontier =
                new Sweep(new double[] {4, 3, 2, 1}, evaluations).frontier().evaluations();
        assertFalse(frontier.get(0).isFinite(), "as much reward at less divergence");
        assertEquals(evaluations.subList(1, 4), frontier.subList(1, 4));
    }

    @Test
    void ofTwoEqualStandingsNeitherDominates() {
        var evaluation = new Evaluation(1, 1, 1, 1);
        var sweep = new Sweep(new double[] {2, 1}, List.of(evaluation, evaluation));
        assertEquals(sweep.evaluations(), sweep.frontier().evaluations());
    }

    @Test
    void curvesGoThroughWhatIsFinite() {
        assertEquals(0.2, SWEEP.shortfall().at(0.3), 1e-12);
        assertEquals(4, SWEEP.shortfall().to());
        var entropies = SWEEP.frontier().curve(Evaluation::reward, Evaluation::entropy);
        assertEquals(1, entropies.from());
        assertEquals(2, entropies.to());
        assertEquals(2.5, entropies.at(1.5), 1e-12);
    }

    @Test
    void anArmNamesItsStrengths() {
        var arm = SWEEP.arm("dpo", "β", Evaluation::kl, Evaluation::reward);
        assertEquals("dpo", arm.name());
        assertEquals("β 0.25", arm.points().getLast().label());
        assertEquals(0.2, arm.points().getLast().y().value());
    }

    @Test
    void whereEveryPolicyDivergedThereIsNoBest() {
        var sweep = new Sweep(new double[] {1}, List.of(DIVERGED));
        assertTrue(assertThrows(IllegalStateException.class, sweep::best)
                .getMessage()
                .contains("diverged"));
        assertThrows(IllegalArgumentException.class, () -> new Sweep(new double[2], List.of(DIVERGED)));
    }
}
