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
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/// Preference optimisation on pairs, by any [PreferenceLoss].
public final class PreferenceTraining {
    private PreferenceTraining() {}

    /// Adds the gradient of some pairs, by their numbers, to a step's.
    public interface Gradient {
        /// @return their share of the step's metrics, `reward/chosen` and `reward/rejected` among them
        StepMetrics of(int[] part, long pairsInStep);
    }

    /// Moves all weights of a policy away from its reference by preferences.
    public static void train(
            Run run,
            String phase,
            Decoder policy,
            ScoredPairs pairs,
            PreferenceLoss loss,
            TrainingConfig config,
            long seed) {
        train(run, phase, policy, policy.parameters(), pairs, loss, config, seed);
    }

    /// Moves some parameters of a policy.
    ///
    /// @param trained the parameters that move
    public static void train(
            Run run,
            String phase,
            Decoder policy,
            Parameters trained,
            ScoredPairs pairs,
            PreferenceLoss loss,
            TrainingConfig config,
            long seed) {
        Gradient gradient = (part, inStep) -> gradient(policy, pairs, part, inStep, loss);
        train(run, phase, trained, pairs.pairs(), config, seed, gradient);
    }

    /// Moves parameters by batches of pairs.
    public static void train(
            Run run,
            String phase,
            Parameters trained,
            List<TokenizedPair> pairs,
            TrainingConfig config,
            long seed,
            Gradient gradient) {
        int[] lengths = pairs.stream().mapToInt(TokenizedPair::length).toArray();
        EpochBatches batches = config.batchesOf(lengths, seed);
        try (Training training = new Training(run, phase, config, trained)) {
            training.run(step -> {
                int[] batch = batches.at(step);
                long tokens = Arrays.stream(batch)
                        .mapToLong(i -> pairs.get(i).tokens())
                        .sum();
                return Step.on(batch, config.microBatch(), part -> gradient.of(part, batch.length))
                        .completed(m -> m.put("reward/margin", m.get("reward/chosen") - m.get("reward/rejected")))
                        .tokens(tokens);
            });
        }
    }

    /// Pairs with what a loss needs of a policy's reference.
    public static ScoredPairs scored(Policy policy, List<TokenizedPair> pairs, PreferenceLoss loss) {
        int padId = policy.model().padId();
        return loss.needsReference()
                ? ScoredPairs.of(policy.reference(), pairs, padId)
                : ScoredPairs.withoutReference(pairs, padId);
    }

    /// Adds the gradient of some pairs' share of a step's loss.
    private static StepMetrics gradient(
            Decoder policy, ScoredPairs scored, int[] part, long pairsInStep, PreferenceLoss objective) {
        TokenBatch tokens = batch(scored.pairs(), part, scored.padId()).to(policy.device());
        HeadLogProbs logProbs = SequenceScores.sums(policy, tokens, 1.0);
        Tensor sums = SequenceScores.rowSums(logProbs.values(), tokens);
        PreferenceLogProbs pairs = logProbs(sums, scored.reference(), part);
        Loss loss = objective.loss(pairs, targets(scored.pairs(), part, sums), pairsInStep);
        loss.value().backward();
        logProbs.backward();
        return LossMetrics.of(loss, pairsInStep);
    }

    /// Some pairs as one batch: chosen replies, then rejected ones.
    public static TokenBatch batch(List<TokenizedPair> pairs, int[] part, int padId) {
        return PreferenceBatch.of(Arrays.stream(part).mapToObj(pairs::get).toList(), padId, 1)
                .sequences();
    }

    /// What a loss on pairs is made of.
    ///
    /// @param sums      the policy's log-probs of a part's rows, chosen, then rejected, `[2B]`; gradient flows
    /// @param reference the frozen model's, of all pairs
    /// @param part      which of them stand in the rows
    public static PreferenceLogProbs logProbs(Tensor sums, double[][] reference, int[] part) {
        int b = part.length;
        return new PreferenceLogProbs(
                sums.narrow(0, 0, b),
                sums.narrow(0, b, b),
                SequenceScores.constants(i -> reference[0][i], part, sums),
                SequenceScores.constants(i -> reference[1][i], part, sums));
    }

    /// By how much a policy's implicit reward of the chosen reply exceeds that of the rejected one, for each pair.
    public static double[] margins(Policy policy, List<TokenizedPair> pairs, PreferenceLoss objective) {
        int[] all = IntStream.range(0, pairs.size()).toArray();
        ScoredPairs scored = scored(policy, pairs, objective);
        double[][] now = SequenceScores.ofPairs(policy.decoder(), pairs, scored.padId());
        try (Scope _ = new Scope()) {
            Tensor sums = Tensor.cat(List.of(Tensor.of(now[0]), Tensor.of(now[1])), 0);
            Loss loss =
                    objective.loss(logProbs(sums, scored.reference(), all), targets(pairs, all, sums), pairs.size());
            return loss.metric("reward/chosen")
                    .minus(loss.metric("reward/rejected"))
                    .toDoubles();
        }
    }

    /// How many tokens the replies have: chosen and rejected, `[B]` each.
    public static Tensor[] targets(List<TokenizedPair> pairs, int[] part, Tensor like) {
        return new Tensor[] {
            SequenceScores.constants(i -> pairs.get(i).chosen().targets(), part, like),
            SequenceScores.constants(i -> pairs.get(i).rejected().targets(), part, like)
        };
    }
}
