package dev.kedge.recipe.demonstration;

import dev.kedge.config.Kind;
import dev.kedge.recipe.demonstration.UcbviEnt.Planner;
import dev.kedge.tensor.Engine;
import dev.kedge.tensor.Require;
import java.util.List;
import java.util.Optional;
import java.util.function.IntToDoubleFunction;

/// What [DemoRegRlRecipe] compares, and where.
///
/// @param environment    what is to be learnt
/// @param noise          the expert is the best policy, but for this share of random actions, in [0, 1]
/// @param demonstrations N_E: how many trajectories, each in turn, >= 1; empty if no arm needs any
/// @param cloning        what becomes of them
/// @param planner        how values are estimated
/// @param arms           what is compared, the first one that is regularised being the run's own
/// @param episodes       of exploration, >= 1
/// @param stop           end an arm where its own bound on the regularised gap is at most this; absent: never,
///                       and there is no such bound among the metrics
/// @param thresholds     gaps whose episodes are counted, each > 0
/// @param preferences    learning rewards, absent: left out
/// @param repetitions    >= 2
/// @param threads        of the engine
/// @param seed           of everything drawn
public record DemoRegRlConfig(
        FiniteEnvironment environment,
        double noise,
        List<Integer> demonstrations,
        Cloning cloning,
        Planner planner,
        List<Arm> arms,
        int episodes,
        Optional<Double> stop,
        List<Double> thresholds,
        Optional<Preferences> preferences,
        int repetitions,
        int threads,
        long seed) {
    public DemoRegRlConfig {
        Engine.requireThreads(threads);
        if (!(noise >= 0 && noise <= 1)) {
            throw new IllegalArgumentException("noise must be from 0 to 1, was " + noise);
        }
        if (demonstrations.stream().anyMatch(n -> n < 1)
                || demonstrations.stream().distinct().count() < demonstrations.size()) {
            throw new IllegalArgumentException("demonstrations must be different numbers >= 1, were " + demonstrations);
        }
        for (Arm arm : arms) {
            if (arm.needsDemonstrations() && demonstrations.isEmpty()) {
                throw new IllegalArgumentException(
                        "the arm `" + arm.title() + "` needs demonstrations, such as [5, 20, 80], were none");
            }
        }
        if (arms.isEmpty() || arms.stream().map(Arm::title).distinct().count() < arms.size()) {
            throw new IllegalArgumentException("arms must be different, at least one, were "
                    + arms.stream().map(Arm::title).toList());
        }
        if (episodes < 1 || repetitions < 2) {
            throw new IllegalArgumentException(
                    "episodes >= 1 and repetitions >= 2 expected, were " + episodes + " and " + repetitions);
        }
        stop.ifPresent(gap -> Require.positive("stop", gap));
        thresholds.forEach(gap -> Require.positive("thresholds", gap));
    }

    /// A method. Those that need demonstrations are run with each number of them.
    public sealed interface Arm {
        String title();

        default boolean needsDemonstrations() {
            return !(this instanceof Greedy || this instanceof Uniform);
        }

        private static String ucbvi(boolean explores) {
            return explores ? "UCBVI that explores" : "UCBVI";
        }

        /// UCBVI: optimistic, held to nothing.
        ///
        /// @param explores whether one stage of an episode goes where the bounds are farthest apart, as in
        ///                 UCBVI-Ent+; UCBVI itself always plays its optimistic policy
        @Kind("greedy")
        record Greedy(boolean explores) implements Arm {
            @Override
            public String title() {
                return ucbvi(explores);
            }
        }

        /// UCBVI-Ent+ held to the uniform policy, which needs no demonstrations.
        ///
        /// @param lambda finite and > 0
        @Kind("uniform")
        record Uniform(double lambda) implements Arm {
            public Uniform {
                Require.positive("lambda", lambda);
            }

            @Override
            public String title() {
                return "uniform reference, λ " + lambda;
            }
        }

        /// UCBVI-Ent+ held to the clone: the paper's.
        @Kind("regularized")
        record Regularized(Strength strength) implements Arm {
            @Override
            public String title() {
                return "held to the clone, " + strength.title();
            }
        }

        /// The same with demonstrations of a policy that takes every action with equal probability.
        @Kind("misled")
        record Misled(Strength strength) implements Arm {
            @Override
            public String title() {
                return "held to a clone of random play, " + strength.title();
            }
        }

        /// Behaviour cloning alone.
        @Kind("clone")
        record Clone() implements Arm {
            @Override
            public String title() {
                return "clone alone";
            }
        }

        /// UCBVI for which demonstrations are episodes that it has seen.
        ///
        /// @param explores as above
        @Kind("counted")
        record Counted(boolean explores) implements Arm {
            @Override
            public String title() {
                return ucbvi(explores) + ", demonstrations counted";
            }
        }
    }

    /// How strongly a policy is held to the clone: `lambda`.
    public sealed interface Strength {
        String title();

        /// @param lambda finite and > 0
        @Kind("given")
        record Given(double lambda) implements Strength {
            public Given {
                Require.positive("lambda", lambda);
            }

            @Override
            public String title() {
                return "λ " + lambda;
            }
        }

        /// `lambda = eps/KLtraj(expert||clone)`, which costs at most eps. The divergence is the exact one, which an
        /// oracle knows and a learner does not.
        ///
        /// @param eps finite and > 0
        @Kind("matched")
        record Matched(double eps) implements Strength {
            public Matched {
                Require.positive("eps", eps);
            }

            @Override
            public String title() {
                return "ε " + eps;
            }
        }

        /// `lambda = eps·N_E/(S·A·H)`: by the order of the divergence's bound, which a learner knows.
        ///
        /// @param eps finite and > 0
        @Kind("bound")
        record Bound(double eps) implements Strength {
            public Bound {
                Require.positive("eps", eps);
            }

            @Override
            public String title() {
                return "ε " + eps + " by the bound";
            }
        }

        /// As [Matched] at first; after t episodes divided by `1 + t/half`.
        ///
        /// @param eps  finite and > 0
        /// @param half episodes after which it is halved, >= 1
        @Kind("shrinking")
        record Shrinking(double eps, int half) implements Strength {
            public Shrinking {
                Require.positive("eps", eps);
                if (half < 1) {
                    throw new IllegalArgumentException("half must be at least 1 episode, was " + half);
                }
            }

            @Override
            public String title() {
                return "ε " + eps + " shrinking over " + half;
            }
        }

        /// From episodes done to lambda.
        ///
        /// @param divergence   KLtraj(expert||clone), nats
        /// @param cells        S·A·H
        default IntToDoubleFunction lambda(double divergence, int demonstrations, int cells) {
            return switch (this) {
                case Given(double lambda) -> _ -> lambda;
                case Matched(double eps) -> _ -> eps / divergence;
                case Bound(double eps) -> _ -> eps * demonstrations / cells;
                case Shrinking(double eps, int half) -> t -> eps / divergence / (1 + (double) t / half);
            };
        }
    }

    /// Rewards learnt from pairs of the clone's trajectories; planned with, once the pairs are labelled.
    ///
    /// @param demonstrations of the clone, >= 1
    /// @param pairs          how many, each in turn, >= 1
    /// @param lambdas        strengths, each >= 0; 0 is greedy on the estimate
    /// @param unseen         the reward where pairs tell nothing, in [0, 1]
    /// @param episodes       in which transitions are explored; 0: they are known
    public record Preferences(
            int demonstrations, List<Integer> pairs, List<Double> lambdas, double unseen, int episodes) {
        public Preferences {
            if (demonstrations < 1 || pairs.isEmpty() || pairs.stream().anyMatch(n -> n < 1)) {
                throw new IllegalArgumentException(
                        "demonstrations >= 1 and numbers of pairs >= 1, at least one, expected, were " + demonstrations
                                + " and " + pairs);
            }
            if (lambdas.isEmpty()
                    || lambdas.stream().anyMatch(lambda -> !(lambda >= 0 && lambda < Double.POSITIVE_INFINITY))) {
                throw new IllegalArgumentException(
                        "lambdas must be finite numbers >= 0, at least one, were " + lambdas);
            }
            if (!(unseen >= 0 && unseen <= 1) || episodes < 0) {
                throw new IllegalArgumentException(
                        "unseen from 0 to 1 and episodes >= 0 expected, were " + unseen + " and " + episodes);
            }
        }
    }
}
