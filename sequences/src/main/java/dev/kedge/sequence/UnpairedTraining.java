package dev.kedge.sequence;

import dev.kedge.data.LabelledSequence;
import dev.kedge.data.TokenBatch;
import dev.kedge.data.Tokenized;
import dev.kedge.objective.Loss;
import dev.kedge.objective.logprob.HeadLogProbs;
import dev.kedge.objective.unpaired.UnpairedLogProbs;
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
    /// What a step is moved by.
    ///
    /// @param baseline   what the rewards of the step are compared with
    /// @param loss       on a part of it
    /// @param remembered what the baseline must know again after a restart, if anything
    public record Objective(Baseline baseline, PartLoss loss, Remembered... remembered) {}

    /// Which loss falls on a part of a step.
    public interface PartLoss {
        /// @param lp       of the part's completions
        /// @param baseline of the whole step
        /// @param inStep   completions in the whole step
        Loss of(UnpairedLogProbs lp, double baseline, long inStep);
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

    /// Moves the policy. Metrics: the loss, the baseline, and the mean reward of each label that the step has.
    public void train(Run run, String phase, Objective objective, TrainingConfig config, long seed) {
        int[] lengths = sequences.stream().mapToInt(LabelledSequence::length).toArray();
        EpochBatches batches = config.batchesOf(lengths, seed);
        try (Training training = new Training(run, phase, config, policy.trained(), objective.remembered)) {
            training.run(step -> {
                int[] batch = batches.at(step);
                double baseline = objective.baseline.of(batch);
                long tokens = Arrays.stream(batch).mapToLong(i -> lengths[i]).sum();
                return Step.on(
                                batch,
                                config.microBatch(),
                                part -> gradient(objective.loss, part, baseline, batch.length))
                        .completed(m -> m.put("baseline", baseline))
                        .tokens(tokens);
            });
        }
    }

    /// Adds the gradient of some completions' share of a step's loss.
    private StepMetrics gradient(PartLoss loss, int[] part, double baseline, long inStep) {
        TokenBatch tokens = TokenBatch.of(tokens(at(part)), policy.model().padId(), 1)
                .to(policy.decoder().device());
        HeadLogProbs logProbs = SequenceScores.sums(policy.decoder(), tokens, 1.0);
        UnpairedLogProbs lp = logProbs(SequenceScores.rowSums(logProbs.values(), tokens), part);
        Loss value = loss.of(lp, baseline, inStep);
        value.value().backward();
        logProbs.backward();
        StepMetrics metrics = new StepMetrics().add("loss", value.value().item());
        addReward(metrics, value, "reward/desirable", part, true);
        addReward(metrics, value, "reward/undesirable", part, false);
        return metrics;
    }

    /// Adds a label's rewards to their mean over the step, where the part has any.
    private void addReward(StepMetrics metrics, Loss loss, String name, int[] part, boolean label) {
        long count = Arrays.stream(part)
                .filter(i -> sequences.get(i).desirable() == label)
                .count();
        if (count > 0) {
            metrics.mean(name, LossMetrics.share(loss.metric(name), 1), count);
        }
    }

    /// What a loss on some completions is made of, before a step and without gradient.
    public UnpairedLogProbs logProbs(int[] batch) {
        return logProbs(
                Tensor.of(SequenceScores.of(
                        policy.decoder(), tokens(at(batch)), policy.model().padId(), 1.0)),
                batch);
    }

    private UnpairedLogProbs logProbs(Tensor sums, int[] part) {
        return new UnpairedLogProbs(
                sums,
                SequenceScores.constants(i -> reference[i], part, sums),
                SequenceScores.constants(i -> sequences.get(i).desirable() ? 1 : 0, part, sums)
                        .gt(0));
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
