package dev.kedge.recipe.policy;

import dev.kedge.data.TokenBatch;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.objective.logprob.HeadLogProbs;
import dev.kedge.objective.policy.Rollout;
import dev.kedge.run.SamplerAgreement;
import dev.kedge.tensor.Creation;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Gradients;
import dev.kedge.tensor.InPlace;
import dev.kedge.tensor.Indexing;
import dev.kedge.tensor.Tensor;
import java.util.Arrays;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/// Some questions of a [RolloutBatch] with all their completions, as tensors: B completions, T the longest of them. The
/// policy's log-probs carry its gradient.
public final class MicroBatch {
    private final RolloutBatch batch;
    private final int from;
    private final Rollouts rollouts;
    private final TokenBatch rows;
    private final int width;
    private final Tensor index; // [N], where each token stands in [B·T]
    private final Tensor mask;
    private Tensor hidden; // the policy's states at the tokens, with their graph
    private Tensor states; // the same as a leaf, in which gradients meet
    private HeadLogProbs logProbs;
    private Rollout rollout;
    private Tensor logits;

    MicroBatch(RolloutBatch batch, int from, Rollouts rollouts, int padId) {
        this.batch = batch;
        this.from = from;
        this.rollouts = rollouts;
        rows = TokenBatch.of(rollouts.sequences(), padId, 1).to(batch.policy().device());
        width = rollouts.width();
        long[] places = IntStream.range(0, rollouts.completions().size())
                .mapToLong(i -> (long) i * width)
                .flatMap(row -> LongStream.range(row, row + rollouts.learnt((int) (row / width))))
                .toArray();
        index = Tensor.of(places, places.length).to(batch.policy().device());
        mask = rollouts.mask().to(batch.policy().device());
    }

    /// Whether there is no token to learn from.
    boolean isEmpty() {
        return rows.targets() == 0;
    }

    public RolloutBatch batch() {
        return batch;
    }

    /// The questions and completions themselves.
    public Rollouts rollouts() {
        return rollouts;
    }

    /// Boolean `[B, T]`.
    public Tensor mask() {
        return mask;
    }

    /// Token ids, int64 `[B, T]`, 0 where masked.
    public Tensor tokens() {
        return matrix(rows.targetTokens());
    }

    /// Rewards of these questions, `[P, G]`, float64.
    public Tensor rewards() {
        return rollouts.rewards().to(batch.policy().device());
    }

    /// The completions as the policy sees them: gradient flows. On policy all ratios are 1.
    public Rollout rollout() {
        if (rollout == null) {
            Tensor now = matrix(head().values());
            rollout = new Rollout(now, batch.isOnPolicy() ? now.detach() : oldLogProbs(), mask);
        }
        return rollout;
    }

    /// `log π_ref`, nats, `[B, T]`, 0 where masked, a constant.
    public Tensor refLogProbs() {
        if (batch.hasRefLogProbs()) {
            return of(batch.refLogProbs());
        }
        try (var _ = Gradients.off()) {
            return logProbs(batch.reference()).to(DType.FLOAT32);
        }
    }

    private Tensor oldLogProbs() {
        return rollouts.logProbs().to(batch.policy().device());
    }

    /// The policy's logits that each token was drawn from, at the sampler's temperature, `[B, T, V]`, 0 where masked:
    /// gradient flows. They are held whole, so this is for small vocabularies.
    public Tensor logits() {
        if (logits == null) {
            head();
            logits = matrix(scaled(logits(states, batch.policy())));
        }
        return logits;
    }

    /// The logits of another model at the same tokens, `[B, T, V]`, a constant.
    public Tensor logits(Decoder model) {
        try (var _ = Gradients.off()) {
            return matrix(scaled(logits(statesOf(model), model)));
        }
    }

    private static Tensor logits(Tensor states, Decoder model) {
        Tensor logits = states.matmul(model.head().t());
        return model.absent() == null ? logits : logits.plus(model.absent());
    }

    /// The states of a model from which each token is predicted, `[B, T, H]`, 0 where masked: gradient flows, unless it
    /// is turned off.
    public Tensor states(Decoder model) {
        return matrix(statesOf(model));
    }

    /// Of a batch's values, one a completion, `[P·G]`, or one a token, `[P·G, T]`: those of these completions.
    public Tensor of(Tensor wholeBatch) {
        Tensor mine = wholeBatch.narrow(
                0, (long) from * rollouts.group(), rollouts.completions().size());
        return (mine.dim() == 1 ? mine : mine.narrow(1, 0, width))
                .to(batch.policy().device());
    }

    /// The way back of [#of]: writes what was found of these completions, `[B]` or `[B, T]`, to its place among
    /// that of the whole batch.
    public void put(Tensor mine, Tensor wholeBatch) {
        Tensor place = wholeBatch.narrow(0, (long) from * rollouts.group(), mine.size(0));
        InPlace.copy_(mine.dim() == 1 ? place : place.narrow(1, 0, width), mine);
    }

    /// Carries the gradient of the log-probs, and of logits where they were asked for, into the policy.
    void backward() {
        if (logProbs.values().grad() != null) {
            logProbs.backward();
        }
        hidden.backward(states.grad());
    }

    /// `log π` of a model at the tokens, `[B, T]`, 0 where masked.
    Tensor logProbs(Decoder model) {
        return matrix(logProbs(statesOf(model), model).values());
    }

    /// What the sampler reported of each token beside what is computed here.
    SamplerAgreement agreement() {
        double difference = head().values()
                .detach()
                .minus(oldLogProbs().reshape(-1).indexSelect(0, index))
                .abs()
                .amax(0, false)
                .to(DType.FLOAT64)
                .item();
        double largest = head().terms().amax(0, false).to(DType.FLOAT64).item();
        return new SamplerAgreement(difference, largest);
    }

    private HeadLogProbs head() {
        if (logProbs == null) {
            hidden = statesOf(batch.policy());
            states = hidden.detach().requiresGrad();
            logProbs = logProbs(states, batch.policy());
        }
        return logProbs;
    }

    /// The log-probs of the tokens through a model's head, at the sampler's temperature.
    private HeadLogProbs logProbs(Tensor states, Decoder model) {
        return HeadLogProbs.of(
                states,
                model.head(),
                model.absent(),
                rows.targetTokens(),
                rollouts.sampler().temperature());
    }

    private Tensor statesOf(Decoder model) {
        return model.hidden(rows.tokens()).indexSelect(0, rows.targetIndex());
    }

    private Tensor scaled(Tensor logits) {
        double temperature = rollouts.sampler().temperature();
        return temperature == 1 ? logits : logits.div(temperature);
    }

    /// `[N]` to `[B, T]`, and `[N, X]` to `[B, T, X]`.
    private Tensor matrix(Tensor values) {
        long[] shape = values.shape().clone();
        shape[0] = mask.numel();
        return Indexing.indexAdd(Creation.zeros(values.dtype(), values.device(), shape), 0, index, values)
                .reshape(LongStream.concat(Arrays.stream(mask.shape()), Arrays.stream(shape, 1, shape.length))
                        .toArray());
    }
}
