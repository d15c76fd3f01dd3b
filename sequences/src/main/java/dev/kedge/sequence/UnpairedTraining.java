package dev.kedge.sequence;

import dev.kedge.data.LabelledSequence;
import dev.kedge.data.TokenBatch;
import dev.kedge.data.Tokenized;
import dev.kedge.objective.Loss;
import dev.kedge.objective.logprob.HeadLogProbs;
import dev.kedge.run.EpochBatches;
import dev.kedge.run.Remembered;
import dev.kedge.run.Run;
import dev.kedge.run.Step;
import dev.kedge.run.StepMetrics;
import dev.kedge.run.Training;
import dev.kedge.run.TrainingConfig;
import dev.kedge.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/// Optimisation on completions that are desirable or not, each by itself.
///
/// @param policy    what moves
/// @param sequences what it learns from
/// @param reference the reference's log-probs of them, nats
public record UnpairedTraining(Policy policy, List<LabelledSequence> sequences, double[] reference) {
    /// Which loss falls on a part of a step.
    public interface UnpairedLoss {
        /// @param logProbs  of completions under the policy, summed over their tokens, nats, [B]; gradient flows
        /// @param reference the same under the reference, [B]
        /// @param desirable boolean, [B]
        /// @param baseline  of the whole step
        /// @param inStep    completions in the whole step
        Loss of(Tensor logProbs, Tensor reference, Tensor desirable, double baseline, long inStep);
    }

    /// What the rewards of a step are compared with, as KTO and BCO do: a number of the whole batch, taken before
    /// anything moves, so that it does not depend on how the step is split.
    public interface Baseline {
        /// @param batch numbers of the step's sequences
        double of(int[] batch);
    }

    /// With the reference's log-probs, which are computed here.
    public static UnpairedTraining of(Policy policy, List<LabelledSequence> sequences) {
        return new UnpairedTraining(
                policy,
                sequences,
                SequenceScores.of(
                        policy.reference(), tokens(sequences), policy.model().padId(), 1.0));
    }

    /// The log-ratio of policy to reference of each completion, of which implicit rewards are made: nats.
    public static double[] logRatios(Policy policy, List<LabelledSequence> sequences) {
        return logRatios(policy, tokens(sequences), of(policy, sequences).reference);
    }

    /// Moves the policy.
    ///
    /// @param remembered what the baseline must know again after a restart, if anything
    public void train(
            Run run,
            String phase,
            UnpairedLoss loss,
            Baseline baseline,
            TrainingConfig config,
            long seed,
            Remembered... remembered) {
        int[] lengths = sequences.stream().mapToInt(LabelledSequence::length).toArray();
        EpochBatches batches = config.batchesOf(lengths, seed);
        try (Training training = new Training(run, phase, config, policy.trained(), remembered)) {
            training.run(step -> {
                int[] batch = batches.at(step);
                double level = baseline.of(batch);
                long tokens = Arrays.stream(batch).mapToLong(i -> lengths[i]).sum();
                return Step.on(batch, config.microBatch(), part -> gradient(loss, part, level, batch.length))
                        .completed(m -> m.put("baseline", level))
                        .tokens(tokens);
            });
        }
    }

    /// Adds the gradient of some completions' share of a step's loss.
    private StepMetrics gradient(UnpairedLoss loss, int[] part, double baseline, long inStep) {
        TokenBatch tokens = TokenBatch.of(tokens(at(part)), policy.model().padId(), 1)
                .to(policy.decoder().device());
        HeadLogProbs logProbs = SequenceScores.sums(policy.decoder(), tokens, 1.0);
        Tensor sums = SequenceScores.rowSums(logProbs.values(), tokens);
        Tensor desirable = SequenceScores.constants(i -> sequences.get(i).desirable() ? 1 : 0, part, sums)
                .gt(0);
        Loss value =
                loss.of(sums, SequenceScores.constants(i -> reference[i], part, sums), desirable, baseline, inStep);
        value.value().backward();
        logProbs.backward();
        return LossMetrics.of(value, inStep);
    }

    /// The mean log-ratio of a batch's completions to their prompts, before the step: nats. Times `beta`, it is the
    /// mean reward of which BCO (arXiv:2404.04656) keeps a running mean.
    public double meanLogRatio(int[] batch) {
        return mean(logRatios(
                policy,
                tokens(at(batch)),
                Arrays.stream(batch).mapToDouble(i -> reference[i]).toArray()));
    }

    /// The mean log-ratio where each completion of a batch answers the prompt of the one before it, before the step:
    /// nats, as KTO estimates its KL (arXiv:2402.01306, section 4.1). It may be below 0, which the loss makes 0; it
    /// is 0 in a batch of one, which has no other prompt. A completion is cut where the model's positions end.
    public double mismatchedKl(int[] batch) {
        if (batch.length < 2) {
            return 0;
        }
        int positions = policy.decoder().config().maxPositions();
        List<Tokenized> own = tokens(at(batch));
        List<Tokenized> mismatched = IntStream.range(0, own.size())
                .mapToObj(i -> own.get((i + 1) % own.size()).after(own.get(i).prompt(), positions))
                .toList();
        return mean(logRatios(
                policy,
                mismatched,
                SequenceScores.of(policy.reference(), mismatched, policy.model().padId(), 1.0)));
    }

    private static double[] logRatios(Policy policy, List<Tokenized> sequences, double[] reference) {
        double[] ratios =
                SequenceScores.of(policy.decoder(), sequences, policy.model().padId(), 1.0);
        Arrays.setAll(ratios, i -> ratios[i] - reference[i]);
        return ratios;
    }

    private List<LabelledSequence> at(int[] numbers) {
        return Arrays.stream(numbers).mapToObj(sequences::get).toList();
    }

    private static List<Tokenized> tokens(List<LabelledSequence> sequences) {
        return sequences.stream().map(LabelledSequence::sequence).toList();
    }

    private static double mean(double[] values) {
        return Arrays.stream(values).average().orElseThrow();
    }
}
