package dev.kedge.sequence;

import dev.kedge.data.TokenBatch;
import dev.kedge.data.Tokenized;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.nn.lm.Generator.Completion;
import dev.kedge.objective.Loss;
import dev.kedge.objective.logprob.HeadLogProbs;
import dev.kedge.run.SamplerAgreement;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Tensor;
import java.util.List;
import java.util.stream.IntStream;

/// Log-probs of sequences under a policy that learns, nats.
///
/// @param batch  the sequences as rows
/// @param hidden the states that predict the targets, `[N, H]`
/// @param tokens log-probs of the targets, `[N]`
/// @param sums   of each sequence over its targets, `[B]`, with their gradient
public record PolicyLogProbs(TokenBatch batch, Tensor hidden, HeadLogProbs tokens, Tensor sums) {
    /// @param padId fills the batch
    public static PolicyLogProbs of(Decoder policy, List<Tokenized> sequences, int padId) {
        TokenBatch batch = TokenBatch.of(sequences, padId, 1).to(policy.device());
        Tensor hidden = policy.hidden(batch.tokens()).indexSelect(0, batch.targetIndex());
        HeadLogProbs tokens = HeadLogProbs.of(hidden, policy.head(), policy.absent(), batch.targetTokens(), 1.0);
        return new PolicyLogProbs(batch, hidden, tokens, SequenceScores.rowSums(tokens.values(), batch));
    }

    /// The sums under a frozen model: `[B]`, constants.
    public Tensor under(Decoder frozen) {
        return SequenceScores.constantRowSums(frozen, batch, 1.0);
    }

    /// Numbers as constants of the type and on the device of the sums.
    public Tensor constant(double... values) {
        return Tensor.of(values).to(sums.dtype()).to(sums.device());
    }

    /// What the sampler reported of completions beside what is computed here.
    ///
    /// @param drawn they stand in a row among the sequences
    /// @param from  where the first one stands
    public SamplerAgreement agreement(List<Completion> drawn, int from) {
        long[] rows = batch.row().to(Device.CPU).toLongs();
        int[] theirs = IntStream.range(0, rows.length)
                .filter(n -> rows[n] >= from && rows[n] < from + drawn.size())
                .toArray();
        return SequenceScores.agreement(drawn, tokens, theirs);
    }

    /// Adds the gradient of a loss on the sums to that of the parameters.
    public void backward(Loss loss) {
        loss.value().backward();
        tokens.backward();
    }
}
