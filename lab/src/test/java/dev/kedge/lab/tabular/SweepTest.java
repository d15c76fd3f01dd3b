package dev.kedge.lab.tabular;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.lab.tabular.Bandit.Standing;
import java.util.List;
import org.junit.jupiter.api.Test;

class SweepTest {
    private static final Standing DIVERGED = new Standing(Double.NaN, Double.NaN, Double.NaN, Double.NaN);

    private static final Sweep SWEEP = new Sweep(
            new double[] {4, 2, 1, 0.5, 0.25},
            List.of(
                    new Standing(0.1, 1, 3, 0.1),
                    DIVERGED,
                    new Standing(0.5, 2, 2, 0.3),
                    new Standing(1.5, 1.5, 1, 0.9),
                    new Standing(4, 0.2, 0.1, 2)));

    @Test
    void theUsefulPartEndsWithTheMostReward() {
        assertEquals(2, SWEEP.best().reward());
        var useful = SWEEP.useful();
        assertEquals(5, useful.standings().size());
        assertEquals(SWEEP.standings().subList(0, 1), useful.standings().subList(0, 1));
        assertEquals(SWEEP.standings().get(2), useful.standings().get(2));
        assertFalse(useful.standings().get(3).isFinite()
                || useful.standings().get(4).isFinite());
    }

    @Test
    void curvesGoThroughWhatIsFinite() {
        assertEquals(0.2, SWEEP.shortfall().at(0.3), 1e-12);
        assertEquals(4, SWEEP.shortfall().to());
        var entropies = SWEEP.useful().curve(Standing::reward, Standing::entropy);
        assertEquals(1, entropies.from());
        assertEquals(2, entropies.to());
        assertEquals(2.5, entropies.at(1.5), 1e-12);
    }

    @Test
    void anArmNamesItsStrengths() {
        var arm = SWEEP.arm("dpo", "β", Standing::kl, Standing::reward);
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
