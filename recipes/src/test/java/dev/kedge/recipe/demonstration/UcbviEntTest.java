package dev.kedge.recipe.demonstration;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.env.mdp.BackwardInduction;
import dev.kedge.env.mdp.FiniteHorizonMdp;
import dev.kedge.env.mdp.MdpPolicy;
import dev.kedge.env.mdp.Regularizer;
import dev.kedge.env.mdp.RidgeVisits;
import dev.kedge.env.mdp.VisitBonus;
import dev.kedge.recipe.demonstration.UcbviEnt.Planner;
import dev.kedge.recipe.demonstration.UcbviEnt.Result;
import dev.kedge.recipe.demonstration.UcbviEnt.Task;
import java.util.Collections;
import java.util.List;
import java.util.OptionalDouble;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class UcbviEntTest {
    private static final FiniteEnvironment RIVER = new FiniteEnvironment.RiverSwim(4, 6, 0.9, 0.05, 1);

    private static List<MdpPolicy> uniform(FiniteHorizonMdp environment) {
        return Collections.nCopies(
                environment.horizon(), MdpPolicy.uniform(environment.states(), environment.actions()));
    }

    private static Task task(
            FiniteEnvironment environment, Planner planner, double lambda, int episodes, OptionalDouble stop) {
        FiniteHorizonMdp process = environment.process();
        return new Task(
                process,
                process.reward(),
                environment.features(),
                planner,
                uniform(process),
                _ -> lambda,
                true,
                List.of(),
                episodes,
                stop);
    }

    private static Result learn(Task task) {
        return UcbviEnt.learn(task, new SplittableRandom(3));
    }

    /// One-hot features and a ridge near 0: the regression is the empirical mean, and the norm of a feature one over
    /// the root of its visits.
    @Test
    void linearWithOneHotFeaturesIsTabular() {
        Result tabular =
                learn(task(RIVER, new Planner.Tabular(new VisitBonus.Hoeffding(0.2)), 0.1, 60, OptionalDouble.empty()));
        Result linear = learn(task(RIVER, new Planner.Linear(true, 1e-9, 0.2), 0.1, 60, OptionalDouble.empty()));
        assertArrayEquals(tabular.value(), linear.value(), 1e-6);
        assertTrue(tabular.value()[60] > tabular.value()[0] + 0.5, "it learnt something to compare");
        Result shrunk = learn(task(RIVER, new Planner.Linear(true, 1, 0.2), 0.1, 60, OptionalDouble.empty()));
        assertTrue(Math.abs(shrunk.value()[20] - tabular.value()[20]) > 1e-6, "a ridge of 1 is another method");
    }

    /// With so many episodes it is near what regularised planning on the true process gives, and so is the greedy one.
    @Test
    void findsTheBestPolicy() {
        FiniteHorizonMdp process = RIVER.process();
        Planner planner = new Planner.Tabular(new VisitBonus.Light(0.1));
        Result held = learn(task(RIVER, planner, 0.5, 600, OptionalDouble.empty()));
        var optimum = BackwardInduction.optimal(process, uniform(process), new Regularizer.Kl(0.5));
        double soft = process.expectedReturn(
                BackwardInduction.evaluate(process, optimum.policies()).values()[0]);
        assertEquals(soft, held.value()[600], 0.03);
        Result greedy = learn(task(RIVER, planner, 0, 600, OptionalDouble.empty()));
        double best = process.expectedReturn(BackwardInduction.optimal(process).values()[0]);
        assertEquals(best, greedy.value()[600], 0.03);
        assertTrue(best - soft > 0.05, "the two differ");
    }

    @Test
    void linearLearnsInAWorldThatIsLinear() {
        FiniteEnvironment environment = new FiniteEnvironment.Linear(12, 3, 3, 5, 2);
        Result result = learn(task(environment, new Planner.Linear(false, 0.1, 0.1), 0.02, 60, OptionalDouble.empty()));
        FiniteHorizonMdp process = environment.process();
        double best = process.expectedReturn(BackwardInduction.optimal(process).values()[0]);
        double random = process.expectedReturn(
                BackwardInduction.evaluate(process, uniform(process)).values()[0]);
        assertTrue(result.value()[60] > random + 0.8 * (best - random), result.value()[60] + " of " + best);
    }

    @Test
    void stopsWhereItsOwnBoundIsSmallEnough() {
        FiniteEnvironment tiny = new FiniteEnvironment.Garnet(2, 2, 2, 2, 1);
        Planner planner = new Planner.Tabular(new VisitBonus.Light(0.02));
        Result whole = learn(task(tiny, planner, 0.5, 300, OptionalDouble.of(1e-9)));
        assertEquals(300, whole.played());
        assertTrue(whole.bound()[300] < whole.bound()[0]);
        double enough = whole.bound()[200];
        Result stopped = learn(task(tiny, planner, 0.5, 300, OptionalDouble.of(enough)));
        assertTrue(stopped.played() <= 200 && stopped.played() > 0);
        assertTrue(stopped.bound()[stopped.played()] <= enough && stopped.bound()[stopped.played() - 1] > enough);
        assertEquals(whole.value()[stopped.played()], stopped.value()[300]);
        assertEquals(
                Double.POSITIVE_INFINITY,
                learn(task(tiny, planner, 0, 3, OptionalDouble.of(1))).bound()[3]);
    }

    @Test
    void episodesAreCountedUntilTheValueStays() {
        Result result = new Result(new double[] {0, 2, 1, 2, 3}, new double[5], List.of(), 4);
        assertEquals(3, result.episodesTo(1.5));
        assertEquals(0, result.episodesTo(0));
        assertEquals(5, result.episodesTo(4));
    }

    @Test
    void badTasksAreRefused() {
        FiniteHorizonMdp process = RIVER.process();
        Planner planner = new Planner.Tabular(new VisitBonus.Light(0.1));
        assertEquals(
                "lambda must be finite and > 0, was -1.0",
                assertThrows(IllegalArgumentException.class, () -> task(RIVER, planner, -1, 10, OptionalDouble.empty()))
                        .getMessage());
        List<MdpPolicy> never = Collections.nCopies(6, MdpPolicy.deterministic(new int[] {1, 0, 1, 1}, 2));
        var error = assertThrows(
                IllegalArgumentException.class,
                () -> new Task(
                        process,
                        process.reward(),
                        RidgeVisits.oneHot(4, 2),
                        planner,
                        never,
                        _ -> 0.1,
                        true,
                        List.of(),
                        10,
                        OptionalDouble.empty()));
        assertEquals(
                "stage 0, state 0, action 0: the reference never takes it, and no policy held to it can; smooth the"
                        + " reference",
                error.getMessage());
    }
}
