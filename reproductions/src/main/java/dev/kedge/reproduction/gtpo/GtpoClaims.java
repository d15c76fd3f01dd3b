package dev.kedge.reproduction.gtpo;

import static dev.kedge.lab.claim.Measure.measure;

import dev.kedge.data.task.ScratchSum;
import dev.kedge.lab.claim.Claim;
import dev.kedge.lab.claim.Claim.Arm;
import dev.kedge.lab.claim.Experiment;
import dev.kedge.lab.claim.Outcome;
import dev.kedge.recipe.policy.GrpoMethod;
import dev.kedge.recipe.policy.GtpoMethod;
import dev.kedge.recipe.policy.GtpoMethod.Conflicts;
import dev.kedge.recipe.policy.PolicyMethod;
import dev.kedge.reproduction.trial.RlvrTrial;
import dev.kedge.reproduction.trial.ScratchSumTrial;
import dev.kedge.run.result.Frontier;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/// The claims of GTPO (arXiv:2508.03772): whether it lasts where GRPO collapses, and what its parts are worth. One
/// question a step, as the paper's.
public final class GtpoClaims {
    private static final double THRESHOLD = 0.7;
    private static final double GAMMA = 0.005;
    private static final double GTPO_RATE = 5e-4;
    private static final double GRPO_RATE = 2.5e-4;
    private static final double HOT = 3e-3;

    /// Steps over which numbers of the training are averaged.
    private static final int WINDOW = 40;

    private static final GtpoMethod GTPO = gtpo(THRESHOLD, Conflicts.COUNTED);
    private static final GtpoMethod UNFILTERED = gtpo(Double.POSITIVE_INFINITY, Conflicts.COUNTED);
    private static final GtpoMethod UNPROTECTED = gtpo(THRESHOLD, Conflicts.IGNORED);
    private static final GrpoMethod GRPO = new GrpoMethod(0.2, 0);

    private static final String ACCURACY = "accuracy on held-out questions";
    private static final String FORMAT = "held-out answers in the format";
    private static final String ENTROPY = "entropy of a token late in training";

    private GtpoClaims() {}

    public static List<Claim> claims() {
        return claims(ScratchSumTrial.shallow(new ScratchSum(Optional.of(0.5)), 300, 300, 1, 1, 64));
    }

    public static List<Claim> claims(ScratchSumTrial scale) {
        var e = new Experiment("format-and-answer", description(scale), 6, seed -> trial(scale, seed));
        var accuracy = measure(e, ACCURACY, "%");
        var format = measure(e, FORMAT, "%");
        var entropy = measure(e, ENTROPY, "nats");
        return List.of(
                accuracy.claim("hot-accuracy")
                        .says("At a learning rate that is too high GTPO stays right more often than GRPO.")
                        .more(hot(GTPO, ACCURACY), hot(GRPO, ACCURACY)),
                format.claim("hot-format")
                        .says("There it keeps the format more often, too.")
                        .more(hot(GTPO, FORMAT), hot(GRPO, FORMAT)),
                accuracy.claim("accuracy")
                        .says("Each at the learning rate that suits it, GTPO is right more often than GRPO.")
                        .more(arm(GTPO, ACCURACY, GTPO_RATE), arm(GRPO, ACCURACY, GRPO_RATE)),
                entropy.claim("filter-entropy")
                        .says("Without the filter of uncertain answers entropy ends higher.")
                        .less(hot(GTPO, ENTROPY), hot(UNFILTERED, ENTROPY)),
                accuracy.claim("filter-accuracy")
                        .says("Without the filter answers are right less often.")
                        .more(hot(GTPO, ACCURACY), hot(UNFILTERED, ACCURACY)),
                accuracy.claim("conflict-protection")
                        .says("Without the protection of shared tokens answers are right less often.")
                        .more(hot(GTPO, ACCURACY), hot(UNPROTECTED, ACCURACY)));
    }

    private static String description(ScratchSumTrial scale) {
        return "Digits of sums after enough scratch work, half of the reward for the format, from a decoder "
                + "of one layer and width 48 that saw " + scale.pretraining() + " steps of demonstrations; "
                + scale.steps() + " steps of one question with 8 answers, Adam " + GTPO_RATE + " for GTPO and "
                + GRPO_RATE + " for GRPO, the best of 0.00025, 0.0005 and 0.001 on seeds 101 to 103, and, hot, "
                + HOT + " for all. GTPO with gamma " + GAMMA + ", threshold " + THRESHOLD + ", conflict tokens "
                + "as in the authors' code; the same without filter; the same without conflict tokens; GRPO "
                + "without KL. Accuracy and format are of 64 answers to each of the 20 held-out questions; "
                + "entropy is the mean of the last " + WINDOW + " steps.";
    }

    private static GtpoMethod gtpo(double threshold, Conflicts conflicts) {
        return new GtpoMethod(GAMMA, Optional.of(threshold), 2, conflicts);
    }

    private static Outcome trial(ScratchSumTrial scale, long seed) {
        List<PolicyMethod> all = List.of(GTPO, UNFILTERED, UNPROTECTED, GRPO);
        RlvrTrial hot = scale.run(all, HOT, seed);
        Outcome outcome = with(Outcome.NOTHING, hot, HOT, all);
        outcome = with(outcome, scale.run(List.of(GTPO), GTPO_RATE, seed), GTPO_RATE, List.of(GTPO));
        outcome = with(outcome, scale.run(List.of(GRPO), GRPO_RATE, seed), GRPO_RATE, List.of(GRPO));
        return outcome.with(new Frontier(
                "Hot training: learning rate " + HOT,
                "steps",
                "accuracy in training, mean of " + WINDOW + " steps",
                all.stream().map(m -> curve(hot, m)).toList()));
    }

    private static Outcome with(Outcome outcome, RlvrTrial trial, double learningRate, List<PolicyMethod> methods) {
        Outcome more = outcome;
        for (PolicyMethod method : methods) {
            String phase = RlvrTrial.phase(method);
            double[] entropies = trial.training(phase, "entropy");
            more = more.with(number(method, ACCURACY, learningRate), trial.last(phase, "right"))
                    .with(number(method, FORMAT, learningRate), 1 - trial.last(phase, "unanswered"))
                    .with(
                            number(method, ENTROPY, learningRate),
                            mean(entropies, Math.max(0, entropies.length - WINDOW), entropies.length));
        }
        return more;
    }

    private static Frontier.Arm curve(RlvrTrial trial, PolicyMethod method) {
        double[] right = trial.training(RlvrTrial.phase(method), "right");
        return new Frontier.Arm(
                method.title(),
                IntStream.rangeClosed(1, right.length / WINDOW)
                        .mapToObj(i -> Frontier.Point.of(i * WINDOW, mean(right, (i - 1) * WINDOW, i * WINDOW)))
                        .toList());
    }

    private static double mean(double[] values, int from, int to) {
        return Arrays.stream(values, from, to).average().orElseThrow();
    }

    private static String number(PolicyMethod method, String measure, double learningRate) {
        return measure + ", " + method.title() + " at " + learningRate;
    }

    private static Arm arm(PolicyMethod method, String measure, double learningRate) {
        return new Arm(method.title(), number(method, measure, learningRate));
    }

    private static Arm hot(PolicyMethod method, String measure) {
        return arm(method, measure, HOT);
    }
}
