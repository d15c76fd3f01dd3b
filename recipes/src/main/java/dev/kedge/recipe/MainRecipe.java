package dev.kedge.recipe;

import dev.kedge.data.Tokenized;
import dev.kedge.data.TokenizedPair;
import dev.kedge.data.task.Arithmetic;
import dev.kedge.data.task.Part;
import dev.kedge.data.task.Problem;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.nn.lm.DecoderConfig;
import dev.kedge.nn.lm.Generator;
import dev.kedge.nn.lm.Generator.Completion;
import dev.kedge.nn.lm.Sampling;
import dev.kedge.recipe.run.ConfigException;
import dev.kedge.recipe.run.Run;
import dev.kedge.recipe.run.RunFailedException;
import dev.kedge.recipe.run.Summary;
import dev.kedge.recipe.statistics.Bootstrap;
import dev.kedge.recipe.statistics.Proportions;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Engine;
import dev.kedge.tensor.Rng;
import dev.kedge.text.CharTokenizer;
import dev.kedge.text.Tokenizer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;

/// The main job: the whole way of an alignment, on a task whose reward is exact, with no data and no network.
///
/// A tiny decoder is pre-trained on sums of which a share is wrong, so it is right only sometimes. Its own answers to
/// training problems, judged by the task, make preferences; DPO against the frozen reference learns from them at
/// several strengths. Every answer can be enumerated, so reward and divergence on problems never trained on are
/// exact, and stand beside the exact optimum `π*(y) ∝ ref(y) exp(r(y)/beta)`.
///
/// Command: `./kedge run`. Expected: accuracy on held-out sums rises from about 45 % to above 80 %.
public final class MainRecipe {
    private MainRecipe() {}

    /// @param maxOperand  sums of two numbers from 0 to this
    /// @param mistakes    share of the pre-training sums that are wrong, in [0, 1)
    /// @param hiddenSize  of the decoder
    /// @param layers      of the decoder
    /// @param heads       of the decoder
    /// @param pretraining how the decoder is made
    /// @param examples    sums that it is made from
    /// @param prompts     training problems that are answered for preferences
    /// @param answers     to each
    /// @param dpo         how each policy is moved
    /// @param betas       strengths, each > 0; the first one's policy is shown and kept
    /// @param evaluation  held-out problems
    /// @param device      cpu, cuda or cuda:N
    /// @param threads     of the engine: a model this small loses more to waking a second one than it gains
    /// @param seed        of everything drawn
    public record Config(
            int maxOperand,
            double mistakes,
            int hiddenSize,
            int layers,
            int heads,
            Optimisation pretraining,
            int examples,
            int prompts,
            int answers,
            Optimisation dpo,
            List<Double> betas,
            int evaluation,
            String device,
            int threads,
            long seed) {
        public Config {
            if (!(mistakes >= 0 && mistakes < 1)) {
                throw new IllegalArgumentException("mistakes must be in [0, 1), was " + mistakes);
            }
            if (maxOperand < 1 || maxOperand > 49) {
                throw new IllegalArgumentException(
                        "max_operand must be from 1 to 49, so that answers have two digits at most, was " + maxOperand);
            }
            if (betas.isEmpty() || betas.stream().anyMatch(b -> !(b > 0))) {
                throw new IllegalArgumentException("betas must be numbers > 0, at least one, were " + betas);
            }
            if (examples < 1 || prompts < 1 || answers < 2 || evaluation < 2) {
                throw new IllegalArgumentException(
                        "examples >= 1, prompts >= 1, answers >= 2, evaluation >= 2 expected, were " + examples + ", "
                                + prompts + ", " + answers + ", " + evaluation);
            }
        }
    }

    /// The longest answer: two digits and the end.
    private static final int DEPTH = 3;

    public static void run(Config config, Run run) {
        Engine.useThreads(config.threads());
        Device device = new Device(config.device());
        Arithmetic task = new Arithmetic(config.maxOperand(), false);
        try (Tokenizer tokenizer = CharTokenizer.of(task.alphabet())) {
            Decoder reference = reference(config, task, tokenizer, device, run);
            try (reference) {
                List<Problem> heldOut = heldOut(config, task);
                List<int[]> prompts =
                        heldOut.stream().map(p -> tokenizer.encode(p.prompt())).toList();
                List<int[]> solutions = heldOut.stream()
                        .map(p -> answer(task.solution(p), tokenizer))
                        .toList();
                List<AnswerTree.Exact> before = exact(reference, reference, prompts, solutions, tokenizer);
                run.note(String.format("reference: right on %.1f %% of held-out sums (exact)", 100 * reward(before)));

                List<TokenizedPair> pairs = preferences(config, task, tokenizer, reference, run);
                double[][] scores = DpoRecipe.scores(reference, pairs, Models.padId(tokenizer));
                List<Summary.Point> points = new ArrayList<>();
                points.add(point(before, "reference"));
                Decoder shown = null;
                List<AnswerTree.Exact> after = null;
                for (double beta : config.betas()) {
                    Decoder policy = policy(config, tokenizer, reference, pairs, scores, beta, device, run);
                    List<AnswerTree.Exact> result = exact(policy, reference, prompts, solutions, tokenizer);
                    points.add(point(result, "β " + beta));
                    run.note(String.format(
                            "beta %s: right on %.1f %%, KL %.3f nats (exact)", beta, 100 * reward(result), kl(result)));
                    if (shown == null) {
                        shown = policy;
                        after = result;
                    } else {
                        policy.close();
                    }
                }
                try (Decoder best = shown) {
                    Models.save(best, tokenizer, run.folder().resolve("model"));
                    run.summarise(summary(
                            config,
                            task,
                            tokenizer,
                            reference,
                            best,
                            heldOut,
                            prompts,
                            before,
                            after,
                            points,
                            pairs.size(),
                            run));
                }
            }
        }
    }

    /// The pre-trained decoder, from disk where this run has made it already.
    private static Decoder reference(Config config, Arithmetic task, Tokenizer tokenizer, Device device, Run run) {
        Path folder = run.folder().resolve("reference");
        if (!Models.isComplete(folder)) {
            DecoderConfig shape = DecoderConfig.small(
                    tokenizer.vocabularySize(), config.hiddenSize(), config.layers(), config.heads(), 16);
            try (Rng rng = Rng.seeded(config.seed());
                    Decoder fresh = Decoder.random(shape, rng, device)) {
                List<Tokenized> corpus = corpus(config, task, tokenizer);
                SftRecipe.train(
                        run,
                        "pretraining",
                        fresh,
                        corpus,
                        Models.padId(tokenizer),
                        config.pretraining(),
                        config.seed());
                Models.save(fresh, tokenizer, folder);
            }
        }
        return Models.load(folder, device);
    }

    private static List<Tokenized> corpus(Config config, Arithmetic task, Tokenizer tokenizer) {
        RandomGenerator random = new SplittableRandom(config.seed());
        List<Tokenized> corpus = new ArrayList<>();
        for (int i = 0; i < config.examples(); i++) {
            Problem problem = task.sample(random, Part.TRAIN);
            boolean wrong = random.nextDouble() < config.mistakes();
            String said = wrong ? task.corruption(problem, random) : task.solution(problem);
            corpus.add(Tokenized.ofReply(tokenizer.encode(problem.prompt()), answer(said, tokenizer)));
        }
        return corpus;
    }

    private static int[] answer(String text, Tokenizer tokenizer) {
        int[] ids = tokenizer.encodeOrdinary(text);
        int[] ended = Arrays.copyOf(ids, ids.length + 1);
        ended[ids.length] = tokenizer.eos().orElseThrow();
        return ended;
    }

    private static List<Problem> heldOut(Config config, Arithmetic task) {
        List<Problem> all = new ArrayList<>(task.problems(Part.HELD_OUT));
        if (all.size() < config.evaluation()) {
            throw new ConfigException("evaluation is " + config.evaluation() + ", but there are only " + all.size()
                    + " held-out sums of numbers up to " + config.maxOperand());
        }
        java.util.Collections.shuffle(all, new java.util.Random(config.seed()));
        return all.subList(0, config.evaluation());
    }

    /// The reference answers training problems; each right answer is preferred to a wrong one to the same problem.
    private static List<TokenizedPair> preferences(
            Config config, Arithmetic task, Tokenizer tokenizer, Decoder reference, Run run) {
        RandomGenerator random = new SplittableRandom(config.seed() + 1);
        List<Problem> problems = IntStream.range(0, config.prompts())
                .mapToObj(_ -> task.sample(random, Part.TRAIN))
                .toList();
        List<int[]> prompts =
                problems.stream().map(p -> tokenizer.encode(p.prompt())).toList();
        List<Completion> answers = Generator.generate(
                reference,
                prompts,
                new Generator.Options(
                        Sampling.at(1), DEPTH, config.answers(), tokenizer.stopIds(), null, config.seed(), false),
                null);
        List<TokenizedPair> pairs = new ArrayList<>();
        for (int p = 0; p < problems.size(); p++) {
            int[] prompt = prompts.get(p);
            List<int[]> right = new ArrayList<>();
            List<int[]> wrong = new ArrayList<>();
            for (Completion c : answers.subList(p * config.answers(), (p + 1) * config.answers())) {
                boolean ended = c.reason() == Generator.StopReason.END; // a truncated answer is none
                if (ended) {
                    boolean isRight = task.reward(problems.get(p), tokenizer.decode(c.tokens())) == 1;
                    (isRight ? right : wrong).add(c.tokens());
                }
            }
            for (int i = 0; i < Math.min(right.size(), wrong.size()); i++) {
                pairs.add(new TokenizedPair(
                        Tokenized.ofReply(prompt, right.get(i)),
                        Tokenized.ofReply(prompt, wrong.get(i)),
                        prompt.length));
            }
        }
        run.note(
                pairs.size() + " preferences from " + answers.size() + " answers of the reference, judged by the task");
        if (pairs.isEmpty()) {
            throw new RunFailedException("the reference is never both right and wrong on a problem: no preference to "
                    + "learn from; pre-train it longer, or with other mistakes");
        }
        return pairs;
    }

    private static Decoder policy(
            Config config,
            Tokenizer tokenizer,
            Decoder reference,
            List<TokenizedPair> pairs,
            double[][] scores,
            double beta,
            Device device,
            Run run) {
        Path folder = run.folder().resolve("policies").resolve("beta-" + beta);
        if (!Models.isComplete(folder)) {
            try (Decoder policy = reference.copy()) {
                String phase = ("dpo-beta-" + beta).replace('.', '_');
                DpoRecipe.train(
                        run,
                        phase,
                        policy,
                        policy.parameters(),
                        pairs,
                        scores,
                        Models.padId(tokenizer),
                        new PairObjective.Sigmoid(beta),
                        config.dpo(),
                        config.seed());
                Models.save(policy, tokenizer, folder);
            }
        }
        return Models.load(folder, device);
    }

    private static List<AnswerTree.Exact> exact(
            Decoder policy, Decoder reference, List<int[]> prompts, List<int[]> solutions, Tokenizer tokenizer) {
        return AnswerTree.exact(
                policy, reference, prompts, solutions, tokenizer.eos().orElseThrow(), DEPTH);
    }

    private static double reward(List<AnswerTree.Exact> exact) {
        return exact.stream().mapToDouble(AnswerTree.Exact::reward).average().orElseThrow();
    }

    private static double kl(List<AnswerTree.Exact> exact) {
        return exact.stream().mapToDouble(AnswerTree.Exact::kl).average().orElseThrow();
    }

    private static Summary.Point point(List<AnswerTree.Exact> exact, String label) {
        return new Summary.Point(kl(exact), Summary.Estimate.of(reward(exact)), label);
    }

    /// The exact optimum over strengths. With a reward of 0 or 1 tilting moves mass between right and wrong only: at
    /// `p = ref(right)` it gives `p' = p e^{1/beta} / (1 - p + p e^{1/beta})`.
    private static List<Summary.Point> optimum(List<AnswerTree.Exact> reference) {
        List<Summary.Point> curve = new ArrayList<>();
        for (double tilt = 0; tilt <= 14; tilt += 0.25) { // 1/beta
            double reward = 0;
            double kl = 0;
            for (AnswerTree.Exact e : reference) {
                double p = Math.clamp(e.reward(), 1e-300, 1 - 1e-16);
                double logOdds = Math.log(p) - Math.log1p(-p) + tilt;
                double tilted = 1 / (1 + Math.exp(-logOdds));
                reward += tilted / reference.size();
                // KL(tilted || ref) = tilt * tilted - log E_ref[e^{tilt r}]
                kl += (tilt * tilted - Math.log1p(p * Math.expm1(tilt))) / reference.size();
            }
            curve.add(new Summary.Point(kl, Summary.Estimate.of(reward), ""));
        }
        return curve;
    }

    private static Summary summary(
            Config config,
            Arithmetic task,
            Tokenizer tokenizer,
            Decoder reference,
            Decoder policy,
            List<Problem> heldOut,
            List<int[]> prompts,
            List<AnswerTree.Exact> before,
            List<AnswerTree.Exact> after,
            List<Summary.Point> points,
            int pairs,
            Run run) {
        Generator.Options greedy = Generator.Options.greedy(DEPTH, tokenizer.stopIds());
        List<String> saidBefore = said(reference, prompts, greedy, tokenizer);
        List<String> saidAfter = said(policy, prompts, greedy, tokenizer);
        Bootstrap bootstrap = new Bootstrap(2000, 0.95, config.seed());
        double beta = config.betas().getFirst();
        Summary summary = Summary.of("main", Summary.Status.FINISHED, run.seconds())
                .title("Preferences fix a model that learnt from mistakes")
                .verdict(String.format(
                        "Drawn answers to sums never trained on were right with probability %.1f %% before and %.1f %% after DPO at beta %s, %.2f nats from the reference.",
                        100 * reward(before), 100 * reward(after), beta, kl(after)))
                .comparison(
                        "Right answers, drawn",
                        "%",
                        Bootstraps.of(bootstrap, rewards(before)),
                        Bootstraps.of(bootstrap, rewards(after)))
                .comparison(
                        "Right answers, likeliest",
                        "%",
                        accuracy(task, heldOut, saidBefore),
                        accuracy(task, heldOut, saidAfter))
                .frontier(new Summary.Frontier(
                        "Reward against divergence from the reference",
                        "KL(policy || reference), nats",
                        "probability of a right answer",
                        List.of(new Summary.Arm("DPO", points)),
                        optimum(before)))
                .fact(
                        "KL from the reference",
                        Bootstraps.of(
                                bootstrap,
                                after.stream().mapToDouble(AnswerTree.Exact::kl).toArray()),
                        "nats",
                        "exact for each sum, by enumeration; interval over sums")
                .fact("preferences", Summary.Estimate.of(pairs), "", "right over wrong answers of the reference itself")
                .fact(
                        "held-out sums",
                        Summary.Estimate.of(heldOut.size()),
                        "",
                        "none of them in pre-training or preferences")
                .note("The pre-training text has " + Math.round(100 * config.mistakes())
                        + " % wrong sums: a perfect imitation of it would be right on "
                        + Math.round(100 * (1 - config.mistakes())) + " %.")
                .note(
                        "Every answer of up to two digits is enumerated: probabilities and divergences have no sampling error; intervals are over held-out sums.");
        for (int i = 0; i < Math.min(12, heldOut.size()); i++) {
            summary = summary.sample(new Summary.Sample(
                    heldOut.get(i).prompt(),
                    saidBefore.get(i),
                    saidAfter.get(i),
                    Optional.of(task.reward(heldOut.get(i), saidBefore.get(i)) == 1 ? 1.0 : 0.0),
                    Optional.of(task.reward(heldOut.get(i), saidAfter.get(i)) == 1 ? 1.0 : 0.0),
                    String.format(
                            "chance of the right answer: %.0f %% before, %.0f %% after",
                            100 * before.get(i).reward(), 100 * after.get(i).reward())));
        }
        return summary;
    }

    private static double[] rewards(List<AnswerTree.Exact> exact) {
        return exact.stream().mapToDouble(AnswerTree.Exact::reward).toArray();
    }

    private static List<String> said(
            Decoder model, List<int[]> prompts, Generator.Options options, Tokenizer tokenizer) {
        return Generator.generate(model, prompts, options, null).stream()
                .map(c -> tokenizer.decode(c.tokens()))
                .toList();
    }

    private static Summary.Estimate accuracy(Arithmetic task, List<Problem> problems, List<String> said) {
        int right = (int) IntStream.range(0, problems.size())
                .filter(i -> task.reward(problems.get(i), said.get(i)) == 1)
                .count();
        return Bootstraps.of(Proportions.wilson(right, problems.size(), 0.95));
    }
}
