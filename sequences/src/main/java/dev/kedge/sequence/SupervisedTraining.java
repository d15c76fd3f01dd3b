package dev.kedge.sequence;

import dev.kedge.data.TokenBatch;
import dev.kedge.data.Tokenized;
import dev.kedge.nn.Parameters;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.objective.logprob.HeadLogProbs;
import dev.kedge.run.EpochBatches;
import dev.kedge.run.Run;
import dev.kedge.run.Step;
import dev.kedge.run.StepMetrics;
import dev.kedge.run.Training;
import dev.kedge.run.TrainingConfig;
import dev.kedge.tensor.Tensor;
import java.util.Arrays;
import java.util.List;

/// Cross-entropy on the targets of sequences: what fine-tunes a model, and pre-trains those of generated tasks.
public final class SupervisedTraining {
    private SupervisedTraining() {}

    /// Trains all weights of a model.
    ///
    /// @param data  sequences with at least one target each
    /// @param padId fills batches
    public static void train(
            Run run, String phase, Decoder model, List<Tokenized> data, int padId, TrainingConfig config, long seed) {
        train(
                run,
                phase,
                model.parameters(),
                data,
                config,
                seed,
                (part, targets) -> gradient(model, part, padId, targets));
    }

    /// Trains what moves of a policy: all its weights, or its adapters.
    public static void train(
            Run run, String phase, Policy policy, List<Tokenized> data, TrainingConfig config, long seed) {
        int padId = policy.model().padId();
        train(
                run,
                phase,
                policy.trained(),
                data,
                config,
                seed,
                (part, targets) -> gradient(policy.decoder(), part, padId, targets));
    }

    /// Adds the gradient of some sequences to a step's.
    public interface Gradient {
        /// @return their share of the step's metrics
        StepMetrics of(List<Tokenized> part, long targetsInStep);
    }

    /// Moves parameters by batches of sequences.
    public static void train(
            Run run,
            String phase,
            Parameters trained,
            List<Tokenized> data,
            TrainingConfig config,
            long seed,
            Gradient gradient) {
        int[] lengths = data.stream().mapToInt(Tokenized::length).toArray();
        EpochBatches batches = config.batchesOf(lengths, seed);
        try (Training training = new Training(run, phase, config, trained)) {
            training.run(step -> {
                List<Tokenized> batch =
                        Arrays.stream(batches.at(step)).mapToObj(data::get).toList();
                long targets = batch.stream().mapToLong(Tokenized::targets).sum();
                long tokens = batch.stream().mapToLong(Tokenized::length).sum();
                return Step.on(batch, config.microBatch(), part -> gradient.of(part, targets))
                        .tokens(tokens);
            });
        }
    }

    /// Adds the gradient of these sequences' share of the mean loss per target.
    private static StepMetrics gradient(Decoder model, List<Tokenized> part, int padId, long targets) {
        TokenBatch tokens = TokenBatch.of(part, padId, 1).to(model.device());
        Tensor hidden = model.hidden(tokens.tokens()).indexSelect(0, tokens.targetIndex());
        Tensor loss =
                HeadLogProbs.crossEntropyBackward(hidden, model.head(), model.absent(), tokens.targetTokens(), targets);
        return new StepMetrics().add("loss", loss.item());
    }
}
