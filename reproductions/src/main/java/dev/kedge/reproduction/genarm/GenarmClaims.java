package dev.kedge.reproduction.genarm;

import static dev.kedge.lab.claim.Measure.measure;

import dev.kedge.lab.claim.Claim;
import dev.kedge.lab.claim.Claim.Arm;
import dev.kedge.lab.claim.Experiment;
import dev.kedge.lab.claim.Outcome;
import dev.kedge.lab.tabular.Curve;
import dev.kedge.nn.optim.Schedule;
import dev.kedge.recipe.guidance.GenarmRecipe;
import dev.kedge.reproduction.trial.RecipeTrial;
import dev.kedge.run.TrainingConfig;
import dev.kedge.run.result.Frontier;
import dev.kedge.task.DelayedRewardTask;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.IntStream;

/// The claims of GenARM (Xu et al. 2024, arXiv:2410.08193), on the environment of [DelayedRewardTask].
public final class GenarmClaims {
    private static final List<Double> ALPHAS = List.of(0.25, 0.5, 1.0, 2.0, 4.0);
    private static final int GROWING = 4; // up to 2
    private static final List<Double> WEIGHTS = List.of(0.125, 0.25, 0.5, 1.0, 2.0);
    static final double BETA = 0.5;
    private static final String GROWTH = "least growth of reward from one alpha to the next, up to 2";

    private GenarmClaims() {}

    /// How large the experiment is.
    ///
    /// @param hiddenSize  of base and reward model; the other one has half of it
    /// @param pretraining steps
    /// @param pairs       labelled
    /// @param steps       on pairs
    /// @param heldOut     prompts to judge by
    /// @param searched    of them that are answered by search
    public record Scale(int hiddenSize, int pretraining, int pairs, int steps, int heldOut, int searched) {
        static final Scale PUBLISHED = new Scale(48, 400, 4000, 125, 600, 150);
    }

    public static List<Claim> claims() {
        return claims(Scale.PUBLISHED);
    }

    public static List<Claim> claims(Scale scale) {
        var e = new Experiment("promises", description(scale), 6, seed -> trial(scale, seed));
        var gain = measure(e, "reward gained over the base, mean over divergences", "");
        return List.of(
                measure(e, GROWTH, "")
                        .claim("alpha")
                        .says("Guided decoding has more reward, the more weight the reward model has, up to 2.")
                        .more(new Arm("GenARM", GROWTH), 0),
                gain.claim("search")
                        .says("At equal divergence guided decoding has more reward than search by a reward model of "
                                + "whole answers.")
                        .more(Pair.SEARCH.mine(), Pair.SEARCH.others()),
                gain.claim("dpo")
                        .says("At equal divergence guided decoding has at least nine tenths of the reward that DPO of "
                                + "the same model gains.")
                        .more(Pair.DPO.mine(), Pair.DPO.others()),
                gain.claim("weak-to-strong")
                        .says("At equal divergence a reward model of half the base's width has at least three "
                                + "quarters of the reward that one of its width gains.")
                        .more(Pair.WEAK.mine(), Pair.WEAK.others()));
    }

    /// A method, what it is held against at equal divergence, and the share of the other's gain that is asked for.
    private enum Pair {
        SEARCH("GenARM", 0, "search", 3, 1),
        DPO("GenARM", 0, "DPO", 1, 0.9),
        WEAK("GenARM with rewards of half the width", 2, "GenARM", 0, 0.75);

        private final String method;
        private final int arm;
        private final String against;
        private final int other;
        private final double share;

        Pair(String method, int arm, String against, int other, double share) {
            this.method = method;
            this.arm = arm;
            this.against = against;
            this.other = other;
            this.share = share;
        }

        private String asked() {
            return share == 1 ? against : String.format(Locale.ROOT, "%.0f %% of %s's gain", 100 * share, against);
        }

        private String number(String arm) {
            return "gain, " + arm + ", where " + method + " and " + against + " are";
        }

        private Arm mine() {
            return new Arm(method, number(method));
        }

        private Arm others() {
            return new Arm(asked(), number(asked()));
        }

        /// Mean gain over the base, over the divergences that both have.
        private Outcome with(Outcome outcome, Frontier frontier) {
            var mine = Curve.of(frontier.arms().get(arm));
            var others = Curve.of(frontier.arms().get(other));
            var range = Curve.common(List.of(mine, others)).orElseThrow();
            double base = frontier.arms().getFirst().points().getFirst().y().value();
            double gain = others.mean(range) - base;
            var with = outcome.with(number(method), mine.mean(range) - base).with(number(asked()), share * gain);
            return share == 1 ? with : with.with(number(against), gain);
        }
    }

    private static Outcome trial(Scale scale, long seed) {
        var run = RecipeTrial.run("genarm", config(scale, seed), GenarmRecipe::run);
        var frontier = run.summary().frontiers().getFirst();
        var outcome = Outcome.NOTHING.with(GROWTH, growth(frontier.arms().getFirst()));
        for (var pair : Pair.values()) {
            outcome = pair.with(outcome, frontier);
        }
        return outcome.with(frontier);
    }

    /// The least step of the guided reward, points found by their labels.
    private static double growth(Frontier.Arm guided) {
        double[] rewards = ALPHAS.stream()
                .mapToDouble(alpha -> guided.points().stream()
                        .filter(p -> p.label().equals("α " + alpha))
                        .findFirst()
                        .orElseThrow()
                        .y()
                        .value())
                .toArray();
        return IntStream.range(1, GROWING)
                .mapToDouble(i -> rewards[i] - rewards[i - 1])
                .min()
                .orElseThrow();
    }

    static GenarmRecipe.Config config(Scale s, long seed) {
        return new GenarmRecipe.Config(
                task(s),
                s.pairs,
                BETA,
                ALPHAS,
                Optional.of(s.hiddenSize / 2),
                Optional.of(new GenarmRecipe.Search(10, s.searched, WEIGHTS)),
                List.of(),
                learning(s),
                "cpu",
                1,
                seed);
    }

    static DelayedRewardTask.Config task(Scale s) {
        return new DelayedRewardTask.Config(
                10,
                0.2,
                8,
                14,
                s.hiddenSize,
                2,
                4,
                40000,
                RecipeTrial.training(falling(s.pretraining, 3e-3), 128, 0.01),
                s.heldOut);
    }

    /// How reward models and policies learn from pairs.
    static TrainingConfig learning(Scale s) {
        return RecipeTrial.training(falling(s.steps, 1e-3), 64, 0);
    }

    private static Schedule falling(int steps, double rate) {
        return new Schedule(Schedule.Shape.COSINE, rate, 10, steps, 0.1);
    }

    private static String description(Scale s) {
        return "The recipe's world of promises with decoders of width " + s.hiddenSize + " and two layers, "
                + "pre-trained for " + s.pretraining + " steps. The reward model (beta " + BETA + "), one of "
                + "half the width, DPO at beta/alpha and a reward model of whole answers learn from the same "
                + s.pairs + " labelled pairs of the base's answers in " + s.steps + " steps of 64. Guided "
                + "decoding with alpha " + ALPHAS + " is judged on " + s.heldOut + " fresh prompts, search "
                + "over 10 candidates with weight " + WEIGHTS + " on " + s.searched + " of them. Divergences "
                + "are estimated from the answers drawn.";
    }
}
