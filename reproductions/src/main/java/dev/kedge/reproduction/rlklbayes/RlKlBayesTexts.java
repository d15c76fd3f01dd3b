package dev.kedge.reproduction.rlklbayes;

import dev.kedge.lab.claim.Claim;
import dev.kedge.lab.claim.Experiment;
import dev.kedge.lab.claim.Outcome;
import dev.kedge.lab.report.Metrics;
import dev.kedge.lab.report.RecordedRun;
import dev.kedge.nn.optim.Schedule;
import dev.kedge.recipe.variational.DpgConfig;
import dev.kedge.recipe.variational.DpgInference;
import dev.kedge.recipe.variational.DpgInference.Baseline;
import dev.kedge.recipe.variational.DpgInference.Criterion;
import dev.kedge.recipe.variational.DpgInference.PolicyGradient;
import dev.kedge.recipe.variational.DpgInference.Proposal;
import dev.kedge.recipe.variational.DpgRecipe;
import dev.kedge.recipe.variational.DpgTarget;
import dev.kedge.recipe.variational.DpgTarget.Score;
import dev.kedge.reproduction.trial.RecipeTrial;
import dev.kedge.run.TrainingConfig;
import dev.kedge.run.result.Frontier;
import dev.kedge.task.EnumerableLanguage;
import dev.kedge.task.EnumerableLanguage.Reads;
import java.util.Optional;
import java.util.stream.Stream;

/// The experiment behind the claims of RL as Bayesian inference on a decoder of so few texts that all can be
/// enumerated: the recipe, measured exactly.
public final class RlKlBayesTexts {
    private static final double BETA = 0.4;

    /// Of the policies of independent letters: at 0.4 the posterior is too near to the prior for modes to be seen.
    private static final double SHARP = 0.2;

    /// The share of texts with an "a" that the moment constraint asks for.
    static final double SHARE = 0.5;

    private static final int DISTINCT = 1000;
    private static final Score PATTERN = new Score("ab", false);
    private static final Score LETTER = new Score("a", true);

    private RlKlBayesTexts() {}

    /// How large the experiment is.
    ///
    /// @param samples for lambda
    public record Scale(int letters, int length, int hiddenSize, int pretraining, int steps, int batch, int samples) {
        static final Scale PUBLISHED = new Scale(6, 6, 32, 200, 200, 256, 10_000);
    }

    /// What learns.
    enum Arm {
        REINFORCE("REINFORCE", new DpgTarget.Best(PATTERN), false, false, Reads.TEXT, 1e-2),
        KL_RL("KL-RL", new DpgTarget.Posterior(PATTERN, BETA), false, false, Reads.TEXT, 2e-3),
        DPG("DPG", new DpgTarget.Posterior(PATTERN, BETA), true, false, Reads.TEXT, 2e-3),
        DPG_BASELINE("DPG with baseline", new DpgTarget.Posterior(PATTERN, BETA), true, true, Reads.TEXT, 2e-3),
        LETTER_REINFORCE("REINFORCE, a in it", new DpgTarget.Best(LETTER), false, false, Reads.TEXT, 5e-3),
        LETTER_KL_RL("KL-RL, a in it", new DpgTarget.Posterior(LETTER, BETA), false, false, Reads.TEXT, 5e-3),
        LETTER_DPG("DPG, half with a", null, true, true, Reads.TEXT, 5e-3),
        LETTER_FITTED("KL-RL, the fitted lambda for reward", null, false, false, Reads.TEXT, 5e-3),
        PLACE_KL_RL(
                "KL-RL, independent letters", new DpgTarget.Posterior(PATTERN, SHARP), false, false, Reads.PLACE, 5e-3),
        PLACE_DPG("DPG, independent letters", new DpgTarget.Posterior(PATTERN, SHARP), true, true, Reads.PLACE, 5e-3);

        final String title;
        private final DpgTarget target; // null: the moment constraint
        private final boolean dpg;
        private final boolean baseline;
        private final Reads reads;
        private final double learningRate;

        Arm(String title, DpgTarget target, boolean dpg, boolean baseline, Reads reads, double learningRate) {
            this.title = title;
            this.target = target;
            this.dpg = dpg;
            this.baseline = baseline;
            this.reads = reads;
            this.learningRate = learningRate;
        }

        /// Entropy as a share of the posterior's.
        Claim.Arm entropyShare() {
            return arm("entropy as a share of the posterior's");
        }

        /// Different texts as a share of the prior's.
        Claim.Arm distinctShare() {
            return arm("different texts as a share of the prior's");
        }

        /// How far the share of texts with the letter is from the one asked for.
        Claim.Arm missed() {
            return arm("distance from the share asked for");
        }

        private Claim.Arm arm(String measure) {
            return new Claim.Arm(title, measure + ": " + title);
        }

        private DpgConfig.Method method(Scale s) {
            return new DpgConfig.Method(
                    title,
                    target == null ? new DpgTarget.Moment(LETTER, SHARE, s.samples) : target,
                    dpg
                            ? new DpgInference.Dpg(baseline, true, new Proposal(Criterion.KLD, 10, s.batch, false))
                            : new PolicyGradient(Baseline.LEAVE_ONE_OUT),
                    reads,
                    Optional.of(learningRate));
        }
    }

    /// What is measured of it.
    enum Measure {
        REWARD("expected reward", "reward"),
        ENTROPY("entropy, nats", "entropy"),
        KL_PRIOR("KL(policy || prior), nats", "kl/prior"),
        KL_TO("KL(policy || target), nats", "kl/to_target"),
        KL_FROM("KL(target || policy), nats", "kl/from_target"),
        DISTINCT("share of different texts among samples", "distinct"),
        SCORE("mean of the target's score", "score"),
        WEIGHTS("standard deviation of weights, last quarter of the steps", "weight_std");

        final String title;
        private final String metric;

        Measure(String title, String metric) {
            this.title = title;
            this.metric = metric;
        }

        String of(Arm arm) {
            return title + ": " + arm.title;
        }

        Claim.Arm arm(Arm arm) {
            return new Claim.Arm(arm.title, of(arm));
        }
    }

    static final String PLACE_POSTERIOR_ENTROPY = "entropy, nats: posterior of independent letters";

    static Experiment experiment(Scale s) {
        var description = "" + s.letters + "^" + s.length + " texts, all enumerated; the source is a random Markov "
                + "chain, the prior a decoder of width " + s.hiddenSize + " that learnt it in " + s.pretraining
                + " steps. Reward: how often \"ab\" occurs, beta " + BETA + ". Each method takes " + s.steps
                + " steps of " + s.batch + " samples, Adam at 2e-3 (of 2e-3, 5e-3 and 1e-2 what came nearest "
                + "to the posterior on seed 101), REINFORCE at 1e-2 (the most reward there), moments and "
                + "independent letters at 5e-3; the policy gradient has a leave-one-out baseline, DPG divides "
                + "by the running Z and looks every 10 steps whether the policy takes the proposal's place. "
                + "Moment: an \"a\" in " + SHARE + " of the texts, lambda fitted on " + s.samples + " samples. "
                + "Policies of independent letters start from such a decoder of the source and are for beta "
                + SHARP + ", as at " + BETA + ", on seed 101, the posterior was too near to the prior; their "
                + "DPG has the baseline. " + DISTINCT + " samples are drawn to count different ones.";
        return new Experiment("texts", description, 6, seed -> outcome(s, seed));
    }

    private static Outcome outcome(Scale s, long seed) {
        RecordedRun run = RecipeTrial.run("dpg", config(s, seed), DpgRecipe::run);
        double entropy = run.summary().number("entropy_posterior");
        var outcome = Outcome.NOTHING
                .with("expected reward: prior", run.summary().number("reward_prior"))
                .with("expected reward: posterior", run.summary().number("reward_posterior"))
                .with("entropy, nats: prior", run.summary().number("entropy_prior"))
                .with("entropy, nats: posterior", entropy)
                .with(PLACE_POSTERIOR_ENTROPY, run.summary().number("entropy_posterior_of_independent_letters"))
                .with(Measure.DISTINCT.title + ": prior", run.summary().number("share_of_different_texts_prior"));
        for (Arm arm : Arm.values()) {
            for (Measure measure : Measure.values()) {
                Metrics.Series series = run.metrics().series(arm.method(s).phase(), measure.metric);
                double[] values = series.values();
                double value = values[values.length - 1];
                if (measure == Measure.WEIGHTS) {
                    value = Stream.iterate(values.length - 1, i -> i >= 3 * values.length / 4, i -> i - 1)
                            .mapToDouble(i -> values[i])
                            .average()
                            .orElseThrow();
                }
                outcome = outcome.with(measure.of(arm), value);
            }
            outcome = outcome.with(arm.entropyShare().number(), outcome.number(Measure.ENTROPY.of(arm)) / entropy)
                    .with(
                            arm.distinctShare().number(),
                            outcome.number(Measure.DISTINCT.of(arm))
                                    / outcome.number(Measure.DISTINCT.title + ": prior"));
            if (arm.method(s).target().score().equals(LETTER)) {
                outcome = outcome.with(arm.missed().number(), Math.abs(outcome.number(Measure.SCORE.of(arm)) - SHARE));
            }
        }
        for (Frontier frontier : run.summary().frontiers()) {
            if (!frontier.title().startsWith("Reward")) { // its points are at other places with every seed
                outcome = outcome.with(frontier);
            }
        }
        return outcome;
    }

    static DpgConfig config(Scale s, long seed) {
        return new DpgConfig(
                new EnumerableLanguage.Config(
                        s.letters,
                        s.length,
                        s.hiddenSize,
                        1,
                        2,
                        training(s.pretraining, s.batch, Schedule.Shape.LINEAR, 0.1, 1)),
                PATTERN,
                Stream.of(Arm.values()).map(arm -> arm.method(s)).toList(),
                training(s.steps, s.batch, Schedule.Shape.CONSTANT, 1, 10),
                Math.max(1, s.steps / 8),
                DISTINCT,
                "cpu",
                1,
                seed);
    }

    private static TrainingConfig training(int steps, int batch, Schedule.Shape shape, double left, double clip) {
        return RecipeTrial.training(
                new Schedule(shape, 5e-3, Math.min(10, steps / 2), steps, left), batch, 0.99, 0, clip);
    }
}
