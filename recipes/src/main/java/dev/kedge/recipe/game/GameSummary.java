package dev.kedge.recipe.game;

import dev.kedge.data.Tokenized;
import dev.kedge.env.Categorical;
import dev.kedge.env.ClassGameOracle;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.nn.lm.Generator.Completion;
import dev.kedge.run.SamplerAgreement;
import dev.kedge.run.result.Frontier;
import dev.kedge.run.result.Summary;
import dev.kedge.sequence.SequenceScores;
import dev.kedge.statistics.Bootstrap;
import dev.kedge.statistics.Estimate;
import dev.kedge.task.AnswerGame;
import dev.kedge.task.AnswerTree;
import dev.kedge.task.ArithmeticTask;
import dev.kedge.tensor.Streams;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// What a recipe that learns the game of a [PairwiseJudge][dev.kedge.recipe.preference.PairwiseJudge] says of its
/// policies, all of it exact on held-out sums.
final class GameSummary {
    private static final int SAMPLES = 8;

    private final ArithmeticTask task;
    private final AnswerGame game;
    private final double[][] logRef;
    private final Bootstrap bootstrap;
    private final long seed;

    /// @param beta strength of the game's regulariser
    GameSummary(ArithmeticTask task, ClassGameOracle judge, double beta, long seed) {
        this.task = task;
        this.seed = seed;
        game = new AnswerGame(
                judge,
                task.reference(),
                task.heldOutPrompts(),
                beta,
                task.tokenizer().eos().orElseThrow(),
                ArithmeticTask.DEPTH);
        logRef = game.logProbs(task.reference());
        bootstrap = new Bootstrap(2000, 0.95, Streams.of(seed, "bootstrap"));
    }

    /// A policy.
    ///
    /// @param step      how far it has learnt
    /// @param logPolicy its answers, nats, [prompts][answers]
    /// @param gaps      of each held-out sum
    record Evaluation(int step, double[][] logPolicy, double[] gaps) {
        double gap() {
            return Bootstrap.mean(gaps);
        }
    }

    /// The policies of a method, from the reference on.
    record LearningCurve(String name, List<Evaluation> policies) {
        LearningCurve(String name, List<Evaluation> learnt, Evaluation reference) {
            this(name, Stream.concat(Stream.of(reference), learnt.stream()).toList());
        }

        Evaluation last() {
            return policies.getLast();
        }

        double leastGap() {
            return policies.stream().mapToDouble(Evaluation::gap).min().orElseThrow();
        }
    }

    /// Where everything begins.
    Evaluation reference() {
        return evaluate(0, logRef);
    }

    Evaluation evaluate(int step, double[][] logPolicy) {
        return new Evaluation(step, logPolicy, game.gaps(logPolicy));
    }

    Evaluation evaluate(int step, Decoder policy) {
        return evaluate(step, game.logProbs(policy));
    }

    /// The gap along each curve.
    Frontier frontier(String x, List<LearningCurve> curves) {
        return new Frontier(
                "Exact duality gap of the regularised game, mean over held-out sums",
                x,
                "duality gap",
                curves.stream()
                        .map(curve -> new Frontier.Arm(
                                curve.name,
                                curve.policies.stream()
                                        .map(p -> new Frontier.Point(p.step, bootstrap.bca(p.gaps), ""))
                                        .toList()))
                        .toList(),
                List.of());
    }

    /// A summary with gaps before and after each method, the first one's lead over the second, and the policy at
    /// the first one's end beside the equilibrium.
    ///
    /// @throws dev.kedge.run.RunFailedException if the policy's sampler and trainer disagree
    Summary evaluated(Summary summary, List<LearningCurve> curves, Decoder policy) {
        Evaluation before = reference();
        Summary evaluated = summary;
        for (LearningCurve curve : curves) {
            evaluated = evaluated.comparison(
                    "Duality gap, " + curve.name, "", bootstrap.bca(before.gaps), bootstrap.bca(curve.last().gaps));
        }
        LearningCurve shown = curves.getFirst();
        if (curves.size() > 1) {
            evaluated = evaluated.fact(
                    "gap_of_the_second_less_the_first",
                    "gap of " + curves.get(1).name + " less that of " + shown.name,
                    bootstrap.pairedBca(shown.last().gaps, curves.get(1).last().gaps),
                    "",
                    "at the end, paired by sum; interval over sums, not over trainings");
        }
        double[][] equilibrium = game.equilibrium();
        return withSamples(evaluated, shown, equilibrium, policy)
                .comparison(
                        "Classes, distance from the equilibrium's shares",
                        "",
                        bootstrap.bca(distances(before, equilibrium)),
                        bootstrap.bca(distances(shown.last(), equilibrium)))
                .fact(
                        "kl_from_the_reference",
                        "KL from the reference",
                        bootstrap.bca(game.divergences(shown.last().logPolicy)),
                        "nats",
                        shown.name + "; exact for each sum, by enumeration; interval over sums")
                .fact(
                        "sampler_against_trainer",
                        "sampler against trainer",
                        Estimate.of(agreement(policy).difference()),
                        "nats",
                        "largest difference of an answer's log-prob, a token")
                .note("Every answer of up to two digits is enumerated: duality gaps and divergences have no sampling"
                        + " error; intervals are over held-out sums, from which nothing has learnt.")
                .note("The distance of shares is the total variation between the policy's masses on the judge's classes"
                        + " and those at the equilibrium of the regularised game, which is solved for each sum.");
    }

    private double[] distances(Evaluation policy, double[][] equilibrium) {
        double[][] shares = game.shares(policy.logPolicy);
        double[] distances = new double[shares.length];
        Arrays.setAll(distances, i -> Categorical.totalVariation(shares[i], equilibrium[i]));
        return distances;
    }

    private Summary withSamples(Summary summary, LearningCurve shown, double[][] equilibrium, Decoder policy) {
        List<int[]> prompts = task.heldOutPrompts()
                .subList(0, Math.min(SAMPLES, task.heldOutPrompts().size()));
        List<String> before = task.greedy(task.reference(), prompts);
        List<String> after = task.greedy(policy, prompts);
        double[][] sharesBefore = game.shares(logRef);
        double[][] sharesAfter = game.shares(shown.last().logPolicy);
        Summary all = summary;
        for (int i = 0; i < prompts.size(); i++) {
            all = all.sample(new Summary.Sample(
                    task.tokenizer().decode(prompts.get(i)),
                    before.get(i),
                    after.get(i),
                    Optional.empty(),
                    Optional.empty(),
                    "shares of the judge's classes: " + percent(sharesBefore[i]) + " before, " + percent(sharesAfter[i])
                            + " after, " + percent(equilibrium[i]) + " at the equilibrium"));
        }
        return all;
    }

    private static String percent(double[] shares) {
        return Arrays.stream(shares)
                        .mapToObj(s -> Long.toString(Math.round(100 * s)))
                        .collect(Collectors.joining("/"))
                + " %";
    }

    /// By how much the log-probs of drawn answers differ from those of the enumerated ones.
    private SamplerAgreement agreement(Decoder policy) {
        List<int[]> answers = AnswerTree.answers(
                task.tokenizer().vocabularySize(), task.tokenizer().eos().orElseThrow(), ArithmeticTask.DEPTH);
        double[][] exact = game.logProbs(policy);
        List<Completion> drawn =
                task.completions(policy, task.heldOutPrompts(), 1, Streams.of(seed, "held-out answers")).stream()
                        .flatMap(List::stream)
                        .toList();
        List<Tokenized> sequences = drawn.stream()
                .map(c -> Tokenized.ofReply(task.heldOutPrompts().get(c.prompt()), c.tokens()))
                .toList();
        SamplerAgreement agreement = SamplerAgreement.ofSums(
                drawn,
                drawn.stream()
                        .mapToDouble(c -> exact[c.prompt()][indexOf(answers, c.tokens())])
                        .toArray(),
                SequenceScores.ofTokens(policy, sequences, task.padId(), 1).largestTerm());
        agreement.require();
        return agreement;
    }

    private static int indexOf(List<int[]> answers, int[] answer) {
        int i = 0;
        while (!Arrays.equals(answers.get(i), answer)) {
            i++;
        }
        return i;
    }
}
