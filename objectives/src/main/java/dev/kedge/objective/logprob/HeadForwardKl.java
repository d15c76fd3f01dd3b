package dev.kedge.objective.logprob;

import dev.kedge.tensor.Gradients;
import dev.kedge.tensor.InPlace;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/// `KL(ref ‖ π)` of the next-token distributions of two models, over the whole vocabulary and through their heads,
/// a few positions at a time: the logits of all positions, [N, V], never exist at once.
///
/// The way back has two stages, as in [HeadLogProbs]; the reference is a constant. Where both are wanted of the
/// same hidden states, each with its own way back, give both a leaf and carry on from its gradient, since a graph
/// is walked only once:
///
/// ```java
/// Tensor leaf = hidden.detach().requiresGrad();
/// HeadLogProbs lp = HeadLogProbs.of(leaf, head, targets, 1.0);
/// HeadForwardKl kl = HeadForwardKl.of(leaf, head, refHidden, refHead);
/// loss(lp.values(), kl.values()).backward();
/// lp.backward();
/// kl.backward();
/// hidden.backward(leaf.grad());
/// ```
public final class HeadForwardKl {
    private final Tensor hidden;
    private final Tensor head;
    private final Tensor refHidden;
    private final Tensor refHead;
    private final Tensor logNormalizers;
    private final Tensor refLogNormalizers;
    private final Tensor values;

    private HeadForwardKl(
            Tensor hidden,
            Tensor head,
            Tensor refHidden,
            Tensor refHead,
            Tensor values,
            Tensor logNormalizers,
            Tensor refLogNormalizers) {
        this.hidden = hidden;
        this.head = head;
        this.refHidden = refHidden;
        this.refHead = refHead;
        this.values = values;
        this.logNormalizers = logNormalizers;
        this.refLogNormalizers = refLogNormalizers;
    }

    /// @param hidden    [N, H], the policy's state at each position
    /// @param head      [V, H]; a leaf or a constant
    /// @param refHidden [N, R], the reference's state at the same positions, a constant whatever graph it carries
    /// @param refHead   [V, R], likewise
    /// @throws IllegalArgumentException if shapes do not fit
    public static HeadForwardKl of(Tensor hidden, Tensor head, Tensor refHidden, Tensor refHead) {
        requireFit(hidden, head, refHidden, refHead);
        List<Tensor> divergences = new ArrayList<>();
        List<Tensor> normalizers = new ArrayList<>();
        List<Tensor> refNormalizers = new ArrayList<>();
        try (var _ = Gradients.off();
                Scope all = new Scope()) {
            long n = hidden.size(0);
            for (long from = 0; from < n; from += HeadLogProbs.rows(head)) {
                long length = Math.min(HeadLogProbs.rows(head), n - from);
                try (Scope chunk = new Scope()) {
                    Tensor logP = hidden.narrow(0, from, length).matmul(head.t());
                    Tensor logRef = refHidden.narrow(0, from, length).matmul(refHead.t());
                    Tensor normalizer = logP.logSumExp(-1);
                    Tensor refNormalizer = logRef.logSumExp(-1);
                    InPlace.minus_(logP, normalizer.unsqueeze(1));
                    InPlace.minus_(logRef, refNormalizer.unsqueeze(1));
                    // Log-ratios first: the difference of two large sums would lose a small KL to rounding.
                    Tensor logRatio = InPlace.times_(InPlace.minus_(logP, logRef), -1);
                    divergences.add(chunk.keep(
                            InPlace.times_(logRatio, InPlace.exp_(logRef)).sum(-1)));
                    normalizers.add(chunk.keep(normalizer));
                    refNormalizers.add(chunk.keep(refNormalizer));
                }
            }
            return new HeadForwardKl(
                    hidden,
                    head,
                    refHidden,
                    refHead,
                    all.keep(HeadLogProbs.joined(divergences, hidden)),
                    all.keep(HeadLogProbs.joined(normalizers, hidden)),
                    all.keep(HeadLogProbs.joined(refNormalizers, hidden)));
        }
    }

    /// The divergences as a leaf that gathers a gradient: nats, `[N]`.
    public Tensor values() {
        return hidden.hasGradientGraph() || head.hasGradientGraph() ? values.requiresGrad() : values;
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
            Tensor hiddenGradient = hidden.detach().zerosLike();
            try (var _ = Gradients.off()) {
                long n = hidden.size(0);
                for (long from = 0; from < n; from += HeadLogProbs.rows(head)) {
                    long length = Math.min(HeadLogProbs.rows(head), n - from);
                    try (Scope _ = new Scope()) {
                        Tensor chunk = hidden.narrow(0, from, length);
                        Tensor p = probabilities(chunk, head, logNormalizers.narrow(0, from, length));
                        Tensor ref = probabilities(
                                refHidden.narrow(0, from, length), refHead, refLogNormalizers.narrow(0, from, length));
                        Tensor weights = gradient.narrow(0, from, length).unsqueeze(1);
                        Tensor slope = InPlace.times_(
                                InPlace.minus_(p, ref), weights); // d KL(ref ‖ softmax(z))/dz = softmax(z) - ref
                        HeadLogProbs.carry(slope, chunk, head, hiddenGradient.narrow(0, from, length));
                    }
                }
            }
            if (hidden.hasGradientGraph()) {
                hidden.backward(hiddenGradient);
            }
        }
    }

    private static Tensor probabilities(Tensor hidden, Tensor head, Tensor logNormalizers) {
        return InPlace.exp_(InPlace.minus_(hidden.matmul(head.t()), logNormalizers.unsqueeze(1)));
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
