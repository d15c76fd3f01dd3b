package dev.kedge.recipe.policy;

import dev.kedge.data.TokenBatch;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.objective.logprob.HeadLogProbs;
import dev.kedge.objective.policy.Rollout;
import dev.kedge.tensor.Creation;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Gradients;
import dev.kedge.tensor.InPlace;
import dev.kedge.tensor.Indexing;
import dev.kedge.tensor.Tensor;
import java.util.Arrays;

/// Some questions of a [RolloutBatch] with all their completions, as tensors: B completions, T the longest of them. The
/// policy's log-probs carry its gradient.
public final class MicroBatch {
    private final RolloutBatch step;
    private final int from;
    private final Rollouts draw;
    private final TokenBatch rows;
    private final int width;
    private final Tensor index; // [N], where each token stands in [B·T]
    private final Tensor mask;
    private Tensor hidden; // the policy's states at the tokens, with their graph
    private Tensor states; // the same as a leaf, in which gradients meet
    private HeadLogProbs logProbs;
    private Rollout rollout;
    private Tensor logits;

    MicroBatch(RolloutBatch step, int from, Rollouts draw, int padId) {
        this.step = step;
        this.from = from;
        this.draw = draw;
        rows = TokenBatch.of(draw.sequences(), padId, 1).to(step.policy().device());
        int b = draw.completions().size();
        int[] lengths = new int[b];
        Arrays.setAll(lengths, draw::learnt);
        width = Math.max(1, Arrays.stream(lengths).max().orElse(1));
        boolean[] inside = new boolean[b * width];
        long[] places = new long[Arrays.stream(lengths).sum()];
        for (int i = 0, n = 0; i < b; i++) {
            for (int t = 0; t < lengths[i]; t++) {
                inside[i * width + t] = true;
                places[n++] = (long) i * width + t;
            }
        }
        index = Tensor.of(places, places.length).to(step.policy().device());
        mask = Tensor.mask(inside, b, width).to(step.policy().device());
    }

    /// Whether there is no token to learn from.
    boolean isEmpty() {
        return rows.targets() == 0;
    }

    public RolloutBatch step() {
        return step;
    }

    /// The questions and completions themselves.
    public Rollouts draw() {
        return draw;
    }

    /// Boolean [B, T].
    public Tensor mask() {
        return mask;
    }

    /// Token ids, int64 [B, T], 0 where masked.
    public Tensor tokens() {
        return matrix(rows.targetTokens());
    }

    /// Rewards of these questions, [P, G], float64.
    public Tensor rewards() {
        return draw.rewards().to(step.policy().device());
    }

    /// The completions as the policy sees them: gradient flows. On policy all ratios are 1.
    public Rollout rollout() {
        if (rollout == null) {
            Tensor now = matrix(head().values());
            rollout = new Rollout(now, step.isOnPolicy() ? now.detach() : of(step.oldLogProbs()), mask);
        }
        return rollout;
    }

    /// `log π_ref`, nats, [B, T], 0 where masked, a constant.
    public Tensor refLogProbs() {
        return of(step.refLogProbs());
    }

    /// The policy's logits that each token was drawn from, at the temperature of the draw, [B, T, V], 0 where masked:
    /// gradient flows. They are held whole, so this is for small vocabularies.
    public Tensor logits() {
        if (logits == null) {
            head();
            logits = spread(scaled(states.matmul(step.policy().head().t())));
        }
        return logits;
    }

    /// The logits of another model at the same tokens, [B, T, V], a constant.
    public Tensor logits(Decoder model) {
        try (var _ = Gradients.off()) {
            return spread(scaled(statesOf(model).matmul(model.head().t())));
        }
    }

    /// The states of a model from which each token is predicted, [B, T, H], 0 where masked: gradient flows, unless it
    /// is turned off.
    public Tensor states(Decoder model) {
        return spread(statesOf(model));
    }

    /// Of a step's values, one a completion, [P·G], or one a token, [P·G, T]: those of these completions.
    public Tensor of(Tensor wholeStep) {
        Tensor mine = wholeStep.narrow(
                0, (long) from * draw.group(), draw.completions().size());
        return (mine.dim() == 1 ? mine : mine.narrow(1, 0, width))
                .to(step.policy().device());
    }

    /// The way back of [#of]: writes what was found of these completions, [B] or [B, T], to its place among that of the
    /// whole step.
    public void put(Tensor mine, Tensor wholeStep) {
        Tensor place = wholeStep.narrow(0, (long) from * draw.group(), mine.size(0));
        InPlace.copy_(mine.dim() == 1 ? place : place.narrow(1, 0, width), mine);
    }

    /// Carries the gradient of the log-probs, and of logits where they were asked for, into the policy.
    void backward() {
        if (logProbs.values().grad() != null) {
            logProbs.backward();
        }
        hidden.backward(states.grad());
    }

    /// `log π` of a model at the tokens, [B, T], 0 where masked.
    Tensor logProbs(Decoder model) {
        return matrix(step.logProbs(statesOf(model), model.head(), rows).values());
    }

    /// The largest difference, in nats, between what the sampler reported of a token and what is computed here.
    double samplerDifference() {
        Tensor reported = of(step.oldLogProbs());
        return head().values()
                .detach()
                .minus(reported.reshape(-1).indexSelect(0, index))
                .abs()
                .amax(0, false)
                .to(DType.FLOAT64)
                .item();
    }

    private HeadLogProbs head() {
        if (logProbs == null) {
            hidden = statesOf(step.policy());
            states = hidden.detach().requiresGrad();
            logProbs = step.logProbs(states, step.policy().head(), rows);
        }
        return logProbs;
    }

    private Tensor statesOf(Decoder model) {
        return model.hidden(rows.tokens()).indexSelect(0, rows.targetIndex());
    }

    private Tensor scaled(Tensor logits) {
        double temperature = draw.sampler().temperature();
        return temperature == 1 ? logits : logits.div(temperature);
    }

    /// [N] to [B, T].
    private Tensor matrix(Tensor values) {
        long b = draw.completions().size();
        return Indexing.indexAdd(Creation.zeros(values.dtype(), values.device(), b * width), 0, index, values)
                .reshape(b, width);
    }

    /// [N, X] to [B, T, X].
    private Tensor spread(Tensor values) {
        long b = draw.completions().size();
        return Indexing.indexAdd(
                        Creation.zeros(values.dtype(), values.device(), b * width, values.size(1)), 0, index, values)
                .reshape(b, width, values.size(1));
    }
}
