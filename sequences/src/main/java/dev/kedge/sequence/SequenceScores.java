package dev.kedge.sequence;

import dev.kedge.data.Batches;
import dev.kedge.data.TokenBatch;
import dev.kedge.data.Tokenized;
import dev.kedge.data.TokenizedPair;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.nn.lm.Generator.Completion;
import dev.kedge.objective.logprob.HeadLogProbs;
import dev.kedge.run.SamplerAgreement;
import dev.kedge.tensor.Creation;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Gradients;
import dev.kedge.tensor.Indexing;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;

/// Log-probabilities of whole sequences' targets.
public final class SequenceScores {
    private SequenceScores() {}

    private static final int ROWS = 16;

    /// `Σ_t log p(token_t | before)` over the targets of each sequence, at a temperature, without gradient: nats, in
    /// the order given.
    public static double[] of(Decoder model, List<Tokenized> sequences, int padId, double temperature) {
        return ofTokens(model, sequences, padId, temperature).sums();
    }

    /// Log-probs of targets.
    ///
    /// @param values      of each sequence's, nats, `[sequence][target]`
    /// @param largestTerm of the numbers whose differences they are, see [HeadLogProbs#terms]
    public record TokenScores(double[][] values, double largestTerm) {
        /// Of each sequence over its targets.
        public double[] sums() {
            return Arrays.stream(values)
                    .mapToDouble(v -> {
                        double sum = 0;
                        for (double value : v) {
                            sum += value;
                        }
                        return sum;
                    })
                    .toArray();
        }

        /// What the sampler reported of the sequences beside these.
        public SamplerAgreement agreement(List<Completion> drawn) {
            double[] all = Arrays.stream(values).flatMapToDouble(Arrays::stream).toArray();
            return SamplerAgreement.of(drawn, all, new double[] {largestTerm});
        }
    }

    /// What the sampler reported of completions beside what is computed of the same tokens.
    ///
    /// @param theirs the places of their tokens among those computed, one completion after the other
    public static SamplerAgreement agreement(List<Completion> drawn, HeadLogProbs computed, int[] theirs) {
        return SamplerAgreement.of(drawn, at(theirs, computed.values().detach()), at(theirs, computed.terms()));
    }

    private static double[] at(int[] places, Tensor values) {
        double[] all = values.to(DType.FLOAT64).to(Device.CPU).toDoubles();
        return Arrays.stream(places).mapToDouble(n -> all[n]).toArray();
    }

    /// `log p(token_t | before)` of each target, at a temperature, without gradient, in the order given.
    public static TokenScores ofTokens(Decoder model, List<Tokenized> sequences, int padId, double temperature) {
        double[][] scores = new double[sequences.size()][];
        double largest = 0;
        int[] byLength = IntStream.range(0, sequences.size()) // rows of like length waste no padding
                .boxed()
                .sorted(Comparator.comparingInt(i -> sequences.get(i).length()))
                .mapToInt(Integer::intValue)
                .toArray();
        for (int[] part : Batches.inOrder(byLength.length, ROWS)) {
            int[] chosen = Arrays.stream(part).map(i -> byLength[i]).toArray();
            try (var _ = Gradients.off();
                    Scope _ = new Scope()) {
                TokenBatch batch = TokenBatch.of(
                                Arrays.stream(chosen).mapToObj(sequences::get).toList(), padId, 1)
                        .to(model.device());
                HeadLogProbs tokens = sums(model, batch, temperature);
                double[] values =
                        tokens.values().to(DType.FLOAT64).to(Device.CPU).toDoubles();
                for (double term :
                        tokens.terms().to(DType.FLOAT64).to(Device.CPU).toDoubles()) {
                    largest = Math.max(largest, term);
                }
                int from = 0;
                for (int i : chosen) { // targets stand in the order of their rows
                    int to = from + sequences.get(i).targets();
                    scores[i] = Arrays.copyOfRange(values, from, to);
                    from = to;
                }
            }
        }
        return new TokenScores(scores, largest);
    }

    /// The same of the chosen and of the rejected replies of pairs: nats, `[2][pairs]`.
    public static double[][] ofPairs(Decoder model, List<TokenizedPair> pairs, int padId) {
        return new double[][] {
            of(model, pairs.stream().map(TokenizedPair::chosen).toList(), padId, 1.0),
            of(model, pairs.stream().map(TokenizedPair::rejected).toList(), padId, 1.0)
        };
    }

    /// Numbers that are there already for some examples, as a constant: `[part]`.
    ///
    /// @param values by the number of an example
    public static Tensor constants(IntToDoubleFunction values, int[] part, Tensor like) {
        return Tensor.of(Arrays.stream(part).mapToDouble(values).toArray())
                .to(like.dtype())
                .to(like.device());
    }

    /// The log-probs of a batch's targets, in its order.
    public static HeadLogProbs sums(Decoder model, TokenBatch batch, double temperature) {
        Tensor hidden = model.hidden(batch.tokens()).indexSelect(0, batch.targetIndex());
        return HeadLogProbs.of(hidden, model.head(), model.absent(), batch.targetTokens(), temperature);
    }

    /// Sums of a model's log-probs over the targets of each row, without gradient: nats, `[B]`.
    public static Tensor constantRowSums(Decoder model, TokenBatch batch, double temperature) {
        try (var _ = Gradients.off()) {
            return rowSums(sums(model, batch, temperature).values(), batch);
        }
    }

    /// Sums over the targets of each row: `[B]`, with the gradient of `logProbs` `[N]`.
    public static Tensor rowSums(Tensor logProbs, TokenBatch batch) {
        Tensor zeros = Creation.zeros(logProbs.dtype(), logProbs.device(), batch.rows());
        return Indexing.indexAdd(zeros, 0, batch.row(), logProbs);
    }
}
