package dev.kedge.recipe.demonstration;

import dev.kedge.config.Kind;
import dev.kedge.env.mdp.BackwardInduction;
import dev.kedge.env.mdp.FiniteHorizonMdp;
import dev.kedge.env.mdp.MdpPolicy;
import dev.kedge.env.mdp.OptimisticPlanning;
import dev.kedge.env.mdp.OptimisticPlanning.Bonus;
import dev.kedge.env.mdp.OptimisticPlanning.Bounds;
import dev.kedge.env.mdp.OptimisticPlanning.Estimate;
import dev.kedge.env.mdp.Regularizer;
import dev.kedge.env.mdp.RidgeVisits;
import dev.kedge.env.mdp.Trajectory;
import dev.kedge.env.mdp.VisitBonus;
import dev.kedge.env.mdp.Visits;
import dev.kedge.tensor.Require;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.OptionalDouble;
import java.util.function.Consumer;
import java.util.function.IntToDoubleFunction;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;

/// UCBVI-Ent+, and LSVI-UCB-Ent where values are regressed (arXiv:2310.17303): learns, an episode at a time, the policy
/// that is best for reward less `lambda` times the KL to a reference.
///
/// Rewards are known, transitions are not. Before each episode both bounds of the values are planned on what was seen;
/// the optimistic policy is played, but for one random stage at which the action is taken whose bounds are farthest
/// apart. The optimistic policy is what comes out.
public final class UcbviEnt {
    /// Held to the uniform policy so weakly that nothing but ties can tell: those are broken at random, as an optimist
    /// who always takes the first of equal actions hardly explores.
    private static final double VANISHING = 1e-9;

    private UcbviEnt() {}

    /// How values are estimated from visits.
    public sealed interface Planner {
        /// Every stage, state and action by itself.
        @Kind("tabular")
        record Tabular(VisitBonus bonus) implements Planner {}

        /// Ridge regressions of the next values on the environment's features, with the bonus
        /// `beta·(H - h)·||φ||` in the norm of the inverse covariance.
        ///
        /// @param oneHot take one-hot features, whatever features the environment has
        /// @param ridge  finite and > 0; `beta` likewise
        @Kind("linear")
        record Linear(boolean oneHot, double ridge, double beta) implements Planner {
            public Linear {
                Require.positive("ridge", ridge);
                Require.positive("beta", beta);
            }
        }
    }

    /// What is learnt, and how.
    ///
    /// @param environment    whose transitions are not known
    /// @param reward   that is planned with, in [0, 1]: `[H][S][A]`
    /// @param features of a linear planner: `[S][A][d]`
    /// @param ref      of each stage, with every action in it: `[H]`
    /// @param lambda   from the episodes that are done to the strength, > 0; or 0 throughout: UCBVI, greedy
    /// @param explores whether one stage of an episode goes where the bounds are farthest apart
    /// @param known    trajectories that count as seen before the first episode
    /// @param episodes at most
    /// @param stop     end where the bound on the gap is at most this; empty: never
    public record Task(
            FiniteHorizonMdp environment,
            double[][][] reward,
            double[][][] features,
            Planner planner,
            List<MdpPolicy> ref,
            IntToDoubleFunction lambda,
            boolean explores,
            List<Trajectory> known,
            int episodes,
            OptionalDouble stop) {
        public Task {
            if (episodes < 0) {
                throw new IllegalArgumentException("episodes must be >= 0, was " + episodes);
            }
            if (lambda.applyAsDouble(0) != 0) {
                Require.positive("lambda", lambda.applyAsDouble(0));
                requireEveryAction(ref);
            }
        }
    }

    /// How it went. After the end of a run that stopped early the numbers stay what they were.
    ///
    /// @param value    true value of the optimistic policy for the environment's rewards, after 0, 1, ... episodes:
    ///                 `[T + 1]`
    /// @param bound    the learner's own bound on the regularised gap, infinite where lambda is 0 or no stop asks
    ///                 for it: `[T + 1]`
    /// @param policies the last optimistic ones: `[H]`
    /// @param played   episodes
    public record Result(double[] value, double[] bound, List<MdpPolicy> policies, int played) {
        /// How many episodes it took until the value was at least so much and did not fall below again; one more than
        /// there were where it never came to that.
        public int episodesTo(double wanted) {
            int t = value.length;
            while (t > 0 && value[t - 1] >= wanted) {
                t--;
            }
            return t;
        }
    }

    public static Result learn(Task task, RandomGenerator random) {
        FiniteHorizonMdp environment = task.environment;
        int horizon = environment.horizon();
        double[] high = new double[horizon];
        Arrays.setAll(high, h -> horizon - h);
        List<MdpPolicy> uniform =
                Collections.nCopies(horizon, MdpPolicy.uniform(environment.states(), environment.actions()));
        Visited visited = visited(task);
        task.known.forEach(visited.add);
        double[] value = new double[task.episodes + 1];
        double[] bound = new double[task.episodes + 1];
        for (int t = 0; ; t++) {
            double lambda = task.lambda.applyAsDouble(t);
            Regularizer regularizer = new Regularizer.Kl(lambda == 0 ? VANISHING : lambda);
            List<MdpPolicy> ref = lambda == 0 ? uniform : task.ref;
            Knowledge knowledge = visited.knowledge.get();
            Bounds bounds = OptimisticPlanning.plan(knowledge.estimate, knowledge.bonus, ref, regularizer, 0, high);
            value[t] = environment.expectedReturn(
                    BackwardInduction.evaluate(environment, bounds.policies()).values()[0]);
            bound[t] = lambda == 0 || task.stop.isEmpty()
                    ? Double.POSITIVE_INFINITY
                    : environment.expectedReturn(
                            OptimisticPlanning.gapBound(knowledge.estimate, bounds, knowledge.bonus, lambda, high)[0]);
            boolean enough = task.stop.isPresent() && bound[t] <= task.stop.getAsDouble();
            if (enough || t == task.episodes) {
                Arrays.fill(value, t, value.length, value[t]);
                Arrays.fill(bound, t, bound.length, bound[t]);
                return new Result(value, bound, bounds.policies(), t);
            }
            visited.add.accept(Trajectory.sample(
                    environment, task.explores ? exploring(bounds, random) : bounds.policies(), random));
        }
    }

    /// The optimistic policies; with probability `H/(H + 1)` one stage goes where the bounds are farthest apart.
    private static List<MdpPolicy> exploring(Bounds bounds, RandomGenerator random) {
        List<MdpPolicy> policies = new ArrayList<>(bounds.policies());
        int stage = random.nextInt(policies.size() + 1) - 1;
        if (stage >= 0) {
            int actions = policies.get(stage).actions();
            policies.set(stage, MdpPolicy.deterministic(bounds.explorationAction()[stage], actions));
        }
        return policies;
    }

    private record Knowledge(Estimate estimate, Bonus bonus) {}

    /// What is known of the environment, from what was seen of it.
    private record Visited(Consumer<Trajectory> add, Supplier<Knowledge> knowledge) {}

    private static Visited visited(Task task) {
        FiniteHorizonMdp environment = task.environment;
        int horizon = environment.horizon();
        return switch (task.planner) {
            case Planner.Tabular(VisitBonus bonus) -> {
                var visits = new Visits(horizon, environment.states(), environment.actions());
                yield new Visited(visits::add, () -> {
                    Estimate estimate = visits.estimate(task.reward);
                    return new Knowledge(estimate, bonus.of(estimate, visits.counts()));
                });
            }
            case Planner.Linear(boolean oneHot, double ridge, double beta) -> {
                var features = oneHot ? RidgeVisits.oneHot(environment.states(), environment.actions()) : task.features;
                var visits = new RidgeVisits(horizon, features, ridge);
                yield new Visited(visits::add, () -> {
                    RidgeVisits.Fit fit = visits.fit(task.reward);
                    return new Knowledge(
                            fit.estimate(), (h, s, a, _, _) -> beta * (horizon - h) * fit.norms()[h][s][a]);
                });
            }
        };
    }

    private static void requireEveryAction(List<MdpPolicy> ref) {
        for (int h = 0; h < ref.size(); h++) {
            for (int s = 0; s < ref.get(h).states(); s++) {
                for (int a = 0; a < ref.get(h).actions(); a++) {
                    if (ref.get(h).probability(s, a) == 0) {
                        throw new IllegalArgumentException("stage " + h + ", state " + s + ", action " + a
                                + ": the reference never takes it, and no policy held to it can; smooth the reference");
                    }
                }
            }
        }
    }
}
