package dev.kedge.reproduction.trial;

import dev.kedge.data.task.ScratchSum;
import dev.kedge.lab.claim.Outcome;
import dev.kedge.nn.optim.Schedule;
import dev.kedge.recipe.policy.Environment;
import dev.kedge.recipe.policy.PolicyMethod;
import dev.kedge.recipe.policy.RlvrRecipe;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/// Runs of [RlvrRecipe] on [ScratchSum], small enough for many seeds: from a decoder of width 48 that learns from
/// demonstrations of which half have a random digit. Judged are 20 questions never trained on.
///
/// @param task            with or without a reward for the format
/// @param layers          of the decoder; one layer takes twice the learning rate of more
/// @param pretraining     steps in which the decoder learns from demonstrations
/// @param group           completions a question
/// @param questions       a step
/// @param steps           of reinforcement learning
/// @param stepsPerRollout of them on one draw
/// @param passes          through a draw
/// @param snapshotEvery   steps between policies that are judged
/// @param samples         completions to a question that is judged
public record ScratchSumTrial(
        ScratchSum task,
        int layers,
        int pretraining,
        int group,
        int questions,
        int steps,
        int stepsPerRollout,
        int passes,
        int snapshotEvery,
        int samples) {
    private static final int HIDDEN = 48;

    /// How held-out rewards are measured, for descriptions.
    public static final String JUDGED = "Judged by 64 completions to each of 20 questions never trained on.";

    /// Two layers, without a reward for the format, judged by 64 completions.
    public static ScratchSumTrial plain(
            int pretraining, int group, int questions, int steps, int stepsPerRollout, int passes, int snapshotEvery) {
        return new ScratchSumTrial(
                new ScratchSum(), 2, pretraining, group, questions, steps, stepsPerRollout, passes, snapshotEvery, 64);
    }

    /// One layer, groups of 8, one pass through a draw, judged when all is done.
    public static ScratchSumTrial shallow(
            ScratchSum task, int pretraining, int steps, int questions, int stepsPerRollout, int samples) {
        return new ScratchSumTrial(task, 1, pretraining, 8, questions, steps, stepsPerRollout, 1, steps, samples);
    }

    /// What the start is, for descriptions.
    public String start() {
        return "A decoder of two layers and width " + HIDDEN + " learns scratch-sum from " + pretraining
                + " batches of 128 demonstrations of which half know the digit.";
    }

    /// A method with the learning rate that suits it.
    public record Arm(String name, PolicyMethod method, double learningRate) {}

    /// Names and learning rates of arms, for descriptions.
    public static String told(List<Arm> arms) {
        return arms.stream().map(a -> a.name() + " " + a.learningRate()).collect(Collectors.joining(", "));
    }

    /// What each arm's last policy is worth on held-out questions, all from one start: `reward, NAME`, `solved,
    /// NAME`, the share of questions with a right completion, `unanswered, NAME`, that of completions without an
    /// answer, and `KL, NAME`, nats.
    public Outcome outcome(List<Arm> arms, long seed) {
        List<RlvrTrial> trials = RlvrTrial.run(arms.stream()
                .map(a -> config(List.of(a.method()), a.learningRate(), seed))
                .toList());
        Outcome outcome = Outcome.NOTHING;
        for (int i = 0; i < arms.size(); i++) {
            String name = arms.get(i).name();
            RlvrTrial trial = trials.get(i);
            String phase = RlvrTrial.phase(arms.get(i).method());
            outcome = outcome.with("reward, " + name, trial.last(phase, "reward"))
                    .with("solved, " + name, trial.last(phase, "solved"))
                    .with("unanswered, " + name, trial.last(phase, "unanswered"))
                    .with("KL, " + name, trial.last(phase, "kl"));
        }
        return outcome;
    }

    /// A run of the recipe.
    public RlvrTrial run(List<PolicyMethod> methods, double learningRate, long seed) {
        return RlvrTrial.run(config(methods, learningRate, seed));
    }

    /// @param learningRate constant, of AdamW with gradients clipped at 1
    public RlvrRecipe.Config config(List<PolicyMethod> methods, double learningRate, long seed) {
        var demonstrations = layers > 1
                ? RlvrTrial.pretraining(pretraining, 128)
                : RecipeTrial.training(
                        new Schedule(Schedule.Shape.COSINE, 6e-3, pretraining / 6, pretraining, 0.05), 128, 0);
        return RlvrTrial.config(
                new Environment.Generated(
                        task, 0.5, HIDDEN, layers, 4, 40_000, demonstrations, 80, 20, Optional.empty()),
                methods,
                group,
                RlvrTrial.learning(steps, questions, learningRate),
                new RlvrTrial.Sampling(stepsPerRollout, passes, snapshotEvery, samples),
                seed);
    }
}
