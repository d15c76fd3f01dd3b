package dev.kedge.reproduction.trial;

import dev.kedge.data.task.ScratchSum;
import dev.kedge.nn.optim.Schedule;
import dev.kedge.recipe.policy.Environment;
import dev.kedge.recipe.policy.PolicyMethod;
import dev.kedge.recipe.policy.RlvrRecipe;
import dev.kedge.recipe.policy.Truncated;
import dev.kedge.run.EpochBatches;
import dev.kedge.run.TrainingConfig;
import java.util.List;

/// Reinforcement learning on [ScratchSum], small enough to be run with many seeds: a decoder of one layer and width
/// 48.
///
/// @param task         with or without a reward for the format
/// @param pretraining  steps on demonstrations of which half have a random digit
/// @param steps        of reinforcement learning
/// @param questions    a step, each answered 8 times
/// @param stepsPerDraw of those on one draw
/// @param samples      answers to a held-out question, of which there are 20
public record ScratchSums(ScratchSum task, int pretraining, int steps, int questions, int stepsPerDraw, int samples) {
    /// A run of the recipe.
    public RlvrTrial run(List<PolicyMethod> methods, double learningRate, long seed) {
        return RlvrTrial.run(new RlvrRecipe.Config(
                new Environment.Generated(task, 0.5, 48, 1, 4, 40_000, demonstrations(), 80, 20),
                methods,
                8,
                1,
                Truncated.JUDGED,
                RlvrTrial.learning(steps, questions, learningRate),
                stepsPerDraw,
                1,
                steps,
                samples,
                steps,
                "cpu",
                1,
                seed));
    }

    /// Twice the rate that wider decoders take.
    private TrainingConfig demonstrations() {
        return new TrainingConfig(
                pretraining,
                128,
                128,
                EpochBatches.Order.SHUFFLED,
                6e-3,
                Schedule.Shape.COSINE,
                pretraining / 6,
                0.05,
                0.9,
                0.98,
                0,
                1,
                pretraining);
    }
}
