package dev.kedge.reproduction.proxies;

import dev.kedge.env.mdp.MdpPolicy;
import dev.kedge.env.mdp.OccupancyAscent;
import dev.kedge.env.mdp.Penalty;
import dev.kedge.env.mdp.Penalty.Divergence;
import dev.kedge.lab.claim.Experiment;
import dev.kedge.lab.claim.Outcome;
import dev.kedge.lab.report.RecordedRun;
import dev.kedge.recipe.occupancy.OccupancyConfig;
import dev.kedge.recipe.occupancy.OccupancyRecipe;
import dev.kedge.recipe.occupancy.ProxyEnvironment;
import dev.kedge.recipe.occupancy.ProxyEnvironment.Evaluation;
import dev.kedge.recipe.occupancy.ProxyEnvironment.Evaluator;
import dev.kedge.reproduction.trial.RecipeTrial;
import dev.kedge.run.result.Frontier;
import dev.kedge.statistics.Estimate;
import dev.kedge.tensor.Streams;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.LongFunction;

/// The experiments behind the claims of Correlated Proxies: policies that optimise a proxy under one penalty or
/// another, and what they are truly worth.
public final class ProxyExperiments {
    static final String REFERENCE = "true reward, reference";
    static final String NONE = "true reward, no penalty";
    static final String THEORY = "true reward, the theory's λ";
    static final String STOPPED = "true reward, stopped early";
    static final String SLACK = "least slack of the bound";
    static final String ABOVE = "√χ² of actions, above the reference";
    static final String SAFE = "the theory's λ, above the reference";
    static final String BEHIND = "the theory's λ, behind the best of √χ² of occupancies";

    private static final double TOLERANCE = 1e-5;
    private static final int STOPS = 80;

    private ProxyExperiments() {}

    /// How large the exact experiments are.
    ///
    /// @param steps            of Adam in the grid, at .05
    /// @param environmentSteps in the other environments, at .1
    /// @param coefficients     of the grid, in standard deviations of the proxy
    /// @param random           policies for which the bound is checked, besides those that are learnt
    public record Scale(int steps, int environmentSteps, List<Double> coefficients, int random) {
        static final Scale PUBLISHED =
                new Scale(800, 200, List.of(20.0, 10.0, 5.0, 2.0, 1.0, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01), 100);
    }

    /// What holds a policy.
    enum Arm {
        OCCUPANCY("√χ² of occupancies", new Penalty.Occupancies(Divergence.ROOT_CHI_SQUARED)),
        OCCUPANCY_KL("KL of occupancies", new Penalty.Occupancies(Divergence.KL)),
        ACTION_KL("KL of actions", new Penalty.Actions(Divergence.KL)),
        ACTION_CHI("χ² of actions", new Penalty.Actions(Divergence.CHI_SQUARED)),
        ACTION_ROOT("√χ² of actions", new Penalty.Actions(Divergence.ROOT_CHI_SQUARED)),
        STATES("√χ² of states", new Penalty.States(Divergence.ROOT_CHI_SQUARED));

        final String title;
        final Penalty penalty;

        Arm(String title, Penalty penalty) {
            this.title = title;
            this.penalty = penalty;
        }

        String number() {
            return "true reward, " + title;
        }
    }

    /// A simulator of every seed, and each arm's coefficient.
    enum Simulator {
        GLUCOSE("glucose", ProxyEnvironment.Glucose::new, 0.5, 2, 20, 5, 2, 1),
        TRAFFIC("traffic", ProxyEnvironment.Traffic::new, 0.1, 1, 5, 1, 2, 0.2),
        PANDEMIC("pandemic", ProxyEnvironment.Pandemic::new, 0.1, 0.1, 0.5, 0.05, 0.2, 0.05);

        final String title;
        private final LongFunction<ProxyEnvironment> of;
        private final Map<Arm, Double> coefficients = new EnumMap<>(Arm.class);

        Simulator(String title, LongFunction<ProxyEnvironment> of, double... coefficients) {
            this.title = title;
            this.of = of;
            for (Arm arm : Arm.values()) {
                this.coefficients.put(arm, coefficients[arm.ordinal()]);
            }
        }

        private String said() {
            List<String> parts = new ArrayList<>();
            coefficients.forEach((arm, c) -> parts.add(arm.title + " " + c));
            return String.join(", ", parts);
        }
    }

    static Experiment grid(Scale s) {
        String description =
                "A 5x5 grid with slips, rewards of 1 in four random cells and a proxy that pays 4 in the far "
                        + "corner too; the reference is a soft optimum with a tenth of random moves. Softmax policies "
                        + "from the reference on, " + s.steps + " steps of Adam along exact gradients. Each penalty's "
                        + "best true reward over the coefficients " + s.coefficients + ", in standard deviations of "
                        + "the proxy; early stopping is the best of " + STOPS + " policies on the way without a "
                        + "penalty. The bound is checked for all policies and " + s.random + " random ones.";
        return new Experiment("grid", description, 12, seed -> gridOutcome(s, seed));
    }

    private static Outcome gridOutcome(Scale s, long seed) {
        Evaluator measured = Evaluator.of(new ProxyEnvironment.Grid(seed));
        Evaluation reference = measured.evaluate(measured.reference());
        List<Evaluation> all = new ArrayList<>();
        List<Frontier.Point> stops = new ArrayList<>();
        double stopped = way(measured, s.steps, all, stops);
        Outcome outcome = Outcome.NOTHING
                .with(REFERENCE, reference.truth())
                .with("correlation", measured.correlation())
                .with(NONE, all.getLast().truth())
                .with(STOPPED, stopped);
        List<Frontier.Arm> arms = new ArrayList<>();
        for (Arm arm : Arm.values()) {
            List<Frontier.Point> points = new ArrayList<>();
            double best = Double.NEGATIVE_INFINITY;
            for (double c : s.coefficients) {
                Evaluation evaluation = climbed(measured, arm.penalty, c, s.steps, 0.05);
                all.add(evaluation);
                points.add(point(evaluation, c + " σ"));
                best = Math.max(best, evaluation.truth());
            }
            arms.add(new Frontier.Arm(arm.title, points));
            outcome = outcome.with(arm.number(), best);
        }
        arms.add(new Frontier.Arm("stopped early", stops));
        Evaluation theory = climbed(measured, Arm.OCCUPANCY.penalty, measured.theory(), s.steps, 0.05);
        all.add(theory);
        double slack = Math.min(
                all.stream().mapToDouble(x -> x.gain() - x.bound()).min().orElseThrow(),
                slack(measured, s.random, seed));
        return outcome.with(THEORY, theory.truth())
                .with(ABOVE, outcome.number(Arm.ACTION_ROOT.number()) - reference.truth())
                .with(BEHIND, outcome.number(Arm.OCCUPANCY.number()) - theory.truth())
                .with(SLACK, slack)
                .with(new Frontier(
                        "True reward against divergence",
                        "KL of occupancies from the reference's, nats",
                        "true reward of a step",
                        arms));
    }

    private static Frontier.Point point(Evaluation evaluation, String label) {
        return new Frontier.Point(evaluation.kl(), Estimate.of(evaluation.truth()), label);
    }

    /// Without a penalty, policies on the way; the best true reward of one.
    private static double way(Evaluator measured, int steps, List<Evaluation> all, List<Frontier.Point> points) {
        var ascent = ascent(measured, new Penalty.None(), 0);
        double best = Double.NEGATIVE_INFINITY;
        for (int step = 1; step <= steps; step++) {
            ascent.step(0.05 * (1 - (step - 1.0) / steps));
            if (step % Math.max(1, steps / STOPS) == 0 || step == steps) {
                Evaluation evaluation = measured.evaluate(ascent.policy());
                all.add(evaluation);
                points.add(point(evaluation, ""));
                best = Math.max(best, evaluation.truth());
            }
        }
        return best;
    }

    /// From the reference on, the rate falling to 0.
    private static Evaluation climbed(Evaluator measured, Penalty penalty, double coefficient, int steps, double rate) {
        var ascent = ascent(measured, penalty, coefficient);
        ascent.climb(steps, rate);
        return measured.evaluate(ascent.policy());
    }

    private static OccupancyAscent ascent(Evaluator measured, Penalty penalty, double coefficient) {
        return new OccupancyAscent(
                measured.proxyMdp(), measured.reference(), penalty, coefficient * measured.sigmaProxy(), TOLERANCE);
    }

    /// Of softmax policies whose logits lie at random, near the reference's and far from them.
    private static double slack(Evaluator measured, int count, long seed) {
        var random = new SplittableRandom(Streams.of(seed, "policies"));
        double least = Double.POSITIVE_INFINITY;
        for (int i = 0; i < count; i++) {
            double[][] logits = measured.reference().logProbs();
            double[][] moved = new double[logits.length][logits[0].length];
            double size = Math.pow(10, random.nextDouble(-1, 1));
            for (int s = 0; s < logits.length; s++) {
                for (int a = 0; a < logits[s].length; a++) {
                    moved[s][a] = logits[s][a] + size * random.nextGaussian();
                }
            }
            Evaluation evaluation = measured.evaluate(MdpPolicy.softmax(moved));
            least = Math.min(least, evaluation.gain() - evaluation.bound());
        }
        return least;
    }

    static Experiment simulator(Simulator simulator, Scale s) {
        String description = "The simulator "
                + (switch (simulator) {
                    case GLUCOSE -> "of glucose control whose proxy ignores what insulin costs";
                    case TRAFFIC -> "of a metered ramp whose proxy sees the main road only";
                    case PANDEMIC -> "of an epidemic whose proxy ignores what restrictions cost a government";
                })
                + ", a "
                + (switch (simulator) {
                    case GLUCOSE -> "patient";
                    case TRAFFIC -> "place";
                    case PANDEMIC -> "disease";
                })
                + " of each seed, exact gradients, " + s.environmentSteps + " steps of Adam from the reference on. "
                + "Coefficients, in standard deviations of the proxy, those with the most true reward on seeds "
                + "101 to 106 among 20, 10, 5, 2, 1, 0.5, 0.2, 0.1, 0.05, 0.02 and 0.01: " + simulator.said() + ".";
        return new Experiment(simulator.title, description, 12, seed -> simulated(simulator, s, seed));
    }

    private static Outcome simulated(Simulator simulator, Scale s, long seed) {
        Evaluator measured = Evaluator.of(simulator.of.apply(seed));
        Evaluation reference = measured.evaluate(measured.reference());
        Evaluation none = climbed(measured, new Penalty.None(), 0, s.environmentSteps, 0.1);
        Evaluation theory = climbed(measured, Arm.OCCUPANCY.penalty, measured.theory(), s.environmentSteps, 0.1);
        double slack = Math.min(none.gain() - none.bound(), slack(measured, s.random / 10 + 1, seed));
        Outcome outcome = Outcome.NOTHING
                .with(REFERENCE, reference.truth())
                .with("correlation", measured.correlation())
                .with(NONE, none.truth())
                .with(THEORY, theory.truth())
                .with(SAFE, theory.truth() - reference.truth());
        for (Arm arm : Arm.values()) {
            Evaluation evaluation =
                    climbed(measured, arm.penalty, simulator.coefficients.get(arm), s.environmentSteps, 0.1);
            slack = Math.min(slack, evaluation.gain() - evaluation.bound());
            outcome = outcome.with(arm.number(), evaluation.truth());
        }
        return outcome.with(SLACK, slack);
    }

    /// PPO with a discriminator, among tomatoes.
    ///
    /// @param iterations of PPO
    /// @param batch      steps of the policy in each, and as many of the reference
    /// @param actions    coefficient of the KL of actions, in standard deviations of the proxy
    public record Sampling(int iterations, int batch, double actions) {
        static final Sampling PUBLISHED = new Sampling(150, 1024, 0.1);
    }

    static Experiment sampled(Sampling s) {
        String description =
                "The small tomato garden, where the proxy takes the bucket for watered tomatoes. PPO with a "
                        + "discriminator, " + s.iterations + " iterations of " + s.batch + " steps of the policy and "
                        + "as many of the reference, small networks from random weights on; the seed is that of the "
                        + "training. √χ² of occupancies with the theory's λ, KL of actions at " + s.actions
                        + " standard deviations of the proxy, the best of 1, 0.3 and 0.1 on seeds 7 and 8. Rewards of "
                        + "the policies are exact.";
        return new Experiment("sampled", description, 6, seed -> sampledOutcome(s, seed));
    }

    private static Outcome sampledOutcome(Sampling s, long seed) {
        var config = new OccupancyConfig(
                new ProxyEnvironment.Tomato(ProxyEnvironment.Tomato.Level.SMALL),
                new OccupancyConfig.Sampled(
                        s.iterations, s.batch, s.batch / 2, 4, 4, 64, 3e-3, 3e-3, 0.2, 0.98, 0.01, 0.01, 10, 1e10, 0),
                List.of(new OccupancyConfig.Arm(Arm.ACTION_KL.penalty, List.of(s.actions))),
                1,
                1,
                seed);
        RecordedRun run = RecipeTrial.run("occupancy", config, OccupancyRecipe::run);
        var comparisons = run.summary().comparisons();
        return Outcome.NOTHING
                .with(REFERENCE, comparisons.getFirst().before().value())
                .with(NONE, comparisons.getFirst().after().value())
                .with(THEORY, comparisons.get(1).after().value())
                .with(Arm.ACTION_KL.number(), run.summary().number("best_true_reward_actions_kl"));
    }
}
