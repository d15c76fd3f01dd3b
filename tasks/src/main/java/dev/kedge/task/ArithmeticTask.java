package dev.kedge.task;

import dev.kedge.config.ConfigException;
import dev.kedge.data.Tokenized;
import dev.kedge.data.task.Arithmetic;
import dev.kedge.data.task.Problem;
import dev.kedge.data.task.ProblemSplit;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.nn.lm.DecoderConfig;
import dev.kedge.nn.lm.Generator;
import dev.kedge.nn.lm.Generator.Completion;
import dev.kedge.nn.lm.Generator.StopReason;
import dev.kedge.nn.lm.Sampling;
import dev.kedge.run.Run;
import dev.kedge.run.TrainingConfig;
import dev.kedge.run.result.Frontier;
import dev.kedge.sequence.Models;
import dev.kedge.sequence.Pretraining;
import dev.kedge.statistics.Estimate;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Streams;
import dev.kedge.text.CharTokenizer;
import dev.kedge.text.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.OptionalInt;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;

/// The generated task of recipes that need no data: sums, judged exactly, and a tiny decoder pre-trained on a text of
/// which a share is wrong, so that it is right only sometimes. All answers can be enumerated: reward and divergence on
/// sums never trained on are exact and stand beside the exact optimum `π*(y) ∝ ref(y) exp(r(y)/beta)`.
public final class ArithmeticTask implements AutoCloseable {
    /// The longest answer: two digits and the end.
    public static final int DEPTH = 3;

    /// @param maxOperand  sums of two numbers from 0 to this
    /// @param mistakes    share of the pre-training sums that are wrong, in [0, 1)
    /// @param hiddenSize  of the decoder
    /// @param layers      of the decoder
    /// @param heads       of the decoder
    /// @param examples    sums that it is made from
    /// @param pretraining how it is made
    /// @param heldOut     sums kept for the evaluation
    public record Config(
            int maxOperand,
            double mistakes,
            int hiddenSize,
            int layers,
            int heads,
            int examples,
            TrainingConfig pretraining,
            int heldOut) {
        public Config {
            if (!(mistakes >= 0 && mistakes < 1)) {
                throw new IllegalArgumentException("mistakes must be in [0, 1), was " + mistakes);
            }
            if (maxOperand < 1 || maxOperand > 49) {
                throw new IllegalArgumentException(
                        "max_operand must be from 1 to 49, so that answers have two digits at most, was " + maxOperand);
            }
            if (examples < 1 || heldOut < 2) {
                throw new IllegalArgumentException(
                        "examples >= 1 and held_out >= 2 expected, were " + examples + " and " + heldOut);
            }
        }
    }

    /// A policy on the held-out sums, by enumeration: no sampling error.
    ///
    /// @param sums in the order of [#heldOut]
    public record Evaluation(List<AnswerTree.Exact> sums) {
        /// Probability of the right answer to each sum.
        public double[] rewards() {
            return sums.stream().mapToDouble(AnswerTree.Exact::reward).toArray();
        }

        /// KL from the reference for each sum, nats.
        public double[] divergences() {
            return sums.stream().mapToDouble(AnswerTree.Exact::kl).toArray();
        }

        /// Mean probability of a right answer.
        public double reward() {
            return Arrays.stream(rewards()).average().orElseThrow();
        }

        /// Mean KL from the reference, nats.
        public double kl() {
            return Arrays.stream(divergences()).average().orElseThrow();
        }

        public Frontier.Point point(String label) {
            return new Frontier.Point(kl(), Estimate.of(reward()), label);
        }

        @Override
        public String toString() {
            return String.format(Locale.ROOT, "right on %.1f %%, KL %.3f nats (exact)", 100 * reward(), kl());
        }
    }

    private final Config config;
    private final Arithmetic arithmetic;
    private final Tokenizer tokenizer;
    private final List<Problem> heldOut;
    private final List<int[]> prompts;
    private final List<int[]> solutions;
    private final Decoder reference;
    private final Evaluation before;
    private final long seed;

    /// The task of a run: its reference is pre-trained here, or read where the run has made it already.
    ///
    /// @throws ConfigException if there are fewer held-out sums than asked for
    public ArithmeticTask(Config config, Run run, Device device, long seed) {
        this.config = config;
        this.seed = seed;
        arithmetic = new Arithmetic(config.maxOperand(), false);
        tokenizer = CharTokenizer.of(arithmetic.alphabet());
        heldOut = heldOut(config, arithmetic, seed);
        prompts = heldOut.stream().map(this::prompt).toList();
        solutions = heldOut.stream().map(p -> answer(solution(p))).toList();
        reference = reference(run, device);
        before = evaluate(reference);
        run.note(String.format(
                Locale.ROOT, "reference: right on %.1f %% of held-out sums (exact)", 100 * before.reward()));
    }

    private static List<Problem> heldOut(Config config, Arithmetic arithmetic, long seed) {
        List<Problem> all = new ArrayList<>(arithmetic.problems(ProblemSplit.HELD_OUT));
        if (all.size() < config.heldOut()) {
            throw new ConfigException("held_out is " + config.heldOut() + ", but there are only " + all.size()
                    + " held-out sums of numbers up to " + config.maxOperand());
        }
        Collections.shuffle(all, new SplittableRandom(Streams.of(seed, "held-out sums")));
        return all.subList(0, config.heldOut());
    }

    private Decoder reference(Run run, Device device) {
        DecoderConfig shape = DecoderConfig.small(
                tokenizer.vocabularySize(), config.hiddenSize(), config.layers(), config.heads(), 16);
        return new Pretraining(run, tokenizer, device, config.pretraining(), seed)
                .decoder(
                        "pretraining",
                        run.folder().resolve("reference"),
                        rng -> Decoder.random(shape, rng, device),
                        this::corpus);
    }

    private List<Tokenized> corpus() {
        RandomGenerator random = new SplittableRandom(Streams.of(seed, "corpus"));
        List<Tokenized> corpus = new ArrayList<>();
        for (int i = 0; i < config.examples(); i++) {
            Problem problem = arithmetic.sample(random, ProblemSplit.TRAIN);
            boolean wrong = random.nextDouble() < config.mistakes();
            String said = wrong ? arithmetic.corruption(problem, random) : arithmetic.solution(problem);
            corpus.add(Tokenized.ofReply(prompt(problem), answer(said)));
        }
        return corpus;
    }

    public Tokenizer tokenizer() {
        return tokenizer;
    }

    /// The id that fills batches.
    public int padId() {
        return Models.padId(tokenizer);
    }

    /// The frozen decoder that policies start from and are held to.
    public Decoder reference() {
        return reference;
    }

    /// Sums that nothing learns from.
    public List<Problem> heldOut() {
        return heldOut;
    }

    /// The same as prompts.
    public List<int[]> heldOutPrompts() {
        return prompts;
    }

    /// Problems to learn from, drawn with replacement.
    public List<Problem> training(int count, RandomGenerator random) {
        return IntStream.range(0, count)
                .mapToObj(_ -> arithmetic.sample(random, ProblemSplit.TRAIN))
                .toList();
    }

    /// The same as prompts.
    public List<int[]> trainingPrompts(int count, RandomGenerator random) {
        return training(count, random).stream().map(this::prompt).toList();
    }

    public int[] prompt(Problem problem) {
        return tokenizer.encode(problem.prompt());
    }

    /// The right answer, without its end.
    public String solution(Problem problem) {
        return arithmetic.solution(problem);
    }

    /// An answer with its end.
    public int[] answer(String text) {
        return tokenizer.encodeAnswer(text);
    }

    /// Answers drawn at temperature 1 from the whole distribution, with their log-probs.
    ///
    /// @param samples to each prompt
    /// @return those to each prompt, in order
    public List<List<Completion>> completions(Decoder model, List<int[]> prompts, int samples, long seed) {
        return completions(model, prompts, Sampling.at(1), samples, seed);
    }

    /// The same drawn otherwise.
    public List<List<Completion>> completions(
            Decoder model, List<int[]> prompts, Sampling sampling, int samples, long seed) {
        var options = new Generator.Options(sampling, DEPTH, samples, tokenizer.stopIds(), null, seed, true);
        List<Completion> all = Generator.generate(model, prompts, options, null);
        return IntStream.range(0, prompts.size())
                .mapToObj(p -> all.subList(p * samples, (p + 1) * samples))
                .toList();
    }

    /// The likeliest answer to each prompt.
    public List<String> greedy(Decoder model, List<int[]> prompts) {
        return Generator.generate(model, prompts, Generator.Options.greedy(DEPTH, tokenizer.stopIds()), null).stream()
                .map(c -> tokenizer.decode(c.tokens()))
                .toList();
    }

    /// Whether an answer is right: ended, and the sum. A truncated answer is wrong.
    public boolean isRight(Problem problem, Completion answer) {
        return answer.reason() == StopReason.END && isRight(problem, tokenizer.decode(answer.tokens()));
    }

    /// Whether an answer, without its end, is right.
    public boolean isRight(Problem problem, String answer) {
        return arithmetic.reward(problem, answer) == 1;
    }

    /// Whether an answer, with its end, is the sum that a prompt asks for.
    public boolean isRight(int[] prompt, int[] answer) {
        return Arrays.equals(answer, answer(solution(new Problem(tokenizer.decode(prompt)))));
    }

    /// The number that an answer is; empty where it is none, or has no end.
    public OptionalInt number(int[] answer) {
        int last = answer.length - 1;
        if (last < 1 || answer[last] != tokenizer.eos().orElseThrow()) {
            return OptionalInt.empty();
        }
        int number = 0;
        for (int t = 0; t < last; t++) {
            String piece = tokenizer.token(answer[t]);
            if (piece.length() != 1 || !Character.isDigit(piece.charAt(0))) {
                return OptionalInt.empty();
            }
            number = 10 * number + Character.digit(piece.charAt(0), 10);
        }
        return OptionalInt.of(number);
    }

    /// A policy on the held-out sums.
    public Evaluation evaluate(Decoder policy) {
        return new Evaluation(AnswerTree.exact(
                policy, reference, prompts, solutions, tokenizer.eos().orElseThrow(), DEPTH));
    }

    /// The reference itself on the held-out sums.
    public Evaluation before() {
        return before;
    }

    @Override
    public void close() {
        reference.close();
        tokenizer.close();
    }
}
