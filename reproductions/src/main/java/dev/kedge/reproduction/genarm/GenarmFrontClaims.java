package dev.kedge.reproduction.genarm;

import static dev.kedge.lab.claim.Measure.measure;

import dev.kedge.lab.claim.Claim;
import dev.kedge.lab.claim.Claim.Arm;
import dev.kedge.lab.claim.Experiment;
import dev.kedge.lab.claim.Outcome;
import dev.kedge.lab.tabular.Curve;
import dev.kedge.recipe.guidance.GenarmFrontRecipe;
import dev.kedge.reproduction.trial.RecipeTrial;
import dev.kedge.run.RunFailedException;
import dev.kedge.run.result.Frontier;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/// The claims of GenARM (Xu et al. 2024, arXiv:2410.08193) about several wishes at once, on the environment of
/// [dev.kedge.task.DelayedRewardTask].
public final class GenarmFrontClaims {
    private static final List<Double> ALPHAS = List.of(2.0, 0.5, 1.0);
    private static final List<Double> WEIGHTS = List.of(0.0, 0.25, 0.5, 0.75, 1.0);
    private static final double SHARE = 0.9;
    private static final String STEP = "least step, from one weight to the next, of promises kept up or made down";
    private static final String MADE = "promises made, mean over numbers kept";
    private static final String GAIN = "gain over the base, half and half, mean over divergences";

    private GenarmFrontClaims() {}

    public static List<Claim> claims() {
        return claims(GenarmClaims.Scale.PUBLISHED);
    }

    public static List<Claim> claims(GenarmClaims.Scale scale) {
        var e = new Experiment("two-wishes", description(scale), 6, seed -> trial(scale, seed));
        var made = measure(e, MADE, "");
        var gain = measure(e, GAIN, "");
        return List.of(
                measure(e, STEP, "")
                        .claim("front")
                        .says("With two reward models that pull apart, weights swept when answers are drawn trace a "
                                + "monotone front.")
                        .more(new Arm("GenARM", STEP), 0),
                made.claim("soups-front")
                        .says("Where as many promises are kept, weighing two reward models makes more than averaging "
                                + "the weights of two policies of DPO.")
                        .more(
                                arm(MADE, "GenARM", "averaged weights"),
                                arm(MADE, "averaged weights", "averaged weights")),
                gain.claim("soups")
                        .says("At equal divergence, half and half, weighing two reward models gains more than "
                                + "averaging the weights of two policies of DPO.")
                        .more(
                                arm(GAIN, "GenARM", "averaged weights"),
                                arm(GAIN, "averaged weights", "averaged weights")),
                gain.claim("both")
                        .says("At equal divergence, half and half, weighing two reward models gains at least nine "
                                + "tenths of what DPO on labels of both judges does.")
                        .more(arm(GAIN, "GenARM", asked()), arm(GAIN, asked(), asked())));
    }

    private static Arm arm(String number, String arm, String against) {
        return new Arm(arm, number(number, arm, against));
    }

    private static String asked() {
        return String.format(Locale.ROOT, "%.0f %% of DPO's on both", 100 * SHARE);
    }

    /// The number of an arm where it and what it is held against are both known.
    private static String number(String number, String arm, String against) {
        return number + ", " + arm + ", where " + against + " is known too";
    }

    private static Outcome trial(GenarmClaims.Scale scale, long seed) {
        var run = RecipeTrial.run("genarm-front", config(scale, seed), GenarmFrontRecipe::run);
        var front = run.summary().frontiers().getFirst().arms();
        var half = run.summary().frontiers().get(1).arms();
        double base = half.getFirst().points().getFirst().y().value();
        var outcome = Outcome.NOTHING.with(STEP, leastStep(front.getFirst()));
        outcome = with(outcome, MADE, "averaged weights", front.getFirst(), front.get(1), 0, 1);
        outcome = with(outcome, GAIN, "averaged weights", half.getFirst(), half.get(1), base, 1);
        outcome = with(outcome, GAIN, asked(), half.getFirst(), half.get(2), base, SHARE);
        return outcome.with(run.summary().frontiers().getFirst());
    }

    private static Outcome with(
            Outcome outcome,
            String number,
            String against,
            Frontier.Arm mine,
            Frontier.Arm other,
            double origin,
            double share) {
        var curve = Curve.of(mine);
        var others = Curve.of(other);
        var range = Curve.common(List.of(curve, others))
                .orElseThrow(
                        () -> new RunFailedException(
                                "GenARM and " + against
                                        + " have no weights at which both can be compared: longer trainings or more weights would help"));
        return outcome.with(number(number, "GenARM", against), curve.mean(range) - origin)
                .with(number(number, against, against), share * (others.mean(range) - origin));
    }

    /// The points' order is that of their weights.
    private static double leastStep(Frontier.Arm front) {
        var points = front.points().stream()
                .sorted(Comparator.comparing(Frontier.Point::label))
                .toList();
        return IntStream.range(1, points.size())
                .mapToDouble(i -> Math.min(
                        points.get(i).x() - points.get(i - 1).x(),
                        points.get(i - 1).y().value() - points.get(i).y().value()))
                .min()
                .orElseThrow();
    }

    static GenarmFrontRecipe.Config config(GenarmClaims.Scale s, long seed) {
        return new GenarmFrontRecipe.Config(
                GenarmClaims.task(s),
                s.pairs(),
                GenarmClaims.BETA,
                ALPHAS,
                WEIGHTS,
                GenarmClaims.learning(s),
                "cpu",
                1,
                seed);
    }

    private static String description(GenarmClaims.Scale s) {
        return "The recipe's world of promises with decoders of width " + s.hiddenSize()
                + " and two layers, pre-trained for " + s.pretraining() + " steps. One judge counts the "
                + "promises kept less those broken, the other those made; the same " + s.pairs() + " pairs of "
                + "the base's answers are labelled by each. A reward model (beta " + GenarmClaims.BETA
                + ") and a policy of DPO at beta/alpha learn from each labelling in " + s.steps() + " steps of "
                + "64, and DPO from labels by both half and half. Total alpha " + ALPHAS + ", weights "
                + WEIGHTS + ", " + s.heldOut() + " fresh prompts. The front is that of the first alpha; "
                + "divergences are estimated from the answers drawn.";
    }
}
