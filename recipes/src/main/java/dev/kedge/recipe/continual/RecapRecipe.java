package dev.kedge.recipe.continual;

import dev.kedge.data.Batches;
import dev.kedge.data.TokenBatch;
import dev.kedge.data.Tokenized;
import dev.kedge.data.task.GeneratedTask;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.nn.lm.DecoderConfig;
import dev.kedge.nn.optim.AdamW;
import dev.kedge.nn.optim.Schedule;
import dev.kedge.objective.logprob.HeadLogProbs;
import dev.kedge.objective.supervised.Recap;
import dev.kedge.run.Checkpoint;
import dev.kedge.run.Progress;
import dev.kedge.run.Run;
import dev.kedge.run.SavedCheckpoint;
import dev.kedge.run.TrainingConfig;
import dev.kedge.sequence.Models;
import dev.kedge.sequence.SequenceScores;
import dev.kedge.sequence.SupervisedTraining;
import dev.kedge.task.TaskSequence;
import dev.kedge.task.TaskSequence.Answers;
import dev.kedge.tensor.Creation;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Engine;
import dev.kedge.tensor.Indexing;
import dev.kedge.tensor.Rng;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// RECAP (arXiv:2510.21978): tasks are learnt one after another, and examples of earlier ones are replayed beside the
/// new one; each task is an objective, weighted by how fast and how unsteadily it still changes. Beside it the same
/// replay with equal weights, and no replay.
///
/// Kept: weights from two windows of every objective's own signal, this step's included, with mean 1 and no gradient;
/// batches that hold as many examples of each task that takes part; the same examples a step for every arm. Left out:
/// objectives learnt from rewards by GRPO, which most of the paper's are: all are supervised here. Their signal may be
/// what the paper takes of rewards, the expected reward: the probability of the right answer, which needs no draws.
///
/// Command: `./kedge run recipes/recap.yaml`. Numbers: docs/papers/recap.md.
public final class RecapRecipe {
    private RecapRecipe() {}

    /// What of an objective is followed.
    public enum Signal {
        /// Its loss, nats a token: falling lowers the weight.
        LOSS,
        /// The probability of the right answer, a mean over examples: rising raises the weight.
        REWARD
    }

    /// @param tasks         in the order in which they are learnt, 2 to 9
    /// @param hiddenSize    of the decoder
    /// @param layers        of the decoder
    /// @param heads         of the decoder
    /// @param examples      of each task, to learn from
    /// @param memory        how many of them are kept for replay, from 1 to examples
    /// @param signal        what the rules follow
    /// @param rules         of RECAP's weights, one policy each; the first one's is shown and kept
    /// @param training      of each task; its batches hold all objectives
    /// @param evaluateEvery steps between judgements
    /// @param heldOut       problems of each task kept for judging
    /// @param device        cpu, cuda or cuda:N
    /// @param threads       of the engine: a model this small loses more to waking a second one than it gains
    /// @param seed          of everything drawn
    public record Config(
            List<GeneratedTask> tasks,
            int hiddenSize,
            int layers,
            int heads,
            int examples,
            int memory,
            Signal signal,
            List<Recap.Rule> rules,
            TrainingConfig training,
            int evaluateEvery,
            int heldOut,
            String device,
            int threads,
            long seed) {
        public Config {
            if (tasks.size() < 2 || tasks.size() > TaskSequence.MOST) {
                throw new IllegalArgumentException(
                        "tasks must be 2 to " + TaskSequence.MOST + ", were " + tasks.size());
            }
            if (examples < 1 || memory < 1 || memory > examples || evaluateEvery < 1 || heldOut < 2) {
                throw new IllegalArgumentException("examples >= 1, memory from 1 to examples, evaluate_every >= 1 and"
                        + " held_out >= 2 expected, were " + examples + ", " + memory + ", " + evaluateEvery + " and "
                        + heldOut);
            }
            if (rules.isEmpty() || rules.stream().map(Config::name).distinct().count() != rules.size()) {
                throw new IllegalArgumentException(
                        "rules must be one or more, none with the temperature and window of another, were " + rules);
            }
            if (training.batchSize() < tasks.size()) {
                throw new IllegalArgumentException("optimisation needs a batch_size of " + tasks.size()
                        + " or more, one example of each task, was " + training.batchSize());
            }
        }

        private static String name(Recap.Rule rule) {
            return "recap-t-" + rule.temperature() + "-w-" + rule.window();
        }

        private List<Arm> arms() {
            return Stream.concat(
                            rules.stream()
                                    .map(r -> new Arm(
                                            name(r),
                                            "RECAP, T " + r.temperature() + ", W " + r.window(),
                                            true,
                                            Optional.of(r))),
                            Stream.of(
                                    new Arm("uniform", "uniform replay", true, Optional.empty()),
                                    new Arm("none", "no replay", false, Optional.empty())))
                    .toList();
        }
    }

    /// @param replays whether earlier tasks take part
    /// @param rule    of the weights; empty where all are 1
    private record Arm(String name, String title, boolean replays, Optional<Recap.Rule> rule) {}

    public static void run(Config config, Run run) {
        Engine.useThreads(config.threads());
        Device device = new Device(config.device());
        try (TaskSequence tasks =
                new TaskSequence(config.tasks(), config.examples(), config.heldOut(), config.seed())) {
            Path start = run.folder().resolve("policies").resolve("first");
            if (!Models.isComplete(start)) {
                learnFirst(config, tasks, start, device, run);
            }
            List<ContinualResult> courses = new ArrayList<>();
            for (Arm arm : config.arms()) {
                if (!Models.isComplete(folder(run, arm, config.tasks().size() - 1))) {
                    try (Decoder policy = Models.load(start, device)) {
                        train(config, tasks, arm, policy, run);
                        Models.save(
                                policy,
                                tasks.tokenizer(),
                                folder(run, arm, config.tasks().size() - 1));
                    }
                }
                courses.add(course(tasks, arm, start, device, run));
                run.note("right at the end, " + courses.getLast().words());
            }
            Arm shown = config.arms().getFirst();
            try (Decoder policy = Models.load(folder(run, shown, config.tasks().size() - 1), device)) {
                Models.save(policy, tasks.tokenizer(), run.folder().resolve("model"));
            }
            run.summarise(ContinualResult.summary(tasks, courses, config.seed(), run.seconds()));
        }
    }

    private static Path folder(Run run, Arm arm, int task) {
        return run.folder().resolve("policies").resolve(arm.name()).resolve("after-" + (task + 1));
    }

    /// The first task, which all arms share.
    private static void learnFirst(Config config, TaskSequence tasks, Path folder, Device device, Run run) {
        DecoderConfig shape = DecoderConfig.small(
                tasks.tokenizer().vocabularySize(),
                config.hiddenSize(),
                config.layers(),
                config.heads(),
                tasks.longest());
        try (Rng rng = Rng.seeded(config.seed());
                Decoder fresh = Decoder.random(shape, rng, device)) {
            SupervisedTraining.train(
                    run, "first", fresh, tasks.examples(0), tasks.padId(), config.training(), config.seed());
            Models.save(fresh, tasks.tokenizer(), folder);
        }
    }

    /// The loop over all tasks but the first. Goes on from the run's checkpoint where that is of this phase.
    private static void train(Config config, TaskSequence tasks, Arm arm, Decoder policy, Run run) {
        String phase = arm.name().replace('.', '_');
        TrainingConfig o = config.training();
        Schedule schedule = o.schedules();
        int last = (tasks.count() - 1) * o.steps();
        try (AdamW optimizer = o.optimizer(policy.parameters())) {
            int first = 0;
            Map<String, List<Double>> history = Map.of();
            var saved = run.latest().filter(c -> c.phase().equals(phase));
            if (saved.isPresent()) {
                saved.get().restore("model", policy.parameters().named());
                saved.get().restore("optimizer", optimizer.state());
                history = history(saved.get());
                first = (int) saved.get().step();
            }
            try (Progress progress = run.progress(phase, first, last)) {
                for (int step = first; step < last; step++) {
                    long start = System.nanoTime();
                    int task = 1 + step / o.steps();
                    var batch = tasks.batch(task, step % o.steps(), arm.replays() ? config.memory() : 0, o);
                    SequencedMap<String, Double> weights = new LinkedHashMap<>();
                    batch.keySet().forEach(name -> weights.put(name, 1.0));
                    if (arm.rule().isPresent()) {
                        var decision =
                                arm.rule().get().after(history, signals(config.signal(), policy, batch, tasks.padId()));
                        history = decision.history();
                        weights.putAll(decision.weights());
                    }
                    Map<String, Double> metrics = gradient(policy, batch, weights, tasks.padId(), o.microBatch());
                    metrics.put("grad_norm", policy.parameters().clipGradient(o.maxGradNorm()));
                    run.guard(phase, step + 1L, metrics);
                    double rate = schedule.at(step % o.steps());
                    optimizer.step(rate);
                    long tokens = batch.values().stream()
                            .flatMap(List::stream)
                            .mapToLong(Tokenized::length)
                            .sum();
                    weights.forEach((name, weight) -> metrics.put("weight/" + name, weight));
                    metrics.put("lr", rate);
                    metrics.put("tokens_per_s", tokens / ((System.nanoTime() - start) / 1e9));
                    boolean learnt = (step + 1) % o.steps() == 0;
                    if (learnt || (step + 1) % config.evaluateEvery() == 0) {
                        double[] accuracies = tasks.answers(policy).accuracies();
                        for (int k = 0; k <= task; k++) {
                            metrics.put("accuracy/" + tasks.name(k), accuracies[k]);
                        }
                    }
                    run.log(phase, step + 1L, metrics);
                    progress.step(step + 1L, metrics.get("loss"), tokens);
                    if (learnt && step + 1 < last) {
                        Models.save(policy, tasks.tokenizer(), folder(run, arm, task));
                    }
                    if ((step + 1) % o.checkpointEvery() == 0 || learnt) {
                        run.save(Checkpoint.at(phase, step + 1L)
                                .tensors("model", policy.parameters().named())
                                .tensors("optimizer", optimizer.state())
                                .text("history", text(history)));
                    }
                }
            }
        }
    }

    /// A line for each objective: its name, then its signals.
    private static String text(Map<String, List<Double>> history) {
        return history.entrySet().stream()
                .map(e -> e.getKey() + " "
                        + e.getValue().stream().map(String::valueOf).collect(Collectors.joining(" ")))
                .collect(Collectors.joining("\n"));
    }

    private static Map<String, List<Double>> history(SavedCheckpoint saved) {
        Map<String, List<Double>> history = new LinkedHashMap<>();
        saved.text("history")
                .lines()
                .map(line -> line.split(" "))
                .forEach(words -> history.put(
                        words[0],
                        Arrays.stream(words).skip(1).map(Double::valueOf).toList()));
        return history;
    }

    /// What the objectives of a step say of themselves before it is taken. A pass of its own, since weights are needed
    /// before the first micro-batch goes back.
    private static SequencedMap<String, Double> signals(
            Signal signal, Decoder policy, SequencedMap<String, List<Tokenized>> batch, int padId) {
        SequencedMap<String, Double> signals = new LinkedHashMap<>();
        batch.forEach((name, examples) -> {
            double[] logProbs = SequenceScores.of(policy, examples, padId, 1.0);
            signals.put(
                    name,
                    switch (signal) {
                        case LOSS ->
                            -Arrays.stream(logProbs).sum()
                                    / examples.stream()
                                            .mapToInt(Tokenized::targets)
                                            .sum();
                        case REWARD ->
                            Arrays.stream(logProbs).map(Math::exp).average().orElseThrow();
                    });
        });
        return signals;
    }

    /// Adds the gradient of `(1/K) Σ λ_k L_k`, micro-batch by micro-batch, each `L_k` a mean over the tokens of its
    /// task. Metrics: the sum, and `loss/NAME`, nats a token.
    private static Map<String, Double> gradient(
            Decoder policy,
            SequencedMap<String, List<Tokenized>> batch,
            SequencedMap<String, Double> weights,
            int padId,
            int microBatch) {
        List<String> names = List.copyOf(batch.keySet());
        double[] lambda =
                weights.values().stream().mapToDouble(Double::doubleValue).toArray();
        List<Tokenized> rows = new ArrayList<>();
        List<Integer> objectives = new ArrayList<>(); // of each row
        for (int k = 0; k < names.size(); k++) {
            for (Tokenized row : batch.get(names.get(k))) {
                rows.add(row);
                objectives.add(k);
            }
        }
        double[] targets = new double[names.size()];
        IntStream.range(0, rows.size())
                .forEach(i -> targets[objectives.get(i)] += rows.get(i).targets());
        Map<String, Double> metrics = new LinkedHashMap<>();
        for (int[] part : Batches.inOrder(rows.size(), microBatch)) {
            try (Scope _ = new Scope()) {
                TokenBatch tokens = TokenBatch.of(
                                Arrays.stream(part).mapToObj(rows::get).toList(), padId, 1)
                        .to(policy.device());
                HeadLogProbs logProbs = SequenceScores.sums(policy, tokens, 1.0);
                Tensor perRow = SequenceScores.rowSums(logProbs.values(), tokens);
                Tensor shares = Tensor.of(Arrays.stream(part)
                                .mapToDouble(i -> -1 / targets[objectives.get(i)])
                                .toArray())
                        .to(perRow.dtype())
                        .to(perRow.device());
                Tensor index = Tensor.of(
                                Arrays.stream(part).map(objectives::get).toArray(), part.length)
                        .to(DType.INT64)
                        .to(perRow.device());
                Tensor losses = Indexing.indexAdd(
                        Creation.zeros(perRow.dtype(), perRow.device(), names.size()), 0, index, perRow.times(shares));
                Tensor loss = Recap.recap(losses, lambda).value();
                loss.backward();
                logProbs.backward();
                metrics.merge("loss", loss.item(), Double::sum);
                double[] values =
                        losses.detach().to(DType.FLOAT64).to(Device.CPU).toDoubles();
                for (int k = 0; k < values.length; k++) {
                    metrics.merge("loss/" + names.get(k), values[k], Double::sum);
                }
            }
        }
        return metrics;
    }

    private static ContinualResult course(TaskSequence tasks, Arm arm, Path start, Device device, Run run) {
        List<Answers> answers = new ArrayList<>();
        for (int task = 0; task < tasks.count(); task++) {
            try (Decoder policy = Models.load(task == 0 ? start : folder(run, arm, task), device)) {
                answers.add(tasks.answers(policy));
            }
        }
        return new ContinualResult(arm.title(), answers);
    }
}
