package dev.kedge.task;

import dev.kedge.data.Tokenized;
import dev.kedge.data.task.GeneratedTask;
import dev.kedge.data.task.Problem;
import dev.kedge.data.task.ProblemSplit;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.nn.lm.Generator;
import dev.kedge.run.TrainingConfig;
import dev.kedge.run.result.Summary;
import dev.kedge.sequence.Models;
import dev.kedge.statistics.Bootstrap;
import dev.kedge.tensor.Streams;
import dev.kedge.text.CharTokenizer;
import dev.kedge.text.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// Generated tasks that one decoder learns one after another. Each prompt begins with its task's mark, so that tasks
/// may share an alphabet: a word after `₁` is to be copied, after `₂` to be sorted.
public final class TaskSequence implements AutoCloseable {
    /// As many tasks as there are marks.
    public static final int MOST = 9;

    private static final char FIRST_MARK = '₁';

    private final List<GeneratedTask> tasks;
    private final Tokenizer tokenizer;
    private final List<List<Tokenized>> examples;
    private final List<List<Problem>> heldOut;
    private final long seed;

    /// @param examples of each task, to learn from, drawn with replacement
    /// @param heldOut  problems of each task, of which no example is made, drawn with replacement
    public TaskSequence(List<GeneratedTask> tasks, int examples, int heldOut, long seed) {
        this.tasks = tasks;
        this.seed = seed;
        tokenizer = CharTokenizer.of(Stream.concat(
                        IntStream.range(0, tasks.size()).mapToObj(this::mark),
                        tasks.stream().map(GeneratedTask::alphabet))
                .flatMapToInt(String::chars)
                .distinct()
                .mapToObj(Character::toString)
                .collect(Collectors.joining()));
        this.examples = new ArrayList<>();
        this.heldOut = new ArrayList<>();
        for (int k = 0; k < tasks.size(); k++) {
            GeneratedTask task = tasks.get(k);
            int of = k;
            var learnt = new SplittableRandom(Streams.of(seed, "examples", k));
            var judged = new SplittableRandom(Streams.of(seed, "held-out problems", k));
            this.examples.add(Stream.generate(() -> task.sample(learnt, ProblemSplit.TRAIN))
                    .limit(examples)
                    .map(problem ->
                            Tokenized.ofReply(prompt(of, problem), tokenizer.encodeAnswer(task.solution(problem))))
                    .toList());
            this.heldOut.add(Stream.generate(() -> task.sample(judged, ProblemSplit.HELD_OUT))
                    .limit(heldOut)
                    .toList());
        }
    }

    private String mark(int task) {
        return Character.toString(FIRST_MARK + task);
    }

    private int[] prompt(int task, Problem problem) {
        return tokenizer.encode(mark(task) + problem.prompt());
    }

    public int count() {
        return tasks.size();
    }

    /// Such as `2-sorting`.
    public String name(int task) {
        return task + 1 + "-" + tasks.get(task).getClass().getSimpleName().toLowerCase(Locale.ROOT);
    }

    public Tokenizer tokenizer() {
        return tokenizer;
    }

    public int padId() {
        return Models.padId(tokenizer);
    }

    public List<Tokenized> examples(int task) {
        return examples.get(task);
    }

    /// Positions that hold every prompt with its longest answer.
    public int longest() {
        return IntStream.range(0, count())
                .map(k -> longestAnswer(k)
                        + Stream.concat(
                                        examples.get(k).stream().map(e -> e.length() - e.targets()),
                                        heldOut.get(k).stream().map(p -> prompt(k, p).length))
                                .mapToInt(Integer::intValue)
                                .max()
                                .orElseThrow())
                .max()
                .orElseThrow();
    }

    /// With its end.
    private int longestAnswer(int task) {
        return tasks.get(task).maxCompletionLength() + 1;
    }

    /// The examples of a step by objective, the earlier tasks first: as many of each, and of the new task what is left
    /// over too. Their number is the batch size, whether there is replay or not.
    ///
    /// @param task   the new one
    /// @param step   since it is learnt
    /// @param memory how many examples of each earlier task are there to be replayed; 0 for no replay
    public SequencedMap<String, List<Tokenized>> batch(int task, int step, int memory, TrainingConfig training) {
        SequencedMap<String, List<Tokenized>> batch = new LinkedHashMap<>();
        int share = training.batchSize() / (task + 1);
        for (int k = memory > 0 ? 0 : task; k <= task; k++) {
            List<Tokenized> pool = k < task ? examples.get(k).subList(0, memory) : examples.get(k);
            int size = k < task ? share : training.batchSize() - (memory > 0 ? task * share : 0);
            long stream = Streams.of(Streams.of(seed, "batches while learning", task), "examples of", k);
            batch.put(name(k), drawn(pool, size, new SplittableRandom(Streams.of(stream, "step", step))));
        }
        return batch;
    }

    /// A step's examples, drawn with replacement.
    private static List<Tokenized> drawn(List<Tokenized> pool, int size, SplittableRandom random) {
        return random.ints(size, 0, pool.size()).mapToObj(pool::get).toList();
    }

    /// What a policy answers to the held-out problems.
    ///
    /// @param completions by task
    /// @param right       1 or 0, by task
    public record Answers(List<List<String>> completions, List<double[]> right) {
        /// The share of right answers by task.
        public double[] accuracies() {
            return right.stream().mapToDouble(Bootstrap::mean).toArray();
        }

        /// 1 or 0 of all problems.
        public double[] all() {
            return upTo(right.size() - 1);
        }

        /// 1 or 0 of the problems of the tasks up to one.
        public double[] upTo(int task) {
            return right.subList(0, task + 1).stream()
                    .flatMapToDouble(Arrays::stream)
                    .toArray();
        }

        public String words() {
            return String.format(Locale.ROOT, "%.1f %% (", 100 * Bootstrap.mean(all()))
                    + Arrays.stream(accuracies())
                            .mapToObj(a -> String.format(Locale.ROOT, "%.1f", 100 * a))
                            .collect(Collectors.joining(", "))
                    + ")";
        }
    }

    /// Greedy answers. One that has not ended is wrong.
    public Answers answers(Decoder policy) {
        List<List<String>> completions = new ArrayList<>();
        List<double[]> right = new ArrayList<>();
        for (int k = 0; k < count(); k++) {
            int task = k;
            List<int[]> prompts =
                    heldOut.get(k).stream().map(p -> prompt(task, p)).toList();
            var options = Generator.Options.greedy(longestAnswer(k), tokenizer.stopIds());
            List<Generator.Completion> answers = Generator.generate(policy, prompts, options, null);
            completions.add(
                    answers.stream().map(a -> tokenizer.decode(a.tokens())).toList());
            right.add(IntStream.range(0, answers.size())
                    .mapToDouble(i -> isRight(task, i, answers.get(i)) ? 1 : 0)
                    .toArray());
        }
        return new Answers(completions, right);
    }

    private boolean isRight(int task, int problem, Generator.Completion answer) {
        return answer.reason() == Generator.StopReason.END
                && tasks.get(task).reward(heldOut.get(task).get(problem), tokenizer.decode(answer.tokens())) == 1;
    }

    /// A summary with two problems of each task, and the answers to them at two times.
    public Summary withSamples(Summary summary, Answers before, Answers after) {
        for (int k = 0; k < count(); k++) {
            for (int i = 0; i < 2; i++) {
                summary = summary.sample(new Summary.Sample(
                        mark(k) + heldOut.get(k).get(i).prompt(),
                        before.completions.get(k).get(i),
                        after.completions.get(k).get(i),
                        Optional.of(before.right.get(k)[i]),
                        Optional.of(after.right.get(k)[i]),
                        name(k) + ": after the first task, and after all"));
            }
        }
        return summary;
    }

    @Override
    public void close() {
        tokenizer.close();
    }
}
