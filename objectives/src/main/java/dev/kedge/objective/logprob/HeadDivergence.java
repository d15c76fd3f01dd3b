package dev.kedge.objective.logprob;

import dev.kedge.tensor.Gradients;
import dev.kedge.tensor.InPlace;
import dev.kedge.tensor.Require;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BinaryOperator;

/// A divergence of the next-token distributions of two models, over the whole vocabulary and through their heads, a
/// few positions at a time: the logits of all positions, `[N, V]`, never exist at once.
///
/// The way back has two stages, as in [HeadLogProbs]; the reference is a constant. Where both are wanted of the
/// same hidden states, each with its own way back, give both a leaf and carry on from its gradient, since a graph
/// is walked only once:
///
/// ```java
/// Tensor leaf = hidden.detach().requiresGrad();
/// HeadLogProbs lp = HeadLogProbs.of(leaf, head, targets, 1.0);
/// HeadDivergence kl = HeadDivergence.forwardKl(leaf, head, refHidden, refHead);
/// loss(lp.values(), kl.values()).backward();
/// lp.backward();
/// kl.backward();
/// hidden.backward(leaf.grad());
/// ```
public final class HeadDivergence {
    private final Head policy;
    private final Head reference;
    private final Form form;
    private final Tensor values;

    private HeadDivergence(Head policy, Head reference, Form form, Tensor values) {
        this.policy = policy;
        this.reference = reference;
        this.form = form;
        this.values = values;
    }

    /// `KL(ref ‖ π)`, exactly 0 where the two agree.
    ///
    /// @param hidden    `[N, H]`, the policy's state at each position
    /// @param head      `[V, H]`; a leaf or a constant
    /// @param refHidden `[N, R]`, the reference's state at the same positions, a constant whatever graph it carries
    /// @param refHead   `[V, R]`, likewise
    /// @throws IllegalArgumentException if shapes do not fit
    public static HeadDivergence forwardKl(Tensor hidden, Tensor head, Tensor refHidden, Tensor refHead) {
        return forwardKl(hidden, head, null, refHidden, refHead, null);
    }

    /// The same with something added to the logits of each, see [HeadLogProbs#of].
    ///
    /// @param bias    `[V]`, a constant, or null
    /// @param refBias likewise
    public static HeadDivergence forwardKl(
            Tensor hidden, Tensor head, Tensor bias, Tensor refHidden, Tensor refHead, Tensor refBias) {
        return of(hidden, head, bias, refHidden, refHead, refBias, 1, new ForwardKl());
    }

    /// Any divergence, such as those of `objective.divergence` and `objective.distillation`.
    ///
    /// @param hidden      as above, and `head`, `refHidden` and `refHead` likewise
    /// @param temperature divides the logits of both, finite and > 0
    /// @param divergence  from normalised log-probabilities of policy and reference, nats, `[n, V]` each, to `[n]`;
    ///                    each row of its own, and with a gradient to the first
    /// @throws IllegalArgumentException if shapes do not fit or temperature is out of range
    public static HeadDivergence of(
            Tensor hidden,
            Tensor head,
            Tensor refHidden,
            Tensor refHead,
            double temperature,
            BinaryOperator<Tensor> divergence) {
        return of(hidden, head, null, refHidden, refHead, null, temperature, divergence);
    }

    /// The same with something added to the logits of each, as in [#forwardKl].
    public static HeadDivergence of(
            Tensor hidden,
            Tensor head,
            Tensor bias,
            Tensor refHidden,
            Tensor refHead,
            Tensor refBias,
            double temperature,
            BinaryOperator<Tensor> divergence) {
        return of(hidden, head, bias, refHidden, refHead, refBias, temperature, new Differentiated(divergence));
    }

    private static HeadDivergence of(
            Tensor hidden,
            Tensor head,
            Tensor bias,
            Tensor refHidden,
            Tensor refHead,
            Tensor refBias,
            double temperature,
            Form form) {
        requireFit(hidden, head, refHidden, refHead);
        Require.positive("temperature", temperature);
        List<Tensor> divergences = new ArrayList<>();
        List<Tensor> normalizers = new ArrayList<>();
        List<Tensor> refNormalizers = new ArrayList<>();
        try (var _ = Gradients.off();
                Scope all = new Scope()) {
            long n = hidden.size(0);
            for (long from = 0; from < n; from += HeadLogProbs.rows(head)) {
                long length = Math.min(HeadLogProbs.rows(head), n - from);
                try (Scope chunk = new Scope()) {
                    Tensor logP = HeadLogProbs.logits(hidden.narrow(0, from, length), head, bias, temperature);
                    Tensor logRef =
                            HeadLogProbs.logits(refHidden.narrow(0, from, length), refHead, refBias, temperature);
                    Tensor normalizer = logP.logSumExp(-1);
                    Tensor refNormalizer = logRef.logSumExp(-1);
                    InPlace.minus_(logP, normalizer.unsqueeze(1));
                    InPlace.minus_(logRef, refNormalizer.unsqueeze(1));
                    divergences.add(chunk.keep(form.values(logP, logRef)));
                    normalizers.add(chunk.keep(normalizer));
                    refNormalizers.add(chunk.keep(refNormalizer));
                }
            }
            return new HeadDivergence(
                    new Head(hidden, head, bias, temperature, all.keep(HeadLogProbs.joined(normalizers, hidden))),
                    new Head(
                            refHidden,
                            refHead,
                            refBias,
                            temperature,
                            all.keep(HeadLogProbs.joined(refNormalizers, hidden))),
                    form,
                    all.keep(HeadLogProbs.joined(divergences, hidden)));
        }
    }

    /// The divergences as a leaf that gathers a gradient: nats, `[N]`.
    public Tensor values() {
        boolean learns = policy.hidden().hasGradientGraph() || policy.head().hasGradientGraph();
        return learns ? values.requiresGrad() : values;
    }

    /// Carries the gradient of [#values] into the head's `grad` and on through the hidden states.
    ///
    /// @throws IllegalStateException if nothing has filled the gradient of the values
    public void backward() {
        try (Scope _ = new Scope()) {
            Tensor gradient = values.grad();
            if (gradient == null) {
                throw new IllegalStateException(
                        "backward of the loss comes first: the divergences have no gradient yet");
            }
            Tensor hidden = policy.hidden();
            Tensor hiddenGradient = hidden.detach().zerosLike();
            long n = hidden.size(0);
            for (long from = 0; from < n; from += HeadLogProbs.rows(policy.head())) {
                long length = Math.min(HeadLogProbs.rows(policy.head()), n - from);
                try (Scope _ = new Scope()) {
                    Tensor weights = gradient.narrow(0, from, length).times(1 / policy.temperature());
                    Tensor slope = form.slope(policy.logProbs(from, length), reference.logProbs(from, length));
                    try (var _ = Gradients.off()) {
                        HeadLogProbs.carry(
                                InPlace.times_(slope, weights.unsqueeze(1)),
                                hidden.narrow(0, from, length),
                                policy.head(),
                                hiddenGradient.narrow(0, from, length));
                    }
                }
            }
            if (hidden.hasGradientGraph()) {
                hidden.backward(hiddenGradient);
            }
        }
    }

    /// A model's states and head, and what normalises its logits.
    private record Head(Tensor hidden, Tensor head, Tensor bias, double temperature, Tensor logNormalizers) {
        /// Of `length` positions from `from` on, [length, V], without a graph.
        Tensor logProbs(long from, long length) {
            try (var _ = Gradients.off()) {
                Tensor logits = HeadLogProbs.logits(hidden.narrow(0, from, length), head, bias, temperature);
                Tensor normalizers = logNormalizers.narrow(0, from, length);
                return InPlace.minus_(logits, normalizers.unsqueeze(1));
            }
        }
    }

    /// A divergence and its derivative by the policy's logits, from log-probabilities `[n, V]` that it may overwrite.
    private sealed interface Form {
        Tensor values(Tensor logP, Tensor logRef);

        Tensor slope(Tensor logP, Tensor logRef);
    }

    private record ForwardKl() implements Form {
        @Override
        public Tensor values(Tensor logP, Tensor logRef) {
            // Log-ratios first: the difference of two large sums would lose a small KL to rounding.
            Tensor logRatio = InPlace.times_(InPlace.minus_(logP, logRef), -1);
            return InPlace.times_(logRatio, InPlace.exp_(logRef)).sum(-1);
        }

        @Override
        public Tensor slope(Tensor logP, Tensor logRef) {
            return InPlace.minus_(InPlace.exp_(logP), InPlace.exp_(logRef));
        }
    }

    private record Differentiated(BinaryOperator<Tensor> divergence) implements Form {
        @Override
        public Tensor values(Tensor logP, Tensor logRef) {
            return divergence.apply(logP, logRef);
        }

        @Override
        public Tensor slope(Tensor logP, Tensor logRef) {
            Tensor logits = logP.requiresGrad(); // log-probabilities are logits too
            divergence.apply(logits.logSoftmax(-1), logRef).sum().backward();
            return logits.grad();
        }
    }

    private static void requireFit(Tensor hidden, Tensor head, Tensor refHidden, Tensor refHead) {
        if (hidden.dim() != 2
                || head.dim() != 2
                || refHidden.dim() != 2
                || refHead.dim() != 2
                || hidden.size(1) != head.size(1)
                || refHidden.size(1) != refHead.size(1)
                || hidden.size(0) != refHidden.size(0)
                || head.size(0) != refHead.size(0)) {
            throw new IllegalArgumentException(
                    "hidden [N, H], head [V, H], refHidden [N, R] and refHead [V, R] expected, were " + hidden + ", "
                            + head + ", " + refHidden + " and " + refHead);
        }
    }
}
