package dev.kedge.task;

import dev.kedge.config.ConfigException;
import dev.kedge.data.Tokenized;
import dev.kedge.data.task.Arithmetic;
import dev.kedge.data.task.Problem;
import dev.kedge.data.task.ProblemSplit;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.nn.lm.DecoderConfig;
import dev.kedge.nn.lm.Generator;
import dev.kedge.run.Run;
import dev.kedge.run.TrainingConfig;
import dev.kedge.run.result.Frontier;
import dev.kedge.run.result.Summary;
import dev.kedge.sequence.Pretraining;
import dev.kedge.statistics.Bootstrap;
import dev.kedge.statistics.Estimate;
import dev.kedge.statistics.Proportions;
import dev.kedge.tensor.Device;
import dev.kedge.text.CharTokenizer;
import dev.kedge.text.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;

/// The generated world of recipes that need no data: sums, judged exactly, and a tiny decoder pre-trained on a text of
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
    /// @param heldOut     sums kept for judging
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

    private final Config config;
    private final Arithmetic task;
    private final Tokenizer tokenizer;
    private final List<Problem> heldOut;
    private final List<int[]> prompts;
    private final List<int[]> solutions;
    private final Decoder reference;
    private final List<AnswerTree.Exact> before;
    private final long seed;

    /// The world of a run: its reference is pre-trained here, or read where the run has made it already.
    ///
    /// @throws ConfigException if there are fewer held-out sums than asked for
    public ArithmeticTask(Config config, Run run, Device device, long seed) {
        this.config = config;
        this.seed = seed;
        task = new Arithmetic(config.maxOperand(), false);
        tokenizer = CharTokenizer.of(task.alphabet());
        heldOut = heldOut(config, task, seed);
        prompts = heldOut.stream().map(this::prompt).toList();
        solutions = heldOut.stream().map(p -> answer(task.solution(p))).toList();
        reference = reference(run, device);
        before = exact(reference);
        run.note(String.format("reference: right on %.1f %% of held-out sums (exact)", 100 * reward(before)));
    }

    private static List<Problem> heldOut(Config config, Arithmetic task, long seed) {
        List<Problem> all = new ArrayList<>(task.problems(ProblemSplit.HELD_OUT));
        if (all.size() < config.heldOut()) {
            throw new ConfigException("held_out is " + config.heldOut() + ", but there are only " + all.size()
                    + " held-out sums of numbers up to " + config.maxOperand());
        }
        java.util.Collections.shuffle(all, new java.util.Random(seed));
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
        RandomGenerator random = new SplittableRandom(seed);
        List<Tokenized> corpus = new ArrayList<>();
        for (int i = 0; i < config.examples(); i++) {
            Problem problem = task.sample(random, ProblemSplit.TRAIN);
            boolean wrong = random.nextDouble() < config.mistakes();
            String said = wrong ? task.corruption(problem, random) : task.solution(problem);
            corpus.add(Tokenized.ofReply(prompt(problem), answer(said)));
        }
        return corpus;
    }

    public Arithmetic task() {
        return task;
    }

    public Tokenizer tokenizer() {
        return tokenizer;
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
                .mapToObj(_ -> task.sample(random, ProblemSplit.TRAIN))
                .toList();
    }

    public int[] prompt(Problem problem) {
        return tokenizer.encode(problem.prompt());
    }

    /// An answer with its end.
    public int[] answer(String text) {
        return tokenizer.encodeAnswer(text);
    }

    /// How to draw answers: whole distribution, temperature 1.
    public Generator.Options sampling(int samples, long seed, boolean logProbs) {
        return new Generator.Options(
                dev.kedge.nn.lm.Sampling.at(1), DEPTH, samples, tokenizer.stopIds(), null, seed, logProbs);
    }

    /// Whether an answer is right: ended, and the sum. A truncated answer is wrong.
    public boolean isRight(Problem problem, Generator.Completion answer) {
        return answer.reason() == Generator.StopReason.END
                && task.reward(problem, tokenizer.decode(answer.tokens())) == 1;
    }

    /// Whether an answer, with its end, is the sum that a prompt asks for.
    public boolean isRight(int[] prompt, int[] answer) {
        return Arrays.equals(answer, answer(task.solution(new Problem(tokenizer.decode(prompt)))));
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

    /// A policy on the held-out sums, by enumeration.
    public List<AnswerTree.Exact> exact(Decoder policy) {
        return AnswerTree.exact(
                policy, reference, prompts, solutions, tokenizer.eos().orElseThrow(), DEPTH);
    }

    /// The reference itself on the held-out sums.
    public List<AnswerTree.Exact> before() {
        return before;
    }

    public static double reward(List<AnswerTree.Exact> exact) {
        return exact.stream().mapToDouble(AnswerTree.Exact::reward).average().orElseThrow();
    }

    public static double kl(List<AnswerTree.Exact> exact) {
        return exact.stream().mapToDouble(AnswerTree.Exact::kl).average().orElseThrow();
    }

    public static Frontier.Point point(List<AnswerTree.Exact> exact, String label) {
        return new Frontier.Point(kl(exact), Estimate.of(reward(exact)), label);
    }

    /// A method's policies of several strengths, from the reference on.
    public Frontier.Arm sweep(String method, List<Frontier.Point> points) {
        return course(
                method,
                points.stream()
                        .sorted(Comparator.comparingDouble(Frontier.Point::x))
                        .toList());
    }

    /// A policy as it learns, from the reference on.
    public Frontier.Arm course(String method, List<Frontier.Point> points) {
        List<Frontier.Point> all = new ArrayList<>(List.of(point(before, "reference")));
        all.addAll(points);
        return new Frontier.Arm(method, all);
    }

    /// Reward against divergence, with the exact optimum.
    public Frontier frontier(Frontier.Arm... arms) {
        return new Frontier(
                "Reward against divergence from the reference",
                "KL(policy || reference), nats",
                "probability of a right answer",
                List.of(arms),
                optimum());
    }

    /// The exact optimum over strengths. With a reward of 0 or 1 tilting moves mass between right and wrong only: at
    /// `p = ref(right)` it gives `p' = p e^{1/beta} / (1 - p + p e^{1/beta})`.
    private List<Frontier.Point> optimum() {
        List<Frontier.Point> curve = new ArrayList<>();
        for (double tilt = 0; tilt <= 14; tilt += 0.25) { // 1/beta
            double reward = 0;
            double kl = 0;
            for (AnswerTree.Exact e : before) {
                double p = Math.clamp(e.reward(), 1e-300, 1 - 1e-16);
                double logOdds = Math.log(p) - Math.log1p(-p) + tilt;
                double tilted = 1 / (1 + Math.exp(-logOdds));
                reward += tilted / before.size();
                // KL(tilted || ref) = tilt * tilted - log E_ref[e^{tilt r}]
                kl += (tilt * tilted - Math.log1p(p * Math.expm1(tilt))) / before.size();
            }
            curve.add(new Frontier.Point(kl, Estimate.of(reward), ""));
        }
        return curve;
    }

    /// A summary with the policy judged on the held-out sums against the reference: accuracy before and after, KL,
    /// samples.
    public Summary judged(Summary summary, Decoder policy) {
        List<AnswerTree.Exact> after = exact(policy);
        List<String> saidBefore = said(reference);
        List<String> saidAfter = said(policy);
        Bootstrap bootstrap = new Bootstrap(2000, 0.95, seed);
        Summary judged = summary.comparison(
                        "Right answers, drawn", "%", bootstrap.bca(rewards(before)), bootstrap.bca(rewards(after)))
                .comparison("Right answers, likeliest", "%", accuracy(saidBefore), accuracy(saidAfter))
                .fact(
                        "KL from the reference",
                        bootstrap.bca(
                                after.stream().mapToDouble(AnswerTree.Exact::kl).toArray()),
                        "nats",
                        "exact for each sum, by enumeration; interval over sums")
                .fact("held-out sums", Estimate.of(heldOut.size()), "", "nothing has learnt from them")
                .note("The pre-training text has " + Math.round(100 * config.mistakes())
                        + " % wrong sums: a perfect imitation of it would be right on "
                        + Math.round(100 * (1 - config.mistakes())) + " %.")
                .note("Every answer of up to two digits is enumerated: probabilities and divergences have no sampling"
                        + " error; intervals are over held-out sums.");
        for (int i = 0; i < Math.min(12, heldOut.size()); i++) {
            judged = judged.sample(new Summary.Sample(
                    heldOut.get(i).prompt(),
                    saidBefore.get(i),
                    saidAfter.get(i),
                    Optional.of(isSolution(i, saidBefore) ? 1.0 : 0.0),
                    Optional.of(isSolution(i, saidAfter) ? 1.0 : 0.0),
                    String.format(
                            "chance of the right answer: %.0f %% before, %.0f %% after",
                            100 * before.get(i).reward(), 100 * after.get(i).reward())));
        }
        return judged;
    }

    private static double[] rewards(List<AnswerTree.Exact> exact) {
        return exact.stream().mapToDouble(AnswerTree.Exact::reward).toArray();
    }

    private List<String> said(Decoder model) {
        Generator.Options greedy = Generator.Options.greedy(DEPTH, tokenizer.stopIds());
        return Generator.generate(model, prompts, greedy, null).stream()
                .map(c -> tokenizer.decode(c.tokens()))
                .toList();
    }

    private boolean isSolution(int i, List<String> said) {
        return task.reward(heldOut.get(i), said.get(i)) == 1;
    }

    private Estimate accuracy(List<String> said) {
        int right = (int)
                IntStream.range(0, said.size()).filter(i -> isSolution(i, said)).count();
        return Proportions.wilson(right, said.size(), 0.95);
    }

    @Override
    public void close() {
        reference.close();
        tokenizer.close();
    }
}
