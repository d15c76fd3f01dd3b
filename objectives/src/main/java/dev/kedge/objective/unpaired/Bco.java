package dev.kedge.objective.unpaired;

import dev.kedge.objective.Loss;
import dev.kedge.tensor.Functional;
import dev.kedge.tensor.Require;
import dev.kedge.tensor.Tensor;

/// Binary Classifier Optimization (Jung et al. 2024, arXiv:2404.04656): the reward as the logit of a classifier of
/// desirable answers.
///
/// Left out are the weights of undesirable answers that correct for prompts of another distribution than those of
/// desirable ones: they need a classifier of prompts, and TRL has them off unless asked for.
public final class Bco {
    private Bco() {}

    /// `-(1/answersInStep) Σ log σ(±(beta·log π/π_ref - δ))`, `+` where the answer is desirable: Eq. (8).
    ///
    /// @param shift         δ, nats, finite, the same in the whole step; see [RewardShift]; no gradient
    /// @param beta          strength of the KL regulariser, dimensionless, finite and > 0
    /// @param answersInStep answers of both labels in the whole optimizer step, at least B
    /// @return the loss; metrics as in [UnpairedLogProbs#loss], with rewards before the shift
    /// @throws IllegalArgumentException if a number is out of range
    public static Loss bco(UnpairedLogProbs lp, double shift, double beta, long answersInStep) {
        Require.between("shift", shift, Double.NEGATIVE_INFINITY, Double.POSITIVE_INFINITY);
        Require.positive("beta", beta);
        Tensor rewards = lp.rewards(beta);
        Tensor logits = lp.signed(rewards.minus(shift));
        return lp.loss(Functional.logSigmoid(logits).neg(), rewards, answersInStep);
    }

    /// δ, the mean of the mean rewards of both labels over all answers seen: what is remembered from step to step.
    ///
    /// TRL's is the mean over batches of their mean reward, in which the label with more answers weighs more.
    ///
    /// @param desirable       sum of rewards of desirable answers, nats; `undesirable` likewise
    /// @param desirableSeen   how many they are; `undesirableSeen` likewise
    public record RewardShift(double desirable, long desirableSeen, double undesirable, long undesirableSeen) {
        /// Before any answer.
        public static final RewardShift NONE = new RewardShift(0, 0, 0, 0);

        /// With more answers seen, in parts or at once. Reads their numbers, so it waits for the device.
        public RewardShift after(UnpairedLogProbs lp, double beta) {
            Tensor rewards = lp.rewards(beta).detach();
            long answers = rewards.numel();
            long good = (long) lp.desirable().sum().item();
            double sum = rewards.whereElse(lp.desirable(), 0).sum().item();
            double rest = rewards.whereElse(lp.desirable().not(), 0).sum().item();
            return new RewardShift(
                    desirable + sum, desirableSeen + good, undesirable + rest, undesirableSeen + answers - good);
        }

        /// δ; a label that was not seen counts as of mean 0, the reward where policy and reference agree.
        public double value() {
            return desirable / Math.max(1, desirableSeen) / 2 + undesirable / Math.max(1, undesirableSeen) / 2;
        }
    }
}
