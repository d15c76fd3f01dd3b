package dev.kedge.recipe.demonstration;

import dev.kedge.env.mdp.BackwardInduction;
import dev.kedge.env.mdp.FiniteHorizonMdp;
import dev.kedge.env.mdp.MdpPolicy;
import dev.kedge.env.mdp.Regularizer;
import dev.kedge.env.mdp.Trajectory;
import dev.kedge.recipe.demonstration.DemoRegRlConfig.Arm;
import dev.kedge.recipe.demonstration.DemoRegRlConfig.Preferences;
import dev.kedge.recipe.demonstration.DemoRegRlConfig.Strength;
import dev.kedge.recipe.demonstration.UcbviEnt.Result;
import dev.kedge.tensor.Streams;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.OptionalDouble;
import java.util.SplittableRandom;
import java.util.function.IntToDoubleFunction;

/// An environment, its expert, and the arms of demonstration-regularized learning at work in it.
///
/// @param best the value of the best policy
public record DemoRegRlBench(
        DemoRegRlConfig config,
        FiniteHorizonMdp environment,
        double[][][] features,
        List<MdpPolicy> expert,
        double best) {
    /// What an arm came to.
    ///
    /// @param demonstrations N_E, 0 where there are none
    /// @param lambda         at the end, 0 where it is not held to anything
    /// @param divergence     KLtraj(expert||reference), 0 where there is no reference
    public record Trial(Arm arm, int demonstrations, Result result, double lambda, double divergence) {}

    /// A policy planned on learnt rewards.
    ///
    /// @param value  true value
    /// @param kl     from the clone, nats
    public record PlannedPolicy(int pairs, double lambda, double value, double kl) {
        String title() {
            return "λ " + lambda + ", " + pairs + " pairs";
        }
    }

    /// Demonstrations of a repetition.
    ///
    /// @param expert trajectories of the expert, as many as the most that are needed
    /// @param random as many of uniformly random play
    public record Demonstrations(List<Trajectory> expert, List<Trajectory> random) {}

    public static DemoRegRlBench of(DemoRegRlConfig config) {
        FiniteHorizonMdp environment = config.environment().process();
        var optimum = BackwardInduction.optimal(environment);
        MdpPolicy any = MdpPolicy.uniform(environment.states(), environment.actions());
        List<MdpPolicy> expert = optimum.policies().stream()
                .map(policy -> policy.mixedWith(any, config.noise()))
                .toList();
        return new DemoRegRlBench(
                config,
                environment,
                config.environment().features(),
                expert,
                environment.expectedReturn(optimum.values()[0]));
    }

    public Demonstrations demonstrate(long seed) {
        SplittableRandom random = new SplittableRandom(Streams.of(seed, "demonstrations"));
        int most = config.demonstrations().stream().mapToInt(n -> n).max().orElse(0);
        int count = Math.max(
                most, config.preferences().map(Preferences::demonstrations).orElse(0));
        return new Demonstrations(drawn(expert, count, random), drawn(uniform(), count, random));
    }

    private List<Trajectory> drawn(List<MdpPolicy> policies, int count, SplittableRandom random) {
        List<Trajectory> drawn = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            drawn.add(Trajectory.sample(environment, policies, random));
        }
        return drawn;
    }

    private List<MdpPolicy> uniform() {
        return Collections.nCopies(
                environment.horizon(), MdpPolicy.uniform(environment.states(), environment.actions()));
    }

    public List<MdpPolicy> clone(List<Trajectory> demonstrations) {
        return config.cloning().learn(environment, features, demonstrations);
    }

    /// True value of policies.
    public double value(List<MdpPolicy> policies) {
        return environment.expectedReturn(
                BackwardInduction.evaluate(environment, policies).values()[0]);
    }

    /// Runs an arm. What it draws is a function of the seed: arms of a repetition share it.
    public Trial trial(Arm arm, int n, Demonstrations demonstrations, long seed) {
        SplittableRandom random = new SplittableRandom(Streams.of(seed, "episodes"));
        return switch (arm) {
            case Arm.Greedy(boolean explores) -> greedy(arm, 0, List.of(), explores, random);
            case Arm.Counted(boolean explores) ->
                greedy(arm, n, demonstrations.expert().subList(0, n), explores, random);
            case Arm.Uniform(double lambda) -> held(arm, 0, uniform(), expert, _ -> lambda, random);
            case Arm.Regularized(Strength strength) ->
                held(arm, n, demonstrations.expert().subList(0, n), expert, strength, random);
            case Arm.Misled(Strength strength) ->
                held(arm, n, demonstrations.random().subList(0, n), uniform(), strength, random);
            case Arm.Clone _ -> {
                List<MdpPolicy> clone = clone(demonstrations.expert().subList(0, n));
                double[] value = new double[config.episodes() + 1];
                double[] never = new double[value.length];
                Arrays.fill(never, Double.POSITIVE_INFINITY);
                Arrays.fill(value, value(clone));
                double divergence = BackwardInduction.trajectoryKl(environment, expert, clone);
                yield new Trial(arm, n, new Result(value, never, clone, 0), 0, divergence);
            }
        };
    }

    private Trial greedy(Arm arm, int n, List<Trajectory> known, boolean explores, SplittableRandom random) {
        Result result = UcbviEnt.learn(task(uniform(), _ -> 0, explores, known), random);
        return new Trial(arm, n, result, 0, 0);
    }

    private Trial held(
            Arm arm,
            int n,
            List<Trajectory> cloned,
            List<MdpPolicy> demonstrator,
            Strength strength,
            SplittableRandom random) {
        List<MdpPolicy> clone = clone(cloned);
        double divergence = BackwardInduction.trajectoryKl(environment, demonstrator, clone);
        int cells = environment.horizon() * environment.states() * environment.actions();
        return held(arm, n, clone, demonstrator, strength.lambda(divergence, n, cells), random);
    }

    private Trial held(
            Arm arm,
            int n,
            List<MdpPolicy> ref,
            List<MdpPolicy> demonstrator,
            IntToDoubleFunction lambda,
            SplittableRandom random) {
        Result result = UcbviEnt.learn(task(ref, lambda, true, List.of()), random);
        return new Trial(
                arm,
                n,
                result,
                lambda.applyAsDouble(result.played()),
                BackwardInduction.trajectoryKl(environment, demonstrator, ref));
    }

    private UcbviEnt.Task task(
            List<MdpPolicy> ref, IntToDoubleFunction lambda, boolean explores, List<Trajectory> known) {
        return new UcbviEnt.Task(
                environment,
                environment.reward(),
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
    public List<PlannedPolicy> plan(Preferences preferences, Demonstrations demonstrations, long seed) {
        List<MdpPolicy> clone = clone(demonstrations.expert().subList(0, preferences.demonstrations()));
        int most = preferences.pairs().stream().mapToInt(n -> n).max().orElseThrow();
        var drawn = new SplittableRandom(Streams.of(seed, "pairs"));
        List<PreferredRewards.Pair> pairs = PreferredRewards.pairs(environment, clone, most, drawn);
        List<PlannedPolicy> planned = new ArrayList<>();
        for (int n : preferences.pairs()) {
            double[][][] reward = PreferredRewards.fit(environment, pairs.subList(0, n), preferences.unseen());
            for (double lambda : preferences.lambdas()) {
                List<MdpPolicy> policies = preferences.episodes() == 0
                        ? optimal(reward, clone, lambda)
                        : explored(
                                reward,
                                clone,
                                lambda,
                                preferences.episodes(),
                                new SplittableRandom(Streams.of(seed, "episodes")));
                planned.add(new PlannedPolicy(
                        n, lambda, value(policies), BackwardInduction.trajectoryKl(environment, policies, clone)));
            }
        }
        return planned;
    }

    private List<MdpPolicy> optimal(double[][][] reward, List<MdpPolicy> clone, double lambda) {
        Regularizer regularizer = lambda == 0 ? new Regularizer.None() : new Regularizer.Kl(lambda);
        var known = new FiniteHorizonMdp(environment.transitions(), reward, environment.start());
        return BackwardInduction.optimal(known, clone, regularizer).policies();
    }

    private List<MdpPolicy> explored(
            double[][][] reward, List<MdpPolicy> clone, double lambda, int episodes, SplittableRandom random) {
        return UcbviEnt.learn(
                        new UcbviEnt.Task(
                                environment,
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
