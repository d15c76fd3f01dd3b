package dev.kedge.reproduction.infalign;

import dev.kedge.data.task.ScratchSum;
import dev.kedge.data.verify.Length;
import dev.kedge.data.verify.Program;
import dev.kedge.data.verify.WeightedSum;
import dev.kedge.lab.claim.Experiment;
import dev.kedge.lab.claim.Outcome;
import dev.kedge.lab.tabular.Curve;
import dev.kedge.nn.optim.Schedule;
import dev.kedge.objective.selection.QuantileTransform;
import dev.kedge.recipe.policy.Environment;
import dev.kedge.recipe.policy.InfalignMethod;
import dev.kedge.recipe.policy.PolicyMethod;
import dev.kedge.recipe.policy.RlooMethod;
import dev.kedge.recipe.policy.RlvrRecipe;
import dev.kedge.reproduction.trial.RecipeTrial;
import dev.kedge.reproduction.trial.RlvrTrial;
import dev.kedge.run.result.Frontier;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// The experiment behind InfAlign's claims on a language model: the environment of `recipes/infalign.yaml`,
/// policies of four methods on the way from one start, compared where they are equally far from it.
public final class InfalignPolicies {
    private static final int N = 4;
    private static final double RATE = 10;
    private static final String SETTLED_ON = "seed 7";

    private InfalignPolicies() {}

    /// How large the experiment is.
    ///
    /// @param examples    to learn from at first
    /// @param pretraining steps
    /// @param steps       of learning from rewards
    /// @param every       steps between policies that are judged
    /// @param draws       answers of the start to a question to calibrate by, and of each policy to judge by
    public record Scale(int examples, int pretraining, int steps, int every, int draws) {
        static final Scale PUBLISHED = new Scale(40_000, 300, 120, 20, 64);
    }

    /// Strengths with which policies come about equally far.
    enum Arm {
        EXPONENTIAL("exp(10u)", new QuantileTransform.Exponential(RATE, Math.exp(RATE)), 0.25),
        NEGATIVE("-exp(-10u)", new QuantileTransform.NegativeExponential(RATE), 0.04),
        IDENTITY("u", new QuantileTransform.Identity(), 0.15),
        REWARD("reward as it is", null, 0.35);

        final String title;
        private final QuantileTransform transform; // none: learns from rewards as they are
        private final double beta;

        Arm(String title, QuantileTransform transform, double beta) {
            this.title = title;
            this.transform = transform;
            this.beta = beta;
        }

        private PolicyMethod method(int draws) {
            return transform == null ? new RlooMethod(beta) : new InfalignMethod(transform, beta, draws, N);
        }

        private String phase(int draws) {
            return method(draws).title().toLowerCase(Locale.ROOT).replace(' ', '-');
        }
    }

    /// How answers are selected: as the phrase and the metric's name have it.
    enum Use {
        SINGLE("single answers", "win/any"),
        BEST("best of " + N, "win/best"),
        WORST("worst of " + N, "win/worst");

        final String title;
        private final String metric;

        Use(String title, String metric) {
            this.title = title;
            this.metric = metric;
        }
    }

    static String number(Use use, Arm arm) {
        return use.title + ", " + arm.title;
    }

    static Experiment experiment(Scale s) {
        String betas = String.join(
                ", ", Stream.of(Arm.values()).map(a -> a.title + " " + a.beta).toList());
        var description = "A decoder of two layers and width 64 learns last digits of sums after scratch work, half of "
                + "its " + s.pretraining + " steps' demonstrations unsure of the digit. Answers are worth 1 if "
                + "right, less up to 1/2 for their length. RLOO with the KL in the reward, " + s.steps
                + " steps of 16 questions with 16 answers, learns from quantiles among " + s.draws
                + " answers of the start, transformed, or from rewards as they are; strengths (" + betas
                + ") were settled on " + SETTLED_ON + ". Win rates against the start on 22 held-out questions, "
                + s.draws + " answers of each to a question, judged every " + s.every + " steps; compared "
                + "where the method that ends nearest to the start ends, on the frontier of each method's "
                + "policies.";
        return new Experiment("language-model", description, 6, seed -> outcome(s, seed));
    }

    private static Outcome outcome(Scale s, long seed) {
        var trial = RlvrTrial.run(config(s, seed));
        Map<Use, Map<Arm, Frontier.Arm>> ways = new EnumMap<>(Use.class);
        for (var use : Use.values()) {
            Map<Arm, Frontier.Arm> arms = new EnumMap<>(Arm.class);
            for (var arm : Arm.values()) {
                arms.put(arm, way(trial, arm, use, s.draws));
            }
            ways.put(use, arms);
        }
        double reach = ways.get(Use.SINGLE).values().stream()
                .mapToDouble(way -> way.points().getLast().x())
                .min()
                .orElseThrow();
        var outcome = Outcome.NOTHING.with("KL at which methods are compared", reach);
        for (var use : Use.values()) {
            for (var arm : Arm.values()) {
                outcome = outcome.with(number(use, arm), at(reach, ways.get(use).get(arm)));
            }
            outcome = outcome.with(new Frontier(
                    "A language model's answers against the start's, " + use.title,
                    "KL from the start, nats",
                    "win rate",
                    List.copyOf(ways.get(use).values())));
        }
        return outcome;
    }

    /// The win rate at a divergence, between the policies of which no other wins more at no more divergence: on its way
    /// a policy may be further from the start than it ends.
    private static double at(double kl, Frontier.Arm way) {
        List<Frontier.Point> front = new ArrayList<>();
        way.points().stream()
                .sorted(Comparator.comparingDouble(Frontier.Point::x))
                .filter(p ->
                        front.isEmpty() || p.y().value() > front.getLast().y().value())
                .forEach(front::add);
        var curve = Curve.of(new Frontier.Arm(way.name(), front));
        return curve.at(Math.min(kl, curve.to()));
    }

    private static Frontier.Arm way(RlvrTrial trial, Arm arm, Use use, int draws) {
        double[] kl = trial.heldOut(arm.phase(draws), "kl");
        double[] wins = trial.heldOut(arm.phase(draws), use.metric);
        List<Frontier.Point> points = new ArrayList<>(List.of(Frontier.Point.of(0, 0.5)));
        points.addAll(Frontier.Arm.of("", kl, wins).points());
        return new Frontier.Arm(arm.title, points);
    }

    private static RlvrRecipe.Config config(Scale s, long seed) {
        var task = new ScratchSum();
        var judge = new WeightedSum(List.of(
                new WeightedSum.Part("right", 1, new Program(task)),
                new WeightedSum.Part("short", 0.5, new Length(8, 8))));
        var environment = new Environment.Generated(
                task, 0.5, 64, 2, 4, s.examples, RlvrTrial.pretraining(s.pretraining, 128), 78, 22, Optional.of(judge));
        return RlvrTrial.config(
                environment,
                Stream.of(Arm.values()).map(a -> a.method(s.draws)).toList(),
                16,
                RecipeTrial.training(new Schedule(Schedule.Shape.CONSTANT, 3e-4, s.steps / 12, s.steps, 1), 16, 0),
                new RlvrTrial.Sampling(1, 1, s.every, s.draws),
                seed);
    }
}
