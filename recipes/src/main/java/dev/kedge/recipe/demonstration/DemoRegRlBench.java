package dev.kedge.recipe.demonstration;

import dev.kedge.env.mdp.BackwardInduction;
import dev.kedge.env.mdp.FiniteHorizonMdp;
import dev.kedge.env.mdp.Policy;
import dev.kedge.env.mdp.Regularizer;
import dev.kedge.env.mdp.Trajectory;
import dev.kedge.recipe.demonstration.DemoRegRlRecipe.Arm;
import dev.kedge.recipe.demonstration.DemoRegRlRecipe.Config;
import dev.kedge.recipe.demonstration.DemoRegRlRecipe.Preferences;
import dev.kedge.recipe.demonstration.DemoRegRlRecipe.Strength;
import dev.kedge.recipe.demonstration.UcbviEnt.Course;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.OptionalDouble;
import java.util.SplittableRandom;
import java.util.function.IntToDoubleFunction;

/// A world, its expert, and the arms of demonstration-regularized learning at work in it.
///
/// @param best the value of the best policy
public record DemoRegRlBench(
        Config config, FiniteHorizonMdp world, double[][][] features, List<Policy> expert, double best) {
    /// What an arm came to.
    ///
    /// @param demonstrations N_E, 0 where there are none
    /// @param lambda         at the end, 0 where it is not held to anything
    /// @param divergence     KLtraj(expert||reference), 0 where there is no reference
    public record Trial(Arm arm, int demonstrations, Course course, double lambda, double divergence) {}

    /// A policy planned on learnt rewards.
    ///
    /// @param value  true value
    /// @param kl     from the clone, nats
    public record Judged(int pairs, double lambda, double value, double kl) {
        String title() {
            return "λ " + lambda + ", " + pairs + " pairs";
        }
    }

    /// Demonstrations of a repetition.
    ///
    /// @param expert trajectories of the expert, as many as the most that are needed
    /// @param random as many of uniformly random play
    public record Teaching(List<Trajectory> expert, List<Trajectory> random) {}

    public static DemoRegRlBench of(Config config) {
        FiniteHorizonMdp world = config.environment().process();
        var optimum = BackwardInduction.optimal(world);
        Policy any = Policy.uniform(world.states(), world.actions());
        List<Policy> expert = optimum.policies().stream()
                .map(policy -> policy.mixedWith(any, config.noise()))
                .toList();
        return new DemoRegRlBench(
                config, world, config.environment().features(), expert, world.expectedReturn(optimum.values()[0]));
    }

    /// What draws from a seed has a generator of its own: chance must not be the same twice.
    private enum Draws {
        DEMONSTRATIONS,
        EPISODES,
        PAIRS;

        SplittableRandom random(long seed) {
            var random = new SplittableRandom(seed);
            for (int i = 0; i < ordinal(); i++) {
                random.split();
            }
            return random.split();
        }
    }

    public Teaching teach(long seed) {
        SplittableRandom random = Draws.DEMONSTRATIONS.random(seed);
        int most = config.demonstrations().stream().mapToInt(n -> n).max().orElse(0);
        int count = Math.max(
                most, config.preferences().map(Preferences::demonstrations).orElse(0));
        return new Teaching(drawn(expert, count, random), drawn(uniform(), count, random));
    }

    private List<Trajectory> drawn(List<Policy> policies, int count, SplittableRandom random) {
        List<Trajectory> drawn = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            drawn.add(Trajectory.sample(world, policies, random));
        }
        return drawn;
    }

    private List<Policy> uniform() {
        return Collections.nCopies(world.horizon(), Policy.uniform(world.states(), world.actions()));
    }

    public List<Policy> clone(List<Trajectory> demonstrations) {
        return config.cloning().learn(world, features, demonstrations);
    }

    /// True value of policies.
    public double value(List<Policy> policies) {
        return world.expectedReturn(BackwardInduction.evaluate(world, policies).values()[0]);
    }

    /// Runs an arm. What it draws is a function of the seed: arms of a repetition share it.
    public Trial trial(Arm arm, int n, Teaching teaching, long seed) {
        SplittableRandom random = Draws.EPISODES.random(seed);
        return switch (arm) {
            case Arm.Greedy(boolean explores) -> greedy(arm, 0, List.of(), explores, random);
            case Arm.Counted(boolean explores) ->
                greedy(arm, n, teaching.expert().subList(0, n), explores, random);
            case Arm.Uniform(double lambda) -> held(arm, 0, uniform(), expert, _ -> lambda, random);
            case Arm.Regularized(Strength strength) ->
                held(arm, n, teaching.expert().subList(0, n), expert, strength, random);
            case Arm.Misled(Strength strength) ->
                held(arm, n, teaching.random().subList(0, n), uniform(), strength, random);
            case Arm.Clone _ -> {
                List<Policy> clone = clone(teaching.expert().subList(0, n));
                double[] value = new double[config.episodes() + 1];
                double[] never = new double[value.length];
                Arrays.fill(never, Double.POSITIVE_INFINITY);
                Arrays.fill(value, value(clone));
                double divergence = BackwardInduction.trajectoryKl(world, expert, clone);
                yield new Trial(arm, n, new Course(value, never, clone, 0), 0, divergence);
            }
        };
    }

    private Trial greedy(Arm arm, int n, List<Trajectory> known, boolean explores, SplittableRandom random) {
        Course course = UcbviEnt.learn(task(uniform(), _ -> 0, explores, known), random);
        return new Trial(arm, n, course, 0, 0);
    }

    private Trial held(
            Arm arm,
            int n,
            List<Trajectory> demonstrations,
            List<Policy> teacher,
            Strength strength,
            SplittableRandom random) {
        List<Policy> clone = clone(demonstrations);
        double divergence = BackwardInduction.trajectoryKl(world, teacher, clone);
        int cells = world.horizon() * world.states() * world.actions();
        return held(arm, n, clone, teacher, strength.lambda(divergence, n, cells), random);
    }

    private Trial held(
            Arm arm,
            int n,
            List<Policy> ref,
            List<Policy> teacher,
            IntToDoubleFunction lambda,
            SplittableRandom random) {
        Course course = UcbviEnt.learn(task(ref, lambda, true, List.of()), random);
        return new Trial(
                arm,
                n,
                course,
                lambda.applyAsDouble(course.played()),
                BackwardInduction.trajectoryKl(world, teacher, ref));
    }

    private UcbviEnt.Task task(List<Policy> ref, IntToDoubleFunction lambda, boolean explores, List<Trajectory> known) {
        return new UcbviEnt.Task(
                world,
                world.reward(),
                features,
                config.planner(),
                ref,
                lambda,
                explores,
                known,
                config.episodes(),
                config.stop().map(OptionalDouble::of).orElse(OptionalDouble.empty()));
    }

    /// Learns rewards from as many pairs as there are to be, and plans with them at every strength.
    public List<Judged> judge(Preferences preferences, Teaching teaching, long seed) {
        List<Policy> clone = clone(teaching.expert().subList(0, preferences.demonstrations()));
        int most = preferences.pairs().stream().mapToInt(n -> n).max().orElseThrow();
        List<PreferredRewards.Pair> pairs = PreferredRewards.pairs(world, clone, most, Draws.PAIRS.random(seed));
        List<Judged> judged = new ArrayList<>();
        for (int n : preferences.pairs()) {
            double[][][] reward = PreferredRewards.fit(world, pairs.subList(0, n), preferences.unseen());
            for (double lambda : preferences.lambdas()) {
                List<Policy> policies = preferences.episodes() == 0
                        ? planned(reward, clone, lambda)
                        : explored(reward, clone, lambda, preferences.episodes(), Draws.EPISODES.random(seed));
                judged.add(
                        new Judged(n, lambda, value(policies), BackwardInduction.trajectoryKl(world, policies, clone)));
            }
        }
        return judged;
    }

    private List<Policy> planned(double[][][] reward, List<Policy> clone, double lambda) {
        Regularizer regularizer = lambda == 0 ? new Regularizer.None() : new Regularizer.Kl(lambda);
        var known = new FiniteHorizonMdp(world.transitions(), reward, world.start());
        return BackwardInduction.optimal(known, clone, regularizer).policies();
    }

    private List<Policy> explored(
            double[][][] reward, List<Policy> clone, double lambda, int episodes, SplittableRandom random) {
        return UcbviEnt.learn(
                        new UcbviEnt.Task(
                                world,
                                reward,
                                features,
                                config.planner(),
                                clone,
                                _ -> lambda,
                                true,
                                List.of(),
                                episodes,
                                OptionalDouble.empty()),
                        random)
                .policies();
    }
}
