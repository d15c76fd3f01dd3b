package dev.kedge.run;

import dev.kedge.nn.Parameters;
import dev.kedge.nn.optim.AdamW;
import dev.kedge.nn.optim.Schedule;
import java.util.Optional;

/// How parameters are moved: AdamW under a schedule. Shared by the configurations of all recipes.
///
/// @param steps           optimiser steps, >= 1
/// @param batchSize       examples a step (pairs, for preferences), >= 1
/// @param microBatch      examples a forward pass; the step's gradient is the whole batch's whatever it is, >= 1
/// @param batches         which examples share a batch
/// @param learningRate    at its peak, > 0
/// @param schedule        its shape after the warm-up
/// @param warmupSteps     >= 0
/// @param minLrRatio      share of the peak that is left at the last step, in [0, 1]
/// @param beta1           decay of the first moments
/// @param beta2           decay of the second moments
/// @param weightDecay     decoupled, >= 0
/// @param maxGradNorm        longest gradient, > 0
/// @param checkpointEvery steps between checkpoints, >= 1
/// @param mask            the weights that are learnt; absent: all
public record TrainingConfig(
        int steps,
        int batchSize,
        int microBatch,
        EpochBatches.Order batches,
        double learningRate,
        Schedule.Shape schedule,
        int warmupSteps,
        double minLrRatio,
        double beta1,
        double beta2,
        double weightDecay,
        double maxGradNorm,
        int checkpointEvery,
        Optional<SubnetworkMask> mask) {
    public TrainingConfig {
        if (batchSize < 1 || microBatch < 1 || checkpointEvery < 1) {
            throw new IllegalArgumentException("batch_size, micro_batch and checkpoint_every must be at least 1, were "
                    + batchSize + ", " + microBatch + " and " + checkpointEvery);
        }
        if (!(maxGradNorm > 0)) {
            throw new IllegalArgumentException("max_grad_norm must be > 0, was " + maxGradNorm);
        }
        new Schedule(schedule, learningRate, warmupSteps, steps, minLrRatio);
        new AdamW.Config(beta1, beta2, 1e-8, weightDecay);
    }

    /// The same at another learning rate.
    public TrainingConfig at(double rate) {
        return with(rate, maxGradNorm, mask);
    }

    /// The same with gradients of another length at most.
    public TrainingConfig clipped(double norm) {
        return with(learningRate, norm, mask);
    }

    /// The same with other weights that are learnt.
    public TrainingConfig masked(Optional<SubnetworkMask> by) {
        return with(learningRate, maxGradNorm, by);
    }

    private TrainingConfig with(double rate, double norm, Optional<SubnetworkMask> by) {
        return new TrainingConfig(
                steps,
                batchSize,
                microBatch,
                batches,
                rate,
                schedule,
                warmupSteps,
                minLrRatio,
                beta1,
                beta2,
                weightDecay,
                norm,
                checkpointEvery,
                by);
    }

    public Schedule schedules() {
        return new Schedule(schedule, learningRate, warmupSteps, steps, minLrRatio);
    }

    /// The batches of examples that have these lengths.
    public EpochBatches batchesOf(int[] lengths, long seed) {
        return new EpochBatches(batches, lengths, batchSize, seed);
    }

    /// The optimiser of a model's parameters; where a mask is given, it is put on them.
    public AdamW optimizer(Parameters parameters) {
        mask.ifPresent(m -> m.on(parameters));
        return new AdamW(parameters, new AdamW.Config(beta1, beta2, 1e-8, weightDecay));
    }
}
