package dev.kedge.nn.lm;

import dev.kedge.tensor.Engine;
import dev.kedge.tensor.Gradients;
import dev.kedge.tensor.Scope;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;

/// Draws continuations of prompts, many rows at once, with a cache of keys and values. Finished rows leave the batch.
public final class Generator {
    private Generator() {}

    /// What to draw.
    ///
    /// @param sampling  how a token is chosen
    /// @param maxTokens the longest continuation, >= 1; the model's positions may end it earlier
    /// @param samples   continuations a prompt, >= 1
    /// @param endTokens a continuation ends with the first of these, which it includes
    /// @param stop      whether a continuation so far is complete, or null; asked after every token
    /// @param seed      row r draws from a generator of its own, made of the seed and r alone
    /// @param logProbs  whether to report log-probabilities and entropies
    public record Options(
            Sampling sampling,
            int maxTokens,
            int samples,
            Set<Integer> endTokens,
            Predicate<int[]> stop,
            long seed,
            boolean logProbs) {
        public Options {
            if (maxTokens < 1 || samples < 1) {
                throw new IllegalArgumentException(
                        "maxTokens and samples must be at least 1, were " + maxTokens + " and " + samples);
            }
        }

        /// The likeliest continuation.
        public static Options greedy(int maxTokens, Set<Integer> endTokens) {
            return new Options(Sampling.GREEDY, maxTokens, 1, endTokens, null, 0, false);
        }
    }

    /// Why a continuation ended.
    public enum StopReason {
        /// With an end token.
        END,
        /// A stop rule held.
        STOP,
        /// It reached maxTokens: truncated.
        LENGTH,
        /// Prompt and continuation fill the model's positions: truncated.
        CONTEXT
    }

    /// A continuation.
    ///
    /// @param prompt   which prompt it continues
    /// @param tokens    without the prompt, with the end token if there was one
    /// @param logProbs  of each token under [Sampling#logProbs], nats; empty where not asked for
    /// @param entropies of the distributions that they were drawn from, nats; empty likewise
    public record Completion(int prompt, int[] tokens, float[] logProbs, float[] entropies, StopReason reason) {
        /// Whether it was cut off before it had come to its end.
        public boolean isTruncated() {
            return reason == StopReason.LENGTH || reason == StopReason.CONTEXT;
        }
    }

    /// A decoder of a log-linear mixture.
    ///
    /// @param weight of its log-probabilities, dimensionless, finite; one with 0 is not asked
    public record WeightedModel(Decoder model, double weight) {
        public WeightedModel {
            if (!Double.isFinite(weight)) {
                throw new IllegalArgumentException("a model's weight must be finite, was " + weight);
            }
        }
    }

    /// Hears of every token as it is drawn.
    public interface Listener {
        void token(int row, int token);
    }

    /// The continuations of all prompts: `samples` for the first prompt, then for the second, and so on.
    ///
    /// @param prompts  each of 1 to maxPositions - 1 tokens
    /// @param listener or null
    /// @throws IllegalArgumentException naming the first prompt that is empty or too long
    public static List<Completion> generate(Decoder model, List<int[]> prompts, Options options, Listener listener) {
        return generate(List.of(new WeightedModel(model, 1)), prompts, options, listener);
    }

    /// The continuations under a log-linear mixture, each with its own cache: at every token `log p = Σ_i w_i log p_i
    /// - log Z`, to which the sampling's temperature and truncation then apply. A base model with weight 1 and
    /// reward models with weights `1/beta` are guided decoding (GenARM, arXiv:2410.08193); what is reported is of
    /// the mixture.
    ///
    /// @param models   at least one with a weight, of one vocabulary, on one device
    /// @param prompts  each of 1 to maxPositions - 1 tokens, of the model with the fewest positions
    /// @param listener or null
    /// @throws IllegalArgumentException if models do not fit together, or naming the first prompt that is empty or
    ///     too long
    public static List<Completion> generate(
            List<WeightedModel> models, List<int[]> prompts, Options options, Listener listener) {
        List<WeightedModel> asked = models.stream().filter(m -> m.weight() != 0).toList();
        requireOneVocabulary(asked);
        if (prompts.isEmpty()) {
            return List.of();
        }
        int positions = asked.stream()
                .mapToInt(m -> m.model().config().maxPositions())
                .min()
                .getAsInt();
        int longest = requirePrompts(positions, prompts);
        int threads = Engine.threads();
        long rows = (long) prompts.size() * options.samples();
        int width = asked.stream()
                .mapToInt(m -> m.model().config().hiddenSize())
                .max()
                .getAsInt();
        if (rows * width < SMALL) {
            Engine.useThreads(1); // waking a second thread costs more than it brings
        }
        try (var _ = Gradients.never();
                Scope _ = new Scope()) {
            return new Generation(asked, positions, prompts, options, listener, longest).run();
        } finally {
            Engine.useThreads(threads);
        }
    }

    private static void requireOneVocabulary(List<WeightedModel> models) {
        if (models.isEmpty()) {
            throw new IllegalArgumentException("at least one model needs a weight other than 0");
        }
        int vocabulary = models.getFirst().model().vocabularySize();
        for (WeightedModel weighted : models) {
            if (weighted.model().vocabularySize() != vocabulary) {
                throw new IllegalArgumentException("models of one vocabulary expected, were of " + vocabulary + " and "
                        + weighted.model().vocabularySize() + " tokens");
            }
        }
    }

    /// Rows times width below which one thread is faster than two.
    private static final long SMALL = 1 << 15;

    private static int requirePrompts(int positions, List<int[]> prompts) {
        int longest = 0;
        for (int i = 0; i < prompts.size(); i++) {
            int length = prompts.get(i).length;
            if (length == 0 || length >= positions) {
                throw new IllegalArgumentException("prompt " + i + " has " + length + " tokens; 1 to " + (positions - 1)
                        + " leave the model room to continue");
            }
            longest = Math.max(longest, length);
        }
        return longest;
    }
}
