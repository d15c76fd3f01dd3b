package dev.kedge.reproduction.trial;

import dev.kedge.data.task.ScratchSum;
import dev.kedge.lab.claim.Outcome;
import dev.kedge.recipe.policy.Environment;
import dev.kedge.recipe.policy.PolicyMethod;
import dev.kedge.recipe.policy.RlvrRecipe;
import dev.kedge.recipe.policy.Truncated;
import java.util.List;
import java.util.stream.Collectors;

/// Runs of [RlvrRecipe] on [ScratchSum], from a small decoder that is right in about a third of its completions.
///
/// @param pretraining   steps in which the decoder learns from demonstrations
/// @param group         completions a question
/// @param batchSize     questions a step
/// @param steps         optimiser steps
/// @param stepsPerDraw  of them on one draw
/// @param passes        through a draw
/// @param snapshotEvery steps between policies that are judged
public record ScratchSumWorld(
        int pretraining, int group, int batchSize, int steps, int stepsPerDraw, int passes, int snapshotEvery) {
    /// How held-out rewards are measured, for descriptions.
    public static final String JUDGED = "Judged by 64 completions to each of 20 questions never trained on.";

    private static final int HIDDEN = 48;

    /// What the start is, for descriptions.
    public String start() {
        return "A decoder of two layers and width " + HIDDEN + " learns scratch-sum from " + pretraining
                + " batches of 128 demonstrations of which half know the digit.";
    }

    /// A method with the learning rate that suits it.
    public record Arm(String name, PolicyMethod method, double learningRate) {}

    /// What each arm's last policy is worth on held-out questions, all from one start: `reward, NAME`, `solved,
    /// NAME`, the share of questions with a right completion, `unanswered, NAME`, that of completions without an
    /// answer, and `KL, NAME`, nats.
    public Outcome outcome(List<Arm> arms, long seed) {
        List<RlvrTrial> trials = RlvrTrial.run(arms.stream()
                .map(a -> config(a.method(), a.learningRate(), seed))
                .toList());
        Outcome outcome = Outcome.NOTHING;
        for (int i = 0; i < arms.size(); i++) {
            Arm arm = arms.get(i);
            RlvrTrial trial = trials.get(i);
            String phase = RlvrTrial.phase(arm.method());
            outcome = outcome.with("reward, " + arm.name(), trial.last(phase, "reward"))
                    .with("solved, " + arm.name(), trial.last(phase, "solved"))
                    .with("unanswered, " + arm.name(), trial.last(phase, "unanswered"))
                    .with("KL, " + arm.name(), trial.last(phase, "kl"));
        }
        return outcome;
    }

    /// Names and learning rates of arms, for descriptions.
    public static String told(List<Arm> arms) {
        return arms.stream().map(a -> a.name() + " " + a.learningRate()).collect(Collectors.joining(", "));
    }

    /// @param learningRate constant, of AdamW with gradients clipped at 1
    RlvrRecipe.Config config(PolicyMethod method, double learningRate, long seed) {
        return new RlvrRecipe.Config(
                new Environment.Generated(
                        new ScratchSum(), 0.5, HIDDEN, 2, 4, 40_000, RlvrTrial.pretraining(pretraining, 128), 80, 20),
                List.of(method),
                group,
                1,
                Truncated.JUDGED,
                RlvrTrial.learning(steps, batchSize, learningRate),
                stepsPerDraw,
                passes,
                snapshotEvery,
                64,
                steps,
                "cpu",
                1,
                seed);
    }
}
