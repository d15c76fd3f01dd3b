package dev.kedge.recipe.policy;

import dev.kedge.nn.lm.Decoder;
import dev.kedge.objective.divergence.SampledKl;
import dev.kedge.run.Remembered;
import dev.kedge.run.Run;
import dev.kedge.run.RunFailedException;
import dev.kedge.run.Step;
import dev.kedge.run.StepMetrics;
import dev.kedge.run.Training;
import dev.kedge.run.TrainingConfig;
import dev.kedge.sequence.Models;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Engine;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/// Reinforcement learning with verifiable rewards: a policy answers questions in groups, a verifier rewards the
/// answers, and a [PolicyMethod] learns from them: GRPO and its family, and the papers that build on it.
/// Several methods may learn from the same start; the report shows each one's reward over its divergence from
/// it.
///
/// Rollouts serve one step, or several, in one pass or several: off policy, then ([RolloutBuffer]).
///
/// Kept: groups, log-probs of the sampler as those of the old policy, dynamic sampling, replay of rollouts. Left out: a
/// critic, and generation while learning.
///
/// Command: `./kedge run recipes/grpo.yaml`.
public final class RlvrRecipe {
    private RlvrRecipe() {}

    /// @param environment     questions, verifier, and the policy to start from
    /// @param methods         what is compared, at least one; the first one's policy is shown and kept
    /// @param group           completions a question, >= 2
    /// @param temperature     of the sampler, > 0
    /// @param truncated       what becomes of completions that are cut off
    /// @param training        how each policy is moved; its examples are questions
    /// @param stepsPerRollout optimiser steps on the same rollouts, >= 1; 1 is on policy
    /// @param passes          how often rollouts are gone through in them, >= 1, a divisor of steps_per_rollout
    /// @param snapshotEvery   steps between policies that are evaluated, >= 1
    /// @param samples         completions a held-out question to evaluate by, >= 1
    /// @param showEvery       steps between completions shown, >= 1
    /// @param device          cpu, cuda or cuda:N
    /// @param threads         of the engine: a model this small loses more to waking a second one than it gains
    /// @param seed            of everything random
    public record Config(
            Environment environment,
            List<PolicyMethod> methods,
            int group,
            double temperature,
            Truncated truncated,
            TrainingConfig training,
            int stepsPerRollout,
            int passes,
            int snapshotEvery,
            int samples,
            int showEvery,
            String device,
            int threads,
            long seed) {
        public Config {
            Engine.requireThreads(threads);
            if (methods.isEmpty() || methods.stream().distinct().count() < methods.size()) {
                throw new IllegalArgumentException("methods must be different, at least one, were " + methods);
            }
            if (group < 2 || !(temperature > 0 && temperature < Double.POSITIVE_INFINITY)) {
                throw new IllegalArgumentException(
                        "group >= 2 and a finite temperature > 0 expected, were " + group + " and " + temperature);
            }
            if (stepsPerRollout < 1 || passes < 1 || stepsPerRollout % passes != 0) {
                throw new IllegalArgumentException("steps_per_rollout must be a multiple of passes, both >= 1, were "
                        + stepsPerRollout + " and " + passes);
            }
            if (snapshotEvery < 1 || samples < 1 || showEvery < 1) {
                throw new IllegalArgumentException("snapshot_every, samples and show_every must be >= 1, were "
                        + snapshotEvery + ", " + samples + " and " + showEvery);
            }
            if (environment instanceof LearnedReward && truncated == Truncated.WRONG) {
                throw new IllegalArgumentException("truncated was wrong, which is reward 0, but with a learned_reward"
                        + " that is what the start's answers have on average; judged or masked would be right");
            }
            if (samples < selectedFrom(methods)) {
                throw new IllegalArgumentException("samples must be at least what methods select from, "
                        + selectedFrom(methods) + ", was " + samples);
            }
        }

        private static int selectedFrom(List<PolicyMethod> methods) {
            return methods.stream().mapToInt(PolicyMethod::selectedFrom).max().orElseThrow();
        }

        /// How many answers policies are selected from; 0: none are.
        int selectedFrom() {
            return selectedFrom(methods);
        }

        /// `grpo`, and `grpo-2` for the second of that kind.
        String phase(int method) {
            String name = name(method);
            long earlier =
                    IntStream.range(0, method).filter(m -> name(m).equals(name)).count();
            return earlier == 0 ? name : name + "-" + (earlier + 1);
        }

        private String name(int method) {
            return methods.get(method).title().toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]+", "-");
        }

        /// The same for people.
        String title(int method) {
            String title = methods.get(method).title();
            String suffix = phase(method).substring(name(method).length());
            return title + suffix.replace("-", " ");
        }

        boolean isKept(int step) {
            return step % snapshotEvery == 0 || step == training.steps();
        }

        /// The steps after which a policy is kept.
        List<Integer> kept() {
            return IntStream.rangeClosed(1, training.steps())
                    .filter(this::isKept)
                    .boxed()
                    .toList();
        }

        Sampler sampler(Environment.Opened environment) {
            return new Sampler(
                    environment.tokenizer(),
                    environment.scorer(),
                    group,
                    environment.maxTokens(),
                    temperature,
                    truncated);
        }
    }

    public static void run(Config config, Run run) {
        Engine.useThreads(config.threads());
        Device device = new Device(config.device());
        try (Environment.Opened environment = config.environment().open(run, device, config.seed())) {
            run.note(environment.training().size() + " questions to learn from, "
                    + environment.heldOut().size() + " held out");
            for (int m = 0; m < config.methods().size(); m++) {
                String phase = config.phase(m);
                if (!Models.isComplete(snapshot(run, phase, config.training().steps()))) {
                    try (Decoder policy = environment.start().copy();
                            Learner learner = config.methods().get(m).learner(environment.start())) {
                        train(config, environment, m, phase, learner, policy, run);
                    }
                }
            }
            run.summarise(RlvrSummary.of(config, environment, device, run));
        }
    }

    public static Path snapshot(Run run, String phase, int step) {
        return run.folder().resolve("policies").resolve(phase).resolve("step-" + step);
    }

    /// Trains a policy by one of the configuration's methods.
    ///
    /// @throws RunFailedException if no group was ever judged: nothing was learnt, and nothing is kept
    public static void train(
            Config config,
            Environment.Opened environment,
            int method,
            String phase,
            Learner learner,
            Decoder policy,
            Run run) {
        int resamplings = config.methods().get(method).resamplings();
        RolloutBuffer buffer = new RolloutBuffer(config, environment, resamplings, phase, policy, run);
        try (Training training = new Training(
                run,
                phase,
                config.training(),
                policy.parameters(),
                Remembered.tensors("method", learner::state),
                buffer.judgement())) {
            training.run(step -> plan(config, environment, buffer, step, learner, policy), done -> {
                if (done == config.training().steps()) {
                    buffer.requireJudged();
                }
                buffer.forget(done);
                keep(config, environment, phase, done, policy, run);
            });
        }
    }

    /// The policies that are evaluated at the end. Called after the checkpoint: where that is, this can be made again.
    private static void keep(
            Config config, Environment.Opened environment, String phase, int done, Decoder policy, Run run) {
        Path folder = snapshot(run, phase, done);
        if (config.isKept(done) && !Models.isComplete(folder)) {
            environment.model().save(policy, folder);
        }
    }

    /// Where no group has all its rewards there is nothing to learn: a step without parts.
    private static Step plan(
            Config config,
            Environment.Opened environment,
            RolloutBuffer buffer,
            int number,
            Learner learner,
            Decoder policy) {
        long start = System.nanoTime();
        Rollouts all = buffer.rollouts(number);
        boolean isFresh = buffer.isFresh(number);
        RolloutBatch batch = new RolloutBatch(
                buffer.batch(number),
                policy,
                environment.start(),
                isFresh,
                Models.padId(environment.tokenizer()),
                config.training().microBatch());
        Step step = Step.of(List.of());
        if (batch.questions() > 0) {
            double kl = SampledKl.k3(batch.oldLogProbs(), batch.refLogProbs())
                            .to(DType.FLOAT64)
                            .sum()
                            .item()
                    / batch.completions();
            step = batch.step(learner).completed(m -> m.put("kl", kl));
        }
        return step.completed(m -> all.metrics().forEach(m::put)) // the exact ones, where a method has the same names
                .then(m -> seconds(m, isFresh ? all : null, batch.logProbSeconds(), (System.nanoTime() - start) / 1e9))
                .said(RlvrRecipe::said);
    }

    /// Where the time of a step went. Rollouts are counted in the step that they were made for.
    private static void seconds(StepMetrics metrics, Rollouts fresh, double logProbs, double all) {
        double rollout = fresh == null ? 0 : fresh.rolloutSeconds();
        double scoring = fresh == null ? 0 : fresh.scoringSeconds();
        metrics.put("seconds/rollout", rollout);
        metrics.put("seconds/scoring", scoring);
        metrics.put("seconds/log-probs", logProbs);
        metrics.put("seconds/update", all - rollout - scoring - logProbs);
    }

    private static String said(StepMetrics m) {
        return String.format(
                Locale.ROOT,
                "%s, kl %.3f, entropy %.3f, length %.1f, clipped %.0f %%, %s%s",
                m.has("reward") ? String.format(Locale.ROOT, "reward %.3f", m.get("reward")) : "no reward",
                m.has("kl") ? m.get("kl") : 0,
                m.get("entropy"),
                m.get("length"),
                m.has("clip/share") ? 100 * m.get("clip/share") : 0,
                m.has("groups/equal")
                        ? String.format(Locale.ROOT, "equal groups %.0f %%", 100 * m.get("groups/equal"))
                        : "no group judged",
                m.get("unjudged") > 0 ? String.format(Locale.ROOT, ", %.0f without a reward", m.get("unjudged")) : "");
    }
}
