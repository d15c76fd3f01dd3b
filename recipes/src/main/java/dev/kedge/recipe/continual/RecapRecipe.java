package dev.kedge.recipe.continual;

import dev.kedge.data.TokenBatch;
import dev.kedge.data.Tokenized;
import dev.kedge.data.task.GeneratedTask;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.nn.lm.DecoderConfig;
import dev.kedge.objective.logprob.HeadLogProbs;
import dev.kedge.objective.supervised.Recap;
import dev.kedge.run.Remembered;
import dev.kedge.run.Run;
import dev.kedge.run.Step;
import dev.kedge.run.StepMetrics;
import dev.kedge.run.Training;
import dev.kedge.run.TrainingConfig;
import dev.kedge.sequence.Models;
import dev.kedge.sequence.Pretraining;
import dev.kedge.sequence.SequenceScores;
import dev.kedge.task.TaskSequence;
import dev.kedge.task.TaskSequence.Answers;
import dev.kedge.tensor.Creation;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Engine;
import dev.kedge.tensor.Indexing;
import dev.kedge.tensor.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
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
    /// @param evaluateEvery steps between evaluations
    /// @param heldOut       problems of each task kept for evaluation
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
            Engine.requireThreads(threads);
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
                throw new IllegalArgumentException("training needs a batch_size of " + tasks.size()
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
        try (TaskSequence tasks = new TaskSequence(config.tasks(), config.examples(), config.heldOut(), config.seed());
                Decoder start = learnFirst(config, tasks, device, run)) {
            int last = tasks.count() - 1;
            List<ContinualResult> results = new ArrayList<>();
            for (Arm arm : config.arms()) {
                if (!Models.isComplete(folder(run, arm, last))) {
                    try (Decoder policy = start.copy()) {
                        train(config, tasks, arm, policy, run);
                        Models.save(policy, tasks.tokenizer(), folder(run, arm, last));
                    }
                }
                results.add(result(tasks, arm, start, device, run));
                run.note("right at the end, " + results.getLast().words());
            }
            try (Decoder policy = Models.load(folder(run, config.arms().getFirst(), last), device)) {
                Models.save(policy, tasks.tokenizer(), run.folder().resolve("model"));
            }
            run.summarise(ContinualResult.summary(tasks, results, config.seed(), run.seconds()));
        }
    }

    private static Path folder(Run run, Arm arm, int task) {
        return run.folder().resolve("policies").resolve(arm.name()).resolve("after-" + (task + 1));
    }

    /// The first task, which all arms share.
    private static Decoder learnFirst(Config config, TaskSequence tasks, Device device, Run run) {
        DecoderConfig shape = DecoderConfig.small(
                tasks.tokenizer().vocabularySize(),
                config.hiddenSize(),
                config.layers(),
                config.heads(),
                tasks.longest());
        return new Pretraining(run, tasks.tokenizer(), device, config.training(), config.seed())
                .decoder(
                        "first",
                        run.folder().resolve("policies").resolve("first"),
                        rng -> Decoder.random(shape, rng, device),
                        () -> tasks.examples(0));
    }

    /// The loop over all tasks but the first.
    private static void train(Config config, TaskSequence tasks, Arm arm, Decoder policy, Run run) {
        TrainingConfig training = config.training();
        int cycles = tasks.count() - 1;
        int last = cycles * training.steps();
        var history = new AtomicReference<Map<String, List<Double>>>(Map.of());
        try (var loop = new Training(
                run,
                arm.name().replace('.', '_'),
                training,
                policy.parameters(),
                new Training.Span(0, cycles, last),
                Remembered.text("history", () -> text(history.get()), text -> history.set(history(text))))) {
            loop.run(step -> {
                int task = 1 + step / training.steps();
                var batch = tasks.batch(task, step % training.steps(), arm.replays() ? config.memory() : 0, training);
                SequencedMap<String, Double> weights = weights(config.signal(), arm, policy, batch, tasks, history);
                double[] lambda = weights.values().stream().mapToDouble(w -> w).toArray();
                List<String> names = List.copyOf(batch.keySet());
                return Step.on(
                                rows(batch),
                                training.microBatch(),
                                part -> gradient(policy, part, names, lambda, tasks.padId()))
                        .completed(m -> weights.forEach((name, weight) -> m.put("weight/" + name, weight)))
                        .then(m -> {
                            boolean learnt = (step + 1) % training.steps() == 0;
                            if (learnt || (step + 1) % config.evaluateEvery() == 0) {
                                double[] accuracies = tasks.answers(policy).accuracies();
                                for (int k = 0; k <= task; k++) {
                                    m.put("accuracy/" + tasks.name(k), accuracies[k]);
                                }
                            }
                            if (learnt && step + 1 < last) {
                                Models.save(policy, tasks.tokenizer(), folder(run, arm, task));
                            }
                        })
                        .tokens(batch.values().stream()
                                .flatMap(List::stream)
                                .mapToLong(Tokenized::length)
                                .sum());
            });
        }
    }

    /// A line for each objective: its name, then its signals.
    private static String text(Map<String, List<Double>> history) {
        return history.entrySet().stream()
                .map(e -> e.getKey() + " "
                        + e.getValue().stream().map(String::valueOf).collect(Collectors.joining(" ")))
                .collect(Collectors.joining("\n"));
    }

    private static Map<String, List<Double>> history(String text) {
        Map<String, List<Double>> history = new LinkedHashMap<>();
        text.lines()
                .map(line -> line.split(" "))
                .forEach(words -> history.put(
                        words[0],
                        Arrays.stream(words).skip(1).map(Double::valueOf).toList()));
        return history;
    }

    /// The weight of each objective of a step: 1 where the arm has no rule.
    private static SequencedMap<String, Double> weights(
            Signal signal,
            Arm arm,
            Decoder policy,
            SequencedMap<String, List<Tokenized>> batch,
            TaskSequence tasks,
            AtomicReference<Map<String, List<Double>>> history) {
        SequencedMap<String, Double> weights = new LinkedHashMap<>();
        batch.keySet().forEach(name -> weights.put(name, 1.0));
        arm.rule().ifPresent(rule -> {
            var decision = rule.after(history.get(), signals(signal, policy, batch, tasks.padId()));
            history.set(decision.history());
            weights.putAll(decision.weights());
        });
        return weights;
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
                        case LOSS -> -Arrays.stream(logProbs).sum() / targets(examples);
                        case REWARD ->
                            Arrays.stream(logProbs).map(Math::exp).average().orElseThrow();
                    });
        });
        return signals;
    }

    private static int targets(List<Tokenized> examples) {
        return examples.stream().mapToInt(Tokenized::targets).sum();
    }

    /// An example of a step.
    ///
    /// @param objective its number
    /// @param targets   of all examples of its objective
    private record Row(Tokenized example, int objective, int targets) {}

    private static List<Row> rows(SequencedMap<String, List<Tokenized>> batch) {
        List<Row> rows = new ArrayList<>();
        int objective = 0;
        for (List<Tokenized> examples : batch.values()) {
            int targets = targets(examples);
            for (Tokenized example : examples) {
                rows.add(new Row(example, objective, targets));
            }
            objective++;
        }
        return rows;
    }

    /// Adds these rows' share of the gradient of `(1/K) Σ λ_k L_k`, each `L_k` a mean over the tokens of its task.
    /// Metrics: the sum, and `loss/NAME`, nats a token.
    private static StepMetrics gradient(
            Decoder policy, List<Row> part, List<String> names, double[] lambda, int padId) {
        TokenBatch tokens = TokenBatch.of(part.stream().map(Row::example).toList(), padId, 1)
                .to(policy.device());
        HeadLogProbs logProbs = SequenceScores.sums(policy, tokens, 1.0);
        Tensor perRow = SequenceScores.rowSums(logProbs.values(), tokens);
        Tensor shares = Tensor.of(
                        part.stream().mapToDouble(row -> -1.0 / row.targets).toArray())
                .to(perRow.dtype())
                .to(perRow.device());
        Tensor index = Tensor.of(part.stream().mapToInt(Row::objective).toArray(), part.size())
                .to(DType.INT64)
                .to(perRow.device());
        Tensor losses = Indexing.indexAdd(
                Creation.zeros(perRow.dtype(), perRow.device(), names.size()), 0, index, perRow.times(shares));
        Tensor loss = Recap.recap(losses, lambda).value();
        loss.backward();
        logProbs.backward();
        StepMetrics metrics = new StepMetrics().add("loss", loss.item());
        double[] values = losses.detach().to(DType.FLOAT64).to(Device.CPU).toDoubles();
        for (int k = 0; k < values.length; k++) {
            metrics.add("loss/" + names.get(k), values[k]);
        }
        return metrics;
    }

    private static ContinualResult result(TaskSequence tasks, Arm arm, Decoder start, Device device, Run run) {
        List<Answers> answers = new ArrayList<>(List.of(tasks.answers(start)));
        for (int task = 1; task < tasks.count(); task++) {
            try (Decoder policy = Models.load(folder(run, arm, task), device)) {
                answers.add(tasks.answers(policy));
            }
        }
        return new ContinualResult(arm.name(), arm.title(), answers);
    }
}
