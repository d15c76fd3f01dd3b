package dev.kedge.task;

import dev.kedge.nn.lm.Decoder;
import dev.kedge.run.result.Frontier;
import dev.kedge.run.result.Summary;
import dev.kedge.statistics.Bootstrap;
import dev.kedge.statistics.Estimate;
import dev.kedge.statistics.Proportions;
import dev.kedge.task.ArithmeticTask.Evaluation;
import dev.kedge.tensor.Streams;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.IntStream;

/// What a recipe on [ArithmeticTask] says of its policies.
///
/// @param mistakes share of the pre-training sums that are wrong
/// @param seed     of the bootstrap
public record ArithmeticSummary(ArithmeticTask task, double mistakes, long seed) {
    /// What a method did, in a sentence.
    ///
    /// @param method with its strength
    public String verdict(String method, Evaluation after) {
        return String.format(
                Locale.ROOT,
                "Drawn answers to sums never trained on were right with probability %.1f %% before and %.1f %% after"
                        + " %s, %.2f nats from the reference.",
                100 * task.before().reward(),
                100 * after.reward(),
                method,
                after.kl());
    }

    /// A method's policies of several strengths, from the reference on.
    public Frontier.Arm sweep(String method, List<Frontier.Point> points) {
        return learningCurve(
                method,
                points.stream()
                        .sorted(Comparator.comparingDouble(Frontier.Point::x))
                        .toList());
    }

    /// A policy as it learns, from the reference on.
    public Frontier.Arm learningCurve(String method, List<Frontier.Point> points) {
        List<Frontier.Point> all = new ArrayList<>(List.of(task.before().point("reference")));
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
            for (double right : task.before().rewards()) {
                double p = Math.clamp(right, 1e-300, 1 - 1e-16);
                double logOdds = Math.log(p) - Math.log1p(-p) + tilt;
                double tilted = 1 / (1 + Math.exp(-logOdds));
                reward += tilted / task.heldOut().size();
                // KL(tilted || ref) = tilt * tilted - log E_ref[e^{tilt r}]
                kl += (tilt * tilted - Math.log1p(p * Math.expm1(tilt)))
                        / task.heldOut().size();
            }
            curve.add(new Frontier.Point(kl, Estimate.of(reward), ""));
        }
        return curve;
    }

    /// A summary with a policy evaluated on the held-out sums against the reference: accuracy before and after, KL,
    /// samples.
    public Summary evaluated(Summary summary, Decoder policy) {
        Evaluation after = task.evaluate(policy);
        List<String> saidBefore = task.greedy(task.reference(), task.heldOutPrompts());
        List<String> saidAfter = task.greedy(policy, task.heldOutPrompts());
        Summary evaluated = summary;
        for (int i = 0; i < Math.min(12, task.heldOut().size()); i++) {
            evaluated = evaluated.sample(new Summary.Sample(
                    task.heldOut().get(i).prompt(),
                    saidBefore.get(i),
                    saidAfter.get(i),
                    Optional.of(isRight(i, saidBefore) ? 1.0 : 0.0),
                    Optional.of(isRight(i, saidAfter) ? 1.0 : 0.0),
                    String.format(
                            Locale.ROOT,
                            "chance of the right answer: %.0f %% before, %.0f %% after",
                            100 * task.before().sums().get(i).reward(),
                            100 * after.sums().get(i).reward())));
        }
        Bootstrap bootstrap = new Bootstrap(2000, 0.95, Streams.of(seed, "bootstrap"));
        return evaluated
                .comparison(
                        "Right answers, drawn",
                        "%",
                        bootstrap.bca(task.before().rewards()),
                        bootstrap.bca(after.rewards()))
                .comparison("Right answers, likeliest", "%", accuracy(saidBefore), accuracy(saidAfter))
                .fact(
                        "kl_from_the_reference",
                        "KL from the reference",
                        bootstrap.bca(after.divergences()),
                        "nats",
                        "exact for each sum, by enumeration; interval over sums")
                .fact(
                        "held_out_sums",
                        "held-out sums",
                        Estimate.of(task.heldOut().size()),
                        "",
                        "nothing has learnt from them")
                .note("The pre-training text has " + Math.round(100 * mistakes)
                        + " % wrong sums: a perfect imitation of it would be right on "
                        + Math.round(100 * (1 - mistakes)) + " %.")
                .note("Every answer of up to two digits is enumerated: probabilities and divergences have no sampling"
                        + " error; intervals are over held-out sums.");
    }

    private boolean isRight(int i, List<String> said) {
        return task.isRight(task.heldOut().get(i), said.get(i));
    }

    private Estimate accuracy(List<String> said) {
        int right = (int)
                IntStream.range(0, said.size()).filter(i -> isRight(i, said)).count();
        return Proportions.wilson(right, said.size(), 0.95);
    }
}
