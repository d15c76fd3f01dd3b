package dev.kedge.sequence;

import dev.kedge.data.PreferenceBatch;
import dev.kedge.data.TokenBatch;
import dev.kedge.data.TokenizedPair;
import dev.kedge.nn.Parameters;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.objective.Loss;
import dev.kedge.objective.logprob.HeadLogProbs;
import dev.kedge.objective.preference.PreferenceLogProbs;
import dev.kedge.run.EpochBatches;
import dev.kedge.run.Run;
import dev.kedge.run.Step;
import dev.kedge.run.StepMetrics;
import dev.kedge.run.Training;
import dev.kedge.run.TrainingConfig;
import dev.kedge.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.function.BiFunction;

/// Preference optimisation on pairs, by any [PreferenceLoss].
public final class PreferenceTraining {
    private PreferenceTraining() {}

    /// Moves all weights of a policy away from its reference by preferences.
    public static void train(
            Run run,
            String phase,
            Decoder policy,
            ScoredPairs scored,
            PreferenceLoss loss,
            TrainingConfig config,
            long seed) {
        train(
                run,
                phase,
                policy,
                policy.parameters(),
                scored.pairs(),
                scored.reference(),
                scored.padId(),
                loss,
                config,
                seed);
    }

    /// Moves some parameters of a policy.
    ///
    /// @param trained   the parameters that move
    /// @param reference the frozen model's log-probs of `pairs`, see [SequenceScores#ofPairs]
    public static void train(
            Run run,
            String phase,
            Decoder policy,
            Parameters trained,
            List<TokenizedPair> pairs,
            double[][] reference,
            int padId,
            PreferenceLoss loss,
            TrainingConfig config,
            long seed) {
        int[] lengths = pairs.stream().mapToInt(TokenizedPair::length).toArray();
        EpochBatches batches = config.batchesOf(lengths, seed);
        try (Training training = new Training(run, phase, config, trained)) {
            training.run(step -> {
                int[] batch = batches.at(step);
                return Step.on(
                                batch,
                                config.microBatch(),
                                part -> gradient(policy, pairs, reference, part, batch.length, padId, loss))
                        .completed(m -> m.put("reward/margin", m.get("reward/chosen") - m.get("reward/rejected")))
                        .tokens(PreferencePairs.tokens(pairs, batch));
            });
        }
    }

    /// Adds the gradient of some pairs' share of a step's loss.
    private static StepMetrics gradient(
            Decoder policy,
            List<TokenizedPair> pairs,
            double[][] reference,
            int[] part,
            long pairsInStep,
            int padId,
            PreferenceLoss objective) {
        TokenBatch tokens = PreferenceBatch.of(
                        Arrays.stream(part).mapToObj(pairs::get).toList(), padId, 1)
                .sequences()
                .to(policy.device());
        HeadLogProbs logProbs = SequenceScores.sums(policy, tokens, 1.0);
        Tensor sums = SequenceScores.rowSums(logProbs.values(), tokens); // chosen, then rejected: [2B]
        int b = part.length;
        PreferenceLogProbs lp = new PreferenceLogProbs(
                sums.narrow(0, 0, b), sums.narrow(0, b, b),
                constant(reference[0], part, sums), constant(reference[1], part, sums));
        Loss loss = objective.loss(lp, targets(pairs, part, sums), pairsInStep);
        loss.value().backward();
        logProbs.backward();
        return LossMetrics.of(loss, pairsInStep);
    }

    /// How many tokens the replies have: chosen and rejected, [B] each.
    public static Tensor[] targets(List<TokenizedPair> pairs, int[] chosen, Tensor like) {
        BiFunction<int[], java.util.function.ToIntFunction<TokenizedPair>, Tensor> count =
                (indices, length) -> Tensor.of(Arrays.stream(indices)
                                .mapToDouble(i -> length.applyAsInt(pairs.get(i)))
                                .toArray())
                        .to(like.dtype())
                        .to(like.device());
        return new Tensor[] {
            count.apply(chosen, pair -> pair.chosen().targets()),
            count.apply(chosen, pair -> pair.rejected().targets())
        };
    }

    private static Tensor constant(double[] values, int[] chosen, Tensor like) {
        return Tensor.of(Arrays.stream(chosen).mapToDouble(i -> values[i]).toArray())
                .to(like.dtype())
                .to(like.device());
    }
}
