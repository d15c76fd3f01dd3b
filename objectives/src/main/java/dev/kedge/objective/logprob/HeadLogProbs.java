package dev.kedge.objective.logprob;

import dev.kedge.tensor.Creation;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Gradients;
import dev.kedge.tensor.InPlace;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/// Log-probabilities of target tokens through a language model's head, a few positions at a time: the logits of all
/// positions, `[N, V]`, never exist at once.
///
/// The way back has two stages, since the loss is a function of all log-probs: the objective fills the gradient of
/// [#values]; then [#backward] makes the logits again, chunk by chunk, and carries the gradient into the head and into
/// the hidden states' graph.
///
/// ```java
/// HeadLogProbs lp = HeadLogProbs.of(hidden, head, targets, 1.0);
/// loss(lp.values()).backward();
/// lp.backward();
/// ```
public final class HeadLogProbs {
    /// Elements of a chunk's logits: 16 MiB in float32, whatever V is.
    private static final long CHUNK_ELEMENTS = 1L << 22;

    private final Tensor hidden;
    private final Tensor head;
    private final Tensor bias;
    private final Tensor targets;
    private final double temperature;
    private final Tensor logNormalizers;
    private final Tensor values;

    private HeadLogProbs(
            Tensor hidden,
            Tensor head,
            Tensor bias,
            Tensor targets,
            double temperature,
            Tensor values,
            Tensor logNormalizers) {
        this.hidden = hidden;
        this.head = head;
        this.bias = bias;
        this.targets = targets;
        this.temperature = temperature;
        this.values = values;
        this.logNormalizers = logNormalizers;
    }

    /// @param hidden      `[N, H]`, the state from which each target is predicted
    /// @param head        `[V, H]`; a leaf or a constant
    /// @param targets     `[N]` int64, in [0, V)
    /// @param temperature divides the logits, > 0
    /// @throws IllegalArgumentException if shapes or temperature do not fit
    public static HeadLogProbs of(Tensor hidden, Tensor head, Tensor targets, double temperature) {
        return of(hidden, head, null, targets, temperature);
    }

    /// The same with something added to the logits before they are divided.
    ///
    /// @param bias `[V]`, a constant, such as a mask of ids without a token; or null
    public static HeadLogProbs of(Tensor hidden, Tensor head, Tensor bias, Tensor targets, double temperature) {
        requireFit(hidden, head, targets, temperature);
        List<Tensor> logProbs = new ArrayList<>();
        List<Tensor> normalizers = new ArrayList<>();
        try (var _ = Gradients.off();
                Scope all = new Scope()) {
            long n = targets.numel();
            for (long from = 0; from < n; from += rows(head)) {
                long length = Math.min(rows(head), n - from);
                try (Scope chunk = new Scope()) {
                    Tensor logits = logits(hidden.narrow(0, from, length), head, bias, temperature);
                    Tensor normalizer = logits.logSumExp(-1);
                    Tensor chosen = logits.gather(
                                    1, targets.narrow(0, from, length).unsqueeze(1))
                            .squeeze(1);
                    logProbs.add(chunk.keep(chosen.minus(normalizer)));
                    normalizers.add(chunk.keep(normalizer));
                }
            }
            Tensor values = all.keep(joined(logProbs, hidden));
            return new HeadLogProbs(
                    hidden, head, bias, targets, temperature, values, all.keep(joined(normalizers, hidden)));
        }
    }

    static Tensor joined(List<Tensor> chunks, Tensor hidden) {
        return chunks.isEmpty() ? Creation.zeros(hidden.dtype(), hidden.device(), 0) : Tensor.cat(chunks, 0);
    }

    /// The log-probabilities as a leaf that gathers a gradient: nats, `[N]`.
    public Tensor values() {
        return hidden.hasGradientGraph() || head.hasGradientGraph() ? values.requiresGrad() : values;
    }

    /// Of each target the larger of the two numbers whose difference its log-prob is, `|logit / temperature|` and the
    /// logarithm of its normaliser: nats, `[N]`, constants. Rounding of a log-prob grows with it.
    public Tensor terms() {
        try (var _ = Gradients.off();
                Scope scope = new Scope()) {
            Tensor logits = values.detach().plus(logNormalizers);
            Tensor both = Tensor.cat(List.of(logits.unsqueeze(0), logNormalizers.unsqueeze(0)), 0);
            return scope.keep(both.abs().amax(0, false));
        }
    }

    /// Carries the gradient of [#values] into the head's `grad` and on through the hidden states.
    ///
    /// @throws IllegalStateException if nothing has filled the gradient of the values
    public void backward() {
        try (Scope _ = new Scope()) {
            Tensor gradient = values.grad();
            if (gradient == null) {
                throw new IllegalStateException("backward of the loss comes first: the log-probs have no gradient yet");
            }
            Tensor hiddenGradient = hidden.zerosLike();
            try (var _ = Gradients.off()) {
                long n = targets.numel();
                for (long from = 0; from < n; from += rows(head)) {
                    long length = Math.min(rows(head), n - from);
                    try (Scope _ = new Scope()) {
                        Tensor chunk = hidden.narrow(0, from, length);
                        Tensor logits = logits(chunk, head, bias, temperature);
                        Tensor normalizers = logNormalizers.narrow(0, from, length);
                        Tensor weights = gradient.narrow(0, from, length).times(1 / temperature);
                        carry(
                                logits,
                                normalizers,
                                weights,
                                targets.narrow(0, from, length),
                                chunk,
                                head,
                                hiddenGradient.narrow(0, from, length));
                    }
                }
            }
            if (hidden.hasGradientGraph()) {
                hidden.backward(hiddenGradient);
            }
        }
    }

    /// The mean negative log-likelihood, forward and backward in one pass: each chunk's logits are made once.
    ///
    /// @param denominator what the sum over targets is divided by, counted over the whole optimiser step, > 0
    /// @return `-(1/denominator) Σ log p(target)`, detached
    public static Tensor crossEntropyBackward(Tensor hidden, Tensor head, Tensor targets, double denominator) {
        return crossEntropyBackward(hidden, head, null, targets, denominator);
    }

    /// The same with something added to the logits.
    ///
    /// @param bias as in [#of]
    public static Tensor crossEntropyBackward(
            Tensor hidden, Tensor head, Tensor bias, Tensor targets, double denominator) {
        requireFit(hidden, head, targets, 1);
        if (!(denominator > 0)) {
            throw new IllegalArgumentException("denominator must be > 0, was " + denominator);
        }
        try (Scope scope = new Scope()) {
            Tensor total = Creation.zeros(hidden.dtype(), hidden.device());
            Tensor hiddenGradient = hidden.zerosLike();
            try (var _ = Gradients.off()) {
                long n = targets.numel();
                for (long from = 0; from < n; from += rows(head)) {
                    long length = Math.min(rows(head), n - from);
                    try (Scope _ = new Scope()) {
                        Tensor chunk = hidden.narrow(0, from, length);
                        Tensor chosen = targets.narrow(0, from, length);
                        Tensor logits = logits(chunk, head, bias, 1);
                        Tensor normalizers = logits.logSumExp(-1);
                        Tensor logProbs =
                                logits.gather(1, chosen.unsqueeze(1)).squeeze(1).minus(normalizers);
                        InPlace.plus_(total, logProbs.sum(), -1 / denominator);
                        Tensor weights = Creation.full(-1 / denominator, hidden.dtype(), hidden.device(), length);
                        carry(
                                logits,
                                normalizers,
                                weights,
                                chosen,
                                chunk,
                                head,
                                hiddenGradient.narrow(0, from, length));
                    }
                }
            }
            if (hidden.hasGradientGraph()) {
                hidden.backward(hiddenGradient);
            }
            return scope.keep(total);
        }
    }

    /// For `w · log softmax(logits)[target]`: the gradient of the logits is `w (onehot - softmax)`.
    private static void carry(
            Tensor logits,
            Tensor normalizers,
            Tensor weights,
            Tensor targets,
            Tensor hidden,
            Tensor head,
            Tensor hiddenGradient) {
        Tensor column = weights.unsqueeze(1);
        Tensor slope = InPlace.times_(InPlace.exp_(InPlace.minus_(logits, normalizers.unsqueeze(1))), column.neg());
        InPlace.scatterAdd_(slope, 1, targets.unsqueeze(1), column);
        carry(slope, hidden, head, hiddenGradient);
    }

    /// From the gradient of a chunk's logits to those of its hidden states and of the head.
    static void carry(Tensor slope, Tensor hidden, Tensor head, Tensor hiddenGradient) {
        InPlace.plusMatmul_(hiddenGradient, slope, head);
        if (head.hasGradientGraph()) {
            Tensor gathered = head.grad();
            if (gathered == null) {
                gathered = head.zerosLike();
                head.setGrad(gathered);
            }
            InPlace.plusMatmul_(gathered, slope.t(), hidden);
        }
    }

    static Tensor logits(Tensor hidden, Tensor head, Tensor bias, double temperature) {
        Tensor logits = hidden.matmul(head.t());
        if (bias != null) {
            InPlace.plus_(logits, bias);
        }
        return temperature == 1 ? logits : InPlace.times_(logits, 1 / temperature);
    }

    static long rows(Tensor head) {
        return Math.clamp(CHUNK_ELEMENTS / head.size(0), 16, 1024);
    }

    private static void requireFit(Tensor hidden, Tensor head, Tensor targets, double temperature) {
        if (hidden.dim() != 2
                || head.dim() != 2
                || targets.dim() != 1
                || hidden.size(1) != head.size(1)
                || hidden.size(0) != targets.size(0)
                || targets.dtype() != DType.INT64) {
            throw new IllegalArgumentException("hidden [N, H], head [V, H] and int64 targets [N] expected, were "
                    + hidden + ", " + head + " and " + targets);
        }
        if (!(temperature > 0 && temperature < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("temperature must be finite and > 0, was " + temperature);
        }
    }
}
