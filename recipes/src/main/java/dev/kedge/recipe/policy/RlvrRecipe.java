package dev.kedge.recipe.policy;

import dev.kedge.nn.lm.Decoder;
import dev.kedge.nn.optim.AdamW;
import dev.kedge.nn.optim.Schedule;
import dev.kedge.objective.divergence.SampledKl;
import dev.kedge.run.Checkpoint;
import dev.kedge.run.Progress;
import dev.kedge.run.Run;
import dev.kedge.run.SamplerAgreement;
import dev.kedge.run.TrainingConfig;
import dev.kedge.sequence.Models;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Engine;
import dev.kedge.tensor.Scope;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/// Reinforcement learning with verifiable rewards: a policy answers questions in groups, a verifier judges the answers,
/// and a [PolicyMethod] learns from them: GRPO and its family, and the papers that build on it. Several methods may
// learn
/// from the same start; each one's way is drawn over the divergence from it.
///
/// A draw serves one step, or several, in one pass or several: off policy, then. All its completions are kept in the
/// run's folder as long as they are used.
///
/// Kept: groups, log-probs of the sampler as those of the old policy, dynamic sampling, replay of a draw. Left out: a
/// critic, and drawing while learning.
///
/// Command: `./kedge run recipes/grpo.yaml`.
public final class RlvrRecipe {
    private RlvrRecipe() {}

    /// @param environment   questions, verifier, and the policy to start from
    /// @param methods       what is compared, at least one; the first one's policy is shown and kept
    /// @param group         completions a question, >= 2
    /// @param temperature   of the draw, > 0
    /// @param truncated     what becomes of completions that are cut off
    /// @param training      how each policy is moved; its examples are questions
    /// @param stepsPerDraw  optimiser steps on one draw, >= 1; 1 is on policy
    /// @param passes        how often a draw is gone through in them, >= 1, a divisor of steps_per_draw
    /// @param snapshotEvery steps between policies that are judged, >= 1
    /// @param samples       completions a held-out question to judge by, >= 1
    /// @param showEvery     steps between completions shown, >= 1
    /// @param device        cpu, cuda or cuda:N
    /// @param threads       of the engine: a model this small loses more to waking a second one than it gains
    /// @param seed          of everything drawn
    public record Config(
            Environment environment,
            List<PolicyMethod> methods,
            int group,
            double temperature,
            Truncated truncated,
            TrainingConfig training,
            int stepsPerDraw,
            int passes,
            int snapshotEvery,
            int samples,
            int showEvery,
            String device,
            int threads,
            long seed) {
        public Config {
            if (methods.isEmpty() || methods.stream().distinct().count() < methods.size()) {
                throw new IllegalArgumentException("methods must be different, at least one, were " + methods);
            }
            if (group < 2 || !(temperature > 0 && temperature < Double.POSITIVE_INFINITY)) {
                throw new IllegalArgumentException(
                        "group >= 2 and a finite temperature > 0 expected, were " + group + " and " + temperature);
            }
            if (stepsPerDraw < 1 || passes < 1 || stepsPerDraw % passes != 0) {
                throw new IllegalArgumentException("steps_per_draw must be a multiple of passes, both >= 1, were "
                        + stepsPerDraw + " and " + passes);
            }
            if (snapshotEvery < 1 || samples < 1 || showEvery < 1) {
                throw new IllegalArgumentException("snapshot_every, samples and show_every must be >= 1, were "
                        + snapshotEvery + ", " + samples + " and " + showEvery);
            }
            if (environment instanceof LearnedReward && truncated == Truncated.WRONG) {
                throw new IllegalArgumentException("truncated was wrong, which is reward 0, but with a learned_reward"
                        + " that is what the start's answers have on average; judged or masked would be right");
            }
            int selection =
                    methods.stream().mapToInt(PolicyMethod::selectedFrom).max().orElseThrow();
            if (samples < selection) {
                throw new IllegalArgumentException(
                        "samples must be at least what methods select from, " + selection + ", was " + samples);
            }
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

        Sampler sampler(Environment.Opened world) {
            return new Sampler(world.tokenizer(), world.scorer(), group, world.maxTokens(), temperature, truncated);
        }
    }

    public static void run(Config config, Run run) {
        Engine.useThreads(config.threads());
        Device device = new Device(config.device());
        try (Environment.Opened world = config.environment().open(run, device, config.seed())) {
            run.note(world.training().size() + " questions to learn from, "
                    + world.heldOut().size() + " held out");
            for (int m = 0; m < config.methods().size(); m++) {
                if (!Models.isComplete(
                        snapshot(run, config.phase(m), config.training().steps()))) {
                    try (Decoder policy = world.start().copy();
                            Learner learner = config.methods().get(m).learner(world.start())) {
                        train(config, world, m, config.phase(m), learner, policy, run);
                    }
                }
            }
            run.summarise(RlvrSummary.of(config, world, device, run));
        }
    }

    public static Path snapshot(Run run, String phase, int step) {
        return run.folder().resolve("policies").resolve(phase).resolve("step-" + step);
    }

    /// The loop. Goes on from the run's checkpoint where that is of this phase.
    public static void train(
            Config config,
            Environment.Opened world,
            int method,
            String phase,
            Learner learner,
            Decoder policy,
            Run run) {
        TrainingConfig o = config.training();
        Schedule schedule = o.schedules();
        int padId = Models.padId(world.tokenizer());
        RolloutFiles draws = new RolloutFiles(run.folder().resolve("draws").resolve(phase));
        try (AdamW optimizer = o.optimizer(policy.parameters())) {
            int first = 0;
            var saved = run.latest().filter(c -> c.phase().equals(phase));
            if (saved.isPresent()) {
                saved.get().restore("model", policy.parameters().named());
                saved.get().restore("optimizer", optimizer.state());
                saved.get().restore("method", learner.state());
                first = (int) saved.get().step();
                keep(config, world, phase, first, policy, run);
            }
            Rollouts draw = null;
            boolean troubled = false;
            try (Progress progress = run.progress(phase, first, o.steps())) {
                for (int step = first; step < o.steps(); step++) {
                    long start = System.nanoTime();
                    int number = step / config.stepsPerDraw();
                    int inDraw = step % config.stepsPerDraw();
                    boolean fresh = inDraw == 0;
                    if (fresh) {
                        draw = draw(config, world, method, number, policy);
                        if (config.stepsPerDraw() > 1) {
                            draws.write(number, draw, world.training());
                        }
                    } else if (draw == null) {
                        draw = draws.read(number, config.sampler(world), world.training());
                    }
                    Map<String, Double> metrics = draw.metrics();
                    Rollouts batch = batch(config, draw.judged(), number, inDraw);
                    try (Scope _ = new Scope();
                            RolloutBatch now =
                                    new RolloutBatch(batch, policy, world.start(), fresh, padId, o.microBatch())) {
                        if (!batch.questions().isEmpty()) {
                            metrics.put(
                                    "kl",
                                    SampledKl.k3(now.oldLogProbs(), now.refLogProbs())
                                                    .to(DType.FLOAT64)
                                                    .sum()
                                                    .item()
                                            / now.completions());
                            now.gradient(learner.plan(now)).forEach(metrics::putIfAbsent); // exact ones stay
                            metrics.put("grad_norm", policy.parameters().clipGradient(o.maxGradNorm()));
                            run.guard(phase, step + 1L, metrics);
                            SamplerAgreement.require(metrics.getOrDefault("sampler/difference", 0.0));
                            optimizer.step(schedule.at(step));
                        }
                        metrics.put("lr", schedule.at(step));
                        seconds(metrics, fresh ? draw : null, now.logProbSeconds(), (System.nanoTime() - start) / 1e9);
                    }
                    run.log(phase, step + 1L, metrics);
                    progress.step(step + 1L, said(metrics));
                    if (fresh && number % config.showEvery() == 0) {
                        show(draw, step, world, run);
                    }
                    if (fresh && draw.trouble().isPresent() && (!troubled || number % config.showEvery() == 0)) {
                        troubled = true;
                        run.note("step " + step + ": " + draw.trouble().get());
                    }
                    if ((step + 1) % o.checkpointEvery() == 0 || step + 1 == o.steps()) {
                        run.save(Checkpoint.at(phase, step + 1L)
                                .tensors("model", policy.parameters().named())
                                .tensors("optimizer", optimizer.state())
                                .tensors("method", learner.state()));
                        draws.forget((step + 1) / config.stepsPerDraw());
                    }
                    keep(config, world, phase, step + 1, policy, run);
                }
            }
        }
    }

    /// After the checkpoint: where that is, the snapshot can be made again.
    private static void keep(Config config, Environment.Opened world, String phase, int done, Decoder policy, Run run) {
        Path folder = snapshot(run, phase, done);
        if (config.isKept(done) && !Models.isComplete(folder)) {
            Models.save(policy, world.tokenizer(), folder);
        }
    }

    /// A draw: a function of policy, seed and the draw's number. Where a method asks for it, groups that teach nothing
    /// are replaced by others as long as its patience lasts.
    private static Rollouts draw(Config config, Environment.Opened world, int method, int number, Decoder policy) {
        SplittableRandom random = new SplittableRandom(new SplittableRandom(config.seed()).nextLong() + number);
        Sampler sampler = config.sampler(world);
        int wanted = config.training().batchSize() * config.stepsPerDraw() / config.passes();
        Rollouts draw = sampler.draw(policy, asked(world.training(), wanted, random), random.nextLong());
        int rounds = config.methods().get(method).resamplings();
        if (rounds == 0) {
            return draw;
        }
        Rollouts useful = draw.judged().informative();
        Rollouts troubled = draw.unjudged();
        Rollouts rest = draw;
        for (int round = 0; round < rounds && useful.questions().size() < wanted; round++) {
            rest = sampler.draw(policy, asked(world.training(), wanted, random), random.nextLong());
            useful = useful.plus(rest.judged().informative()).after(rest);
            troubled = troubled.plus(rest.unjudged());
        }
        // Out of patience it is filled up with the last. Nothing is learnt from what was not judged, but it is counted.
        return useful.plus(rest.judged().uninformative()).first(wanted).plus(troubled);
    }

    /// Questions drawn without replacement, anew once all have been asked.
    private static List<Question> asked(List<Question> all, int count, SplittableRandom random) {
        List<Question> asked = new ArrayList<>();
        List<Question> left = new ArrayList<>();
        while (asked.size() < count) {
            if (left.isEmpty()) {
                left.addAll(all);
            }
            asked.add(left.remove(random.nextInt(left.size())));
        }
        return asked;
    }

    /// The questions of one step on a draw: each pass goes through them in an order of its own.
    private static Rollouts batch(Config config, Rollouts draw, int number, int inDraw) {
        int steps = config.stepsPerDraw() / config.passes();
        if (config.stepsPerDraw() == 1) {
            return draw;
        }
        long pass = (long) number * config.passes() + inDraw / steps;
        int[] order = IntStream.range(0, draw.questions().size()).toArray();
        SplittableRandom random = new SplittableRandom(new SplittableRandom(config.seed() + 1).nextLong() + pass);
        for (int i = order.length - 1; i > 0; i--) {
            int j = random.nextInt(i + 1);
            int swapped = order[i];
            order[i] = order[j];
            order[j] = swapped;
        }
        int size = config.training().batchSize();
        int from = Math.min(order.length, inDraw % steps * size);
        return draw.at(Arrays.copyOfRange(order, from, Math.min(order.length, from + size)));
    }

    /// Where the time of a step went. A draw is counted in the step that it was made for.
    private static void seconds(Map<String, Double> metrics, Rollouts drawn, double logProbs, double all) {
        double rollout = drawn == null ? 0 : drawn.rolloutSeconds();
        double scoring = drawn == null ? 0 : drawn.scoringSeconds();
        metrics.put("seconds/rollout", rollout);
        metrics.put("seconds/scoring", scoring);
        metrics.put("seconds/log-probs", logProbs);
        metrics.put("seconds/update", all - rollout - scoring - logProbs);
    }

    private static String said(Map<String, Double> m) {
        return String.format(
                Locale.ROOT,
                "reward %.3f, kl %.3f, entropy %.3f, length %.1f, clipped %.0f %%, equal groups %.0f %%%s",
                m.get("reward"),
                m.getOrDefault("kl", 0.0),
                m.get("entropy"),
                m.get("length"),
                100 * m.getOrDefault("clip/share", 0.0),
                100 * m.get("groups/equal"),
                m.get("unjudged") > 0 ? String.format(Locale.ROOT, ", %.0f not judged", m.get("unjudged")) : "");
    }

    /// A completion to the first question, as people want to see one now and then.
    private static void show(Rollouts draw, int step, Environment.Opened world, Run run) {
        if (!draw.questions().isEmpty()) {
            var score = draw.scores().getFirst();
            run.note(String.format(
                    Locale.ROOT,
                    "step %d: %s -> %s (%s)",
                    step,
                    oneLine(draw.questions().getFirst().text()),
                    oneLine(world.tokenizer()
                            .decode(draw.completions().getFirst().tokens())),
                    score.isThere() ? "reward " + score.reward() : score.trouble()));
        }
    }

    private static String oneLine(String text) {
        String line = text.strip().replaceAll("\\s+", " ");
        return line.length() > 100 ? line.substring(0, 100) + "..." : line;
    }
}
