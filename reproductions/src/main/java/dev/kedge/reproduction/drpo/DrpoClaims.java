package dev.kedge.reproduction.drpo;

import static dev.kedge.lab.claim.Measure.measure;

import dev.kedge.data.task.ScratchSum;
import dev.kedge.lab.claim.Claim;
import dev.kedge.lab.claim.Claim.Arm;
import dev.kedge.lab.claim.Experiment;
import dev.kedge.lab.claim.Outcome;
import dev.kedge.lab.tabular.Curve;
import dev.kedge.recipe.policy.DrpoMethod;
import dev.kedge.recipe.policy.GrpoMethod;
import dev.kedge.recipe.policy.LengthPenaltyMethod;
import dev.kedge.recipe.policy.PolicyGradientMethod.Estimator;
import dev.kedge.recipe.policy.PolicyMethod;
import dev.kedge.reproduction.trial.RlvrTrial;
import dev.kedge.reproduction.trial.ScratchSumTrial;
import dev.kedge.run.result.Frontier;
import dev.kedge.statistics.Estimate;
import java.util.Arrays;
import java.util.List;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// The claims of DRPO (arXiv:2510.04474): a sweep of its lambda beside one of the length penalty in GRPO's reward.
public final class DrpoClaims {
    /// Infinity, DisCO, first.
    private static final double[] LAMBDAS = {Double.POSITIVE_INFINITY, 0.1, 0.05, 0.02};

    /// Where lambda is not swept.
    private static final double LAMBDA = 0.05;

    private static final double[] GRPO_ALPHAS = {0, 0.1, 0.5};
    private static final double[] RLOO_ALPHAS = {0, 0.5, 0.7, 1};
    private static final PolicyMethod PUNISHING = penalized(0.5, true);

    private static final double LEARNING_RATE = 1e-3;
    private static final double TOLERATED = 0.05;
    private static final String ACCURACY = "accuracy on held-out questions";
    private static final String LENGTH = "mean length of right answers";
    private static final String BRIEF = "DRPO, lambda " + LAMBDA;
    private static final String SWEPT = "DRPO, mean of its sweep";
    private static final String GRPO_THERE = "penalized GRPO at the same lengths";
    private static final String RLOO_THERE = "penalized RLOO at the same lengths";
    private static final String PUNISHED = "right answers with a negative advantage";

    private DrpoClaims() {}

    public static List<Claim> claims() {
        return claims(ScratchSumTrial.shallow(new ScratchSum(), 300, 80, 20, 4, 64));
    }

    public static List<Claim> claims(ScratchSumTrial scale) {
        var e = new Experiment("length-sweep", description(scale), 8, seed -> trial(scale, seed));
        var length = measure(e, LENGTH, "tokens");
        var accuracy = measure(e, ACCURACY, "%");
        return List.of(
                length.claim("shorter-than-disco")
                        .says("A small lambda makes right answers shorter than no reward for length does.")
                        .less(BRIEF, "DisCO")
                        .by(0.5),
                accuracy.claim("accuracy-kept-of-disco")
                        .says("It costs at most 5 points of accuracy.")
                        .more(BRIEF, "DisCO less 5 points"),
                length.claim("shorter-than-grpo")
                        .says("DRPO's right answers are shorter than GRPO's.")
                        .less(BRIEF, "GRPO")
                        .by(0.5),
                accuracy.claim("accuracy-kept-of-grpo")
                        .says("DRPO's accuracy is not lower than GRPO's, by 5 points at most.")
                        .more(BRIEF, "GRPO less 5 points"),
                accuracy.claim("equal-length-grpo")
                        .says("At equal length DRPO is right more often than GRPO with a length penalty.")
                        .more(SWEPT, GRPO_THERE),
                accuracy.claim("equal-length-rloo")
                        .says("At equal length DRPO is right more often than RLOO with a length penalty.")
                        .more(SWEPT, RLOO_THERE),
                measure(e, PUNISHED, "%")
                        .claim("penalty-punishes-right-answers")
                        .says("A length penalty inside GRPO's group gives right answers a negative advantage; DRPO "
                                + "never does.")
                        .more(new Arm(PUNISHING.title(), number(PUNISHING.title(), PUNISHED)), 0)
                        .by(0.05));
    }

    private static String description(ScratchSumTrial scale) {
        return "Digits of sums after enough scratch work, as recipes/drpo.yaml, from a decoder of one layer "
                + "and width 48 that saw " + scale.pretraining() + " steps of demonstrations; " + scale.steps()
                + " steps of " + scale.questions() + " questions with 8 answers, four on a draw, Adam "
                + LEARNING_RATE + ". DRPO with lambda " + words(LAMBDAS) + " (Infinity is DisCO), tau 10, a "
                + "trust region of beta 1000 and delta 0.001; GRPO and RLOO with the reward of right answers "
                + "less alpha L/9, GRPO with alpha " + words(GRPO_ALPHAS) + ", RLOO with " + words(RLOO_ALPHAS)
                + ", 0 being no penalty. Strengths and learning rate were chosen on seeds 101 to 103, the "
                + "latter among 0.0005, 0.001 and 0.002; for each family it was the best by mean accuracy, or "
                + "half a point from it. Accuracy and length are of 64 answers to each of the 20 held-out "
                + "questions. At equal length: each lambda below Infinity is held against the line through the "
                + "other's policies at its length, or against the end of that line which is nearest.";
    }

    private static String words(double[] values) {
        return Arrays.stream(values).mapToObj(Double::toString).collect(Collectors.joining(", "));
    }

    private static PolicyMethod drpo(double lambda) {
        return new DrpoMethod(lambda, 10, Estimator.K1, 1000, 1e-3);
    }

    private static PolicyMethod penalized(double alpha, boolean normalized) {
        return alpha == 0 && normalized ? new GrpoMethod(0.2, 0) : new LengthPenaltyMethod(alpha, normalized, 0.2);
    }

    private static Outcome trial(ScratchSumTrial scale, long seed) {
        List<PolicyMethod> drpo =
                Arrays.stream(LAMBDAS).mapToObj(DrpoClaims::drpo).toList();
        List<PolicyMethod> grpo =
                Arrays.stream(GRPO_ALPHAS).mapToObj(a -> penalized(a, true)).toList();
        List<PolicyMethod> rloo =
                Arrays.stream(RLOO_ALPHAS).mapToObj(a -> penalized(a, false)).toList();
        List<PolicyMethod> methods =
                Stream.of(drpo, grpo, rloo).flatMap(List::stream).toList();
        RlvrTrial trial = scale.run(methods, LEARNING_RATE, seed);
        Outcome outcome = Outcome.NOTHING;
        for (PolicyMethod method : methods) {
            outcome = outcome.with(number(method.title(), ACCURACY), last(trial, method, "right"))
                    .with(number(method.title(), LENGTH), last(trial, method, "right/length"));
        }
        for (String baseline : List.of("DisCO", "GRPO")) {
            outcome = outcome.with(
                    number(baseline + " less 5 points", ACCURACY),
                    outcome.number(number(baseline, ACCURACY)) - TOLERATED);
        }
        Frontier.Arm swept = points(outcome, "DRPO", drpo, LAMBDAS);
        Frontier.Arm byGrpo = points(outcome, "GRPO with a length penalty", grpo, GRPO_ALPHAS);
        Frontier.Arm byRloo = points(outcome, "RLOO with a length penalty", rloo, RLOO_ALPHAS);
        Frontier.Arm finite = new Frontier.Arm(
                swept.name(), swept.points().subList(1, swept.points().size()));
        return outcome.with(number(SWEPT, ACCURACY), mean(finite, p -> p.y().value()))
                .with(number(GRPO_THERE, ACCURACY), mean(finite, p -> at(Curve.of(byGrpo), p.x())))
                .with(number(RLOO_THERE, ACCURACY), mean(finite, p -> at(Curve.of(byRloo), p.x())))
                .with(number(PUNISHING.title(), PUNISHED), punished(trial, PUNISHING))
                .with(new Frontier(
                        "Accuracy against length", LENGTH + " (tokens)", ACCURACY, List.of(swept, byGrpo, byRloo)));
    }

    private static double mean(Frontier.Arm arm, ToDoubleFunction<Frontier.Point> of) {
        return arm.points().stream().mapToDouble(of).average().orElseThrow();
    }

    /// The curve at x, or at its end nearest to it.
    private static double at(Curve curve, double x) {
        return curve.at(Math.clamp(x, curve.from(), curve.to()));
    }

    private static double last(RlvrTrial trial, PolicyMethod method, String metric) {
        return trial.last(RlvrTrial.phase(method), metric);
    }

    /// Of all right answers of the training; 0 of none.
    private static double punished(RlvrTrial trial, PolicyMethod method) {
        double[] punished = trial.training(RlvrTrial.phase(method), "right/punished");
        double right =
                Arrays.stream(trial.training(RlvrTrial.phase(method), "right")).sum();
        return right == 0 ? 0 : Arrays.stream(punished).sum() / right;
    }

    private static Frontier.Arm points(Outcome outcome, String name, List<PolicyMethod> methods, double[] strengths) {
        return new Frontier.Arm(
                name,
                IntStream.range(0, strengths.length)
                        .mapToObj(i -> new Frontier.Point(
                                outcome.number(number(methods.get(i).title(), LENGTH)),
                                Estimate.of(outcome.number(number(methods.get(i).title(), ACCURACY))),
                                Double.isFinite(strengths[i]) ? Double.toString(strengths[i]) : "DisCO"))
                        .toList());
    }

    private static String number(String arm, String measure) {
        return measure + ", " + arm;
    }
}
