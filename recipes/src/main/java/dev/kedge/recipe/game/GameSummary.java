package dev.kedge.recipe.game;

import dev.kedge.env.Categorical;
import dev.kedge.env.ClassGameOracle;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.nn.lm.Generator;
import dev.kedge.nn.lm.Generator.Completion;
import dev.kedge.run.SamplerAgreement;
import dev.kedge.run.result.Frontier;
import dev.kedge.run.result.Summary;
import dev.kedge.sequence.Models;
import dev.kedge.statistics.Bootstrap;
import dev.kedge.statistics.Estimate;
import dev.kedge.task.AnswerGame;
import dev.kedge.task.AnswerTree;
import dev.kedge.task.ArithmeticTask;
import dev.kedge.tensor.Device;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/// What a recipe that learns the game of a [PairwiseJudge] says of its policies, all of it exact on held-out sums.
final class GameSummary {
    private static final int SAMPLES = 8;

    private final ArithmeticTask sums;
    private final AnswerGame game;
    private final double[][] logRef;
    private final Bootstrap bootstrap;
    private final long seed;

    /// @param beta strength of the game's regulariser
    GameSummary(ArithmeticTask sums, ClassGameOracle judge, double beta, long seed) {
        this.sums = sums;
        this.seed = seed;
        game = new AnswerGame(
                judge,
                sums.reference(),
                sums.heldOutPrompts(),
                beta,
                sums.tokenizer().eos().orElseThrow(),
                ArithmeticTask.DEPTH);
        logRef = game.logProbs(sums.reference());
        bootstrap = new Bootstrap(2000, 0.95, seed);
    }

    /// A policy on a method's way.
    ///
    /// @param step      how far
    /// @param logPolicy its answers, nats, [prompts][answers]
    /// @param gaps      of each held-out sum
    record Stand(int step, double[][] logPolicy, double[] gaps) {
        double gap() {
            return Bootstrap.mean(gaps);
        }
    }

    /// The policies of a method, the reference first.
    record Way(String name, List<Stand> stands) {
        Stand end() {
            return stands.getLast();
        }

        double leastGap() {
            return stands.stream().mapToDouble(Stand::gap).min().orElseThrow();
        }
    }

    AnswerGame game() {
        return game;
    }

    /// Where everything begins.
    Stand reference() {
        return stand(0, logRef);
    }

    Stand stand(int step, double[][] logPolicy) {
        return new Stand(step, logPolicy, game.gaps(logPolicy));
    }

    /// The stand of a policy on the disk.
    Stand stand(int step, Path folder, Device device) {
        try (Decoder policy = Models.load(folder, device)) {
            return stand(step, game.logProbs(policy));
        }
    }

    /// The gap along each way.
    Frontier frontier(String x, List<Way> ways) {
        return new Frontier(
                "Exact duality gap of the regularised game, mean over held-out sums",
                x,
                "duality gap",
                ways.stream()
                        .map(way -> new Frontier.Arm(
                                way.name,
                                way.stands.stream()
                                        .map(s -> new Frontier.Point(s.step, bootstrap.bca(s.gaps), ""))
                                        .toList()))
                        .toList(),
                List.of());
    }

    /// A summary with gaps before and after each way, the first way's lead over the second, and the policy at the
    /// first one's end beside the equilibrium.
    ///
    /// @throws dev.kedge.run.RunFailedException if the policy's sampler and trainer disagree
    Summary judged(Summary summary, List<Way> ways, Decoder policy) {
        Stand before = reference();
        Summary judged = summary;
        for (Way way : ways) {
            judged = judged.comparison(
                    "Duality gap, " + way.name, "", bootstrap.bca(before.gaps), bootstrap.bca(way.end().gaps));
        }
        Way shown = ways.getFirst();
        if (ways.size() > 1) {
            judged = judged.fact(
                    "gap of " + ways.get(1).name + " less that of " + shown.name,
                    bootstrap.pairedBca(shown.end().gaps, ways.get(1).end().gaps),
                    "",
                    "at the end, paired by sum; interval over sums, not over trainings");
        }
        double[][] equilibrium = game.equilibrium();
        return withSamples(judged, shown, equilibrium, policy)
                .comparison(
                        "Classes, distance from the equilibrium's shares",
                        "",
                        bootstrap.bca(distances(before, equilibrium)),
                        bootstrap.bca(distances(shown.end(), equilibrium)))
                .fact(
                        "KL from the reference",
                        bootstrap.bca(game.divergences(shown.end().logPolicy)),
                        "nats",
                        shown.name + "; exact for each sum, by enumeration; interval over sums")
                .fact(
                        "sampler against trainer",
                        Estimate.of(difference(policy)),
                        "nats",
                        "largest difference of an answer's log-prob, a token")
                .note("Every answer of up to two digits is enumerated: duality gaps and divergences have no sampling"
                        + " error; intervals are over held-out sums, from which nothing has learnt.")
                .note("The distance of shares is the total variation between the policy's masses on the judge's classes"
                        + " and those at the equilibrium of the regularised game, which is solved for each sum.");
    }

    private double[] distances(Stand stand, double[][] equilibrium) {
        double[][] shares = game.shares(stand.logPolicy);
        double[] distances = new double[shares.length];
        Arrays.setAll(distances, i -> Categorical.totalVariation(shares[i], equilibrium[i]));
        return distances;
    }

    private Summary withSamples(Summary summary, Way shown, double[][] equilibrium, Decoder policy) {
        List<int[]> prompts = sums.heldOutPrompts()
                .subList(0, Math.min(SAMPLES, sums.heldOutPrompts().size()));
        List<Completion> before = greedy(sums.reference(), prompts);
        List<Completion> after = greedy(policy, prompts);
        double[][] sharesBefore = game.shares(logRef);
        double[][] sharesAfter = game.shares(shown.end().logPolicy);
        Summary all = summary;
        for (int i = 0; i < prompts.size(); i++) {
            all = all.sample(new Summary.Sample(
                    sums.tokenizer().decode(prompts.get(i)),
                    sums.tokenizer().decode(before.get(i).tokens()),
                    sums.tokenizer().decode(after.get(i).tokens()),
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

    private List<Completion> greedy(Decoder model, List<int[]> prompts) {
        return Generator.generate(
                model,
                prompts,
                Generator.Options.greedy(ArithmeticTask.DEPTH, sums.tokenizer().stopIds()),
                null);
    }

    /// By how much the log-probs of drawn answers differ from those of the enumerated ones.
    private double difference(Decoder policy) {
        List<int[]> answers = AnswerTree.answers(
                sums.tokenizer().vocabularySize(), sums.tokenizer().eos().orElseThrow(), ArithmeticTask.DEPTH);
        double[][] exact = game.logProbs(policy);
        List<Completion> drawn = Generator.generate(policy, sums.heldOutPrompts(), sums.sampling(1, seed, true), null);
        double difference = SamplerAgreement.difference(
                drawn,
                drawn.stream()
                        .mapToDouble(c -> exact[c.prompt()][indexOf(answers, c.tokens())])
                        .toArray());
        SamplerAgreement.require(difference);
        return difference;
    }

    private static int indexOf(List<int[]> answers, int[] answer) {
        int i = 0;
        while (!Arrays.equals(answers.get(i), answer)) {
            i++;
        }
        return i;
    }
}
