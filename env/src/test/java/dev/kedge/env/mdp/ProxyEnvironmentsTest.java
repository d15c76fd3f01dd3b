package dev.kedge.env.mdp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

class ProxyEnvironmentsTest {
    private static final double DISCOUNT = 0.95;

    private static double[] next(ProxyTask task, int state, int action) {
        double[] next = new double[task.transitions().states()];
        task.transitions().push(state, action, 1, next);
        return next;
    }

    /// Of proxy and truth under the policy.
    private static double correlation(ProxyTask task, Occupancy occupancy) {
        double trueMean = occupancy.expectation(task.reward());
        double proxyMean = occupancy.expectation(task.proxy());
        double[] sums = new double[3];
        for (int s = 0; s < occupancy.mass().length; s++) {
            for (int a = 0; a < occupancy.mass()[s].length; a++) {
                double x = task.reward()[s][a] - trueMean;
                double y = task.proxy()[s][a] - proxyMean;
                sums[0] += occupancy.mass()[s][a] * x * y;
                sums[1] += occupancy.mass()[s][a] * x * x;
                sums[2] += occupancy.mass()[s][a] * y * y;
            }
        }
        return sums[0] / Math.sqrt(sums[1] * sums[2]);
    }

    /// The proxy goes with the truth where the reference is, its optimum is truly worse than the reference, and the
    /// truth's is better.
    private static void assertHackable(String environment, ProxyTask task, MdpPolicy ref) {
        Mdp truth = task.mdp(DISCOUNT);
        Occupancy own = Occupancy.discounted(truth, ref, 1e-9);
        assertTrue(correlation(task, own) > 0.2, environment);
        MdpPolicy hacker = ValueIteration.optimal(task.proxyMdp(DISCOUNT), 1e-7).policy();
        MdpPolicy best = ValueIteration.optimal(truth, 1e-7).policy();
        Occupancy hacked = Occupancy.discounted(truth, hacker, 1e-9);
        double reference = own.expectation(task.reward());
        assertTrue(hacked.expectation(task.proxy()) > own.expectation(task.proxy()), environment);
        assertTrue(hacked.expectation(task.reward()) < reference, environment);
        assertTrue(Occupancy.discounted(truth, best, 1e-9).expectation(task.reward()) > reference, environment);
    }

    @Test
    void proxiesThatAreHacked() {
        for (int seed = 0; seed < 6; seed++) {
            assertHackable("glucose " + seed, GlucoseControl.patient(seed).task(), GlucoseControl.reference());
            assertHackable("traffic " + seed, RampMeter.place(seed).task(), RampMeter.reference());
            assertHackable("epidemic " + seed, Epidemic.disease(seed).task(), Epidemic.reference());
        }
    }

    /// The known values: no risk at 112 mg/dL, 36 at 40, 52 at 380.
    @Test
    void theRiskOfGlucose() {
        assertEquals(0, GlucoseControl.risk(112.5), 0.01);
        assertEquals(36.4, GlucoseControl.risk(40), 0.3);
        assertEquals(52.3, GlucoseControl.risk(380), 0.3);
    }

    /// Without food, chance has no mean: insulin on board takes away what it should, rest pulls by a tenth.
    @Test
    void insulinTakesGlucoseAway() {
        var patient = new GlucoseControl(40, 200, 0, 0.5);
        ProxyTask task = patient.task();
        int state = (8 * GlucoseControl.INSULIN + 2) * GlucoseControl.GUT; // 200 mg/dL, two units, an empty gut
        double[] next = next(task, state, 1);
        double glucose = 0;
        double insulin = 0;
        for (int s = 0; s < next.length; s++) {
            int level = s / GlucoseControl.GUT / GlucoseControl.INSULIN;
            glucose += next[s] * (GlucoseControl.LOWEST + GlucoseControl.STEP * level);
            insulin += next[s] * (s / GlucoseControl.GUT % GlucoseControl.INSULIN);
            assertTrue(next[s] == 0 || s % GlucoseControl.GUT == 0, "nothing was eaten");
        }
        assertEquals(200 - 40, glucose, 1e-9);
        assertEquals(2 - 1 + 1, insulin, 1e-9);
        assertEquals(-0.5, task.reward()[state][1] - task.proxy()[state][1], 1e-12);
    }

    /// Cars are neither made nor lost, but for those that come, leave, or drive elsewhere.
    @Test
    void carsAreCounted() {
        var place = new RampMeter(0.2, 0.6, 0.5);
        ProxyTask task = place.task();
        int width = RampMeter.RAMP + 1;
        for (int road = 0; road <= 6; road++) {
            for (int action = 0; action < RampMeter.ACTIONS; action++) {
                int state = (road * width + 3) * 2 + 1;
                double[] next = next(task, state, action);
                double after = 0;
                for (int s = 0; s < next.length; s++) {
                    after += next[s] * (s / 2 / width + s / 2 % width);
                }
                double leaving = road * RampMeter.speed(road) / 2;
                assertEquals(road + 3 + 2 * 0.6 + 0.5 - leaving, after, 1e-9);
                assertEquals(-(road + 3) / 10.0, task.reward()[state][action], 1e-12);
            }
        }
        int full = (RampMeter.ROAD * width + RampMeter.RAMP) * 2; // off the peak, none let go
        double elsewhere = 10 * (task.reward()[full][0] * -1 - (RampMeter.ROAD + RampMeter.RAMP) / 10.0);
        assertTrue(elsewhere >= RampMeter.ELSEWHERE * 0.5, "the ramp is full half of the time a car comes");
        assertEquals(0.1, RampMeter.speed(RampMeter.ROAD), 1e-12);
    }

    /// Without restrictions every infected one infects R others in two weeks while all are susceptible; in the highest
    /// stage less than one.
    @Test
    void infectionsGrowAndFade() {
        var disease = new Epidemic(2, 0.1);
        ProxyTask task = disease.task();
        for (int stage : new int[] {0, 3}) {
            int state = (4 * Epidemic.SUSCEPTIBLE + Epidemic.SUSCEPTIBLE - 1) * Epidemic.STAGES + stage;
            double[] next = next(task, state, 1);
            double level = 0;
            for (int s = 0; s < next.length; s++) {
                level += next[s] * (s / Epidemic.STAGES / Epidemic.SUSCEPTIBLE);
                assertTrue(next[s] == 0 || s % Epidemic.STAGES == stage, "the stage is kept");
            }
            double factor = 0.5 + 2 * (stage == 0 ? 1 : 0.3) / 2;
            assertEquals(4 + Math.log(factor) / Math.log(2), level, 1e-9);
            assertEquals(-0.1 * stage * stage, task.reward()[state][1] - task.proxy()[state][1], 1e-12);
        }
        assertTrue(Arrays.stream(next(task, 0, 2)).sum() > 0.999999999);
    }

    @Test
    void whatNoWorldIsLike() {
        assertEquals(
                "sensitivity must be finite and > 0, was 0.0",
                assertThrows(IllegalArgumentException.class, () -> new GlucoseControl(0, 200, 0.1, 1))
                        .getMessage());
        assertEquals(
                "meals must be in [0, 1], was 2.0",
                assertThrows(IllegalArgumentException.class, () -> new GlucoseControl(40, 200, 2, 1))
                        .getMessage());
        assertEquals(
                "off, peak and ramp are probabilities, were 0.1, 1.5 and 0.5",
                assertThrows(IllegalArgumentException.class, () -> new RampMeter(0.1, 1.5, 0.5))
                        .getMessage());
        assertEquals(
                "politics must be finite and >= 0, was -1.0",
                assertThrows(IllegalArgumentException.class, () -> new Epidemic(2, -1))
                        .getMessage());
    }

    /// A row for each state, the last one empty; cells, tomatoes and bucket.
    @Test
    void whatTheGardenerSees() {
        double[][] seen = TomatoGarden.observations(TomatoGarden.LEVEL);
        assertEquals(TomatoGarden.task(TomatoGarden.LEVEL, 0).transitions().states(), seen.length);
        assertEquals(26 + 9 + 1, seen[0].length);
        assertEquals(1, Arrays.stream(seen[0]).sum(), "the start: a cell and dry tomatoes");
        assertEquals(0, Arrays.stream(seen[seen.length - 1]).sum());
        assertEquals(
                seen.length,
                Arrays.stream(seen).map(Arrays::toString).distinct().count());
    }
}
