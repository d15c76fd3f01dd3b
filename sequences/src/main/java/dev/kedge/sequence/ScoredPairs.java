package dev.kedge.sequence;

import dev.kedge.data.TokenizedPair;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.run.EpochBatches;
import dev.kedge.run.TrainingConfig;
import java.util.Arrays;
import java.util.List;

/// Preference pairs with a frozen reference's log-probs of their replies, taken once.
///
/// @param reference of the chosen and of the rejected replies: nats, `[2][pairs]`; zeros where a loss needs none
/// @param padId     fills batches
public record ScoredPairs(List<TokenizedPair> pairs, double[][] reference, int padId) {
    public static ScoredPairs of(Decoder reference, List<TokenizedPair> pairs, int padId) {
        return new ScoredPairs(pairs, SequenceScores.ofPairs(reference, pairs, padId), padId);
    }

    /// For a loss that needs no reference.
    public static ScoredPairs withoutReference(List<TokenizedPair> pairs, int padId) {
        return new ScoredPairs(pairs, new double[2][pairs.size()], padId);
    }

    public EpochBatches batches(TrainingConfig config, long seed) {
        return config.batchesOf(pairs.stream().mapToInt(TokenizedPair::length).toArray(), seed);
    }

    /// Tokens of some pairs, by their numbers.
    public long tokens(int[] some) {
        return Arrays.stream(some).mapToLong(i -> pairs.get(i).tokens()).sum();
    }
}
