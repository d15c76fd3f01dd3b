package dev.kedge.recipe.policy;

import dev.kedge.nn.lm.Decoder;
import dev.kedge.objective.Loss;
import dev.kedge.objective.policy.Entropy;
import dev.kedge.run.Step;
import dev.kedge.run.StepMetrics;
import dev.kedge.tensor.Creation;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Gradients;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/// The completions of one optimiser step, before any gradient: what a method decides about the whole step is decided
/// from here. Every question has all its rewards.
///
/// Tensors belong to the scope that is open when they are asked for. Those of [#logProbs] and [#refLogProbs] take a
/// forward pass: they are computed once, and again only where that scope is closed.
public final class RolloutBatch {
    private final Rollouts rollouts;
    private final Decoder policy;
    private final Decoder reference;
    private final boolean onPolicy;
    private final int padId;
    private final int microBatchSize;
    private Tensor logProbs;
    private Tensor refLogProbs;
    private double logProbSeconds;

    /// @param reference      frozen, what the policy started from
    /// @param onPolicy       whether the policy that wrote the completions is the present one
    /// @param padId          fills batches
    /// @param microBatchSize questions of a forward pass with gradient, >= 1
    public RolloutBatch(
            Rollouts rollouts, Decoder policy, Decoder reference, boolean onPolicy, int padId, int microBatchSize) {
        this.rollouts = rollouts;
        this.policy = policy;
        this.reference = reference;
        this.onPolicy = onPolicy;
        this.padId = padId;
        this.microBatchSize = microBatchSize;
    }

    public Rollouts rollouts() {
        return rollouts;
    }

    public Decoder policy() {
        return policy;
    }

    public Decoder reference() {
        return reference;
    }

    /// Whether the policy that wrote the completions is the present one: all ratios are 1.
    public boolean isOnPolicy() {
        return onPolicy;
    }

    /// P, the denominator of losses a question.
    public long questions() {
        return rollouts.questions().size();
    }

    /// P·G, the denominator of losses a completion.
    public long completions() {
        return rollouts.completions().size();
    }

    /// The denominator of losses a token; at least 1.
    public long tokens() {
        return Math.max(1, rollouts.tokens());
    }

    /// `[P, G]`, float64.
    public Tensor rewards() {
        return rollouts.rewards();
    }

    /// Boolean `[P·G, T]`, T the longest completion: where tokens are that are learnt from.
    public Tensor mask() {
        return rollouts.mask().to(policy.device());
    }

    /// `log π` of every token under the policy that wrote them, nats, `[P·G, T]`, 0 where masked.
    public Tensor oldLogProbs() {
        return rollouts.logProbs().to(policy.device());
    }

    /// The entropies of the distributions that the tokens were drawn from, likewise.
    public Tensor entropies() {
        return rollouts.entropies().to(policy.device());
    }

    /// The entropies of the present policy's distributions, at the sampler's temperature, nats, `[P·G, T]`, 0 where
    /// masked, without gradient. Off policy it takes a pass, and holds logits of a micro-batch whole.
    public Tensor presentEntropies() {
        return onPolicy
                ? entropies()
                : gathered(microBatch -> Entropy.ofLogits(microBatch.logits(policy), microBatch.mask()));
    }

    /// `log π` of every token under the present policy, nats, `[P·G, T]`, 0 where masked, without gradient.
    public Tensor logProbs() {
        if (!isKept(logProbs)) {
            logProbs = onPolicy ? oldLogProbs() : gathered(microBatch -> microBatch.logProbs(policy));
        }
        return logProbs;
    }

    /// The same under the reference.
    public Tensor refLogProbs() {
        if (!hasRefLogProbs()) {
            refLogProbs = gathered(microBatch -> microBatch.logProbs(reference));
        }
        return refLogProbs;
    }

    boolean hasRefLogProbs() {
        return isKept(refLogProbs);
    }

    private static boolean isKept(Tensor values) {
        return values != null && values.isOpen();
    }

    /// What each micro-batch gives, `[B, T]`, as one, without gradient.
    private Tensor gathered(Function<MicroBatch, Tensor> values) {
        long start = System.nanoTime();
        Tensor all = Creation.zeros(DType.FLOAT32, policy.device(), completions(), rollouts.width());
        try (var _ = Gradients.off()) {
            forEach(microBatch -> microBatch.put(values.apply(microBatch), all));
        }
        logProbSeconds += (System.nanoTime() - start) / 1e9;
        return all;
    }

    private MicroBatch microBatch(int from) {
        int to = (int) Math.min(from + microBatchSize, questions());
        return new MicroBatch(this, from, rollouts.at(IntStream.range(from, to).toArray()), padId);
    }

    private IntStream starts() {
        return IntStream.iterate(0, from -> from < questions(), from -> from + microBatchSize);
    }

    /// Shows each micro-batch that has tokens to learn from, in a scope of its own.
    public void forEach(Consumer<MicroBatch> visit) {
        starts().forEach(from -> {
            try (Scope _ = new Scope()) {
                MicroBatch microBatch = microBatch(from);
                if (!microBatch.isEmpty()) {
                    visit.accept(microBatch);
                }
            }
        });
    }

    /// The step that a learner makes of this batch. Its metrics are means over the batch by name: `loss`, the method's
    /// own, and, on policy alone, by how much sampler and trainer differ ([SamplerAgreement][dev.kedge.run]).
    /// Without questions there is nothing to learn: it has no parts then.
    public Step step(Learner learner) {
        if (questions() == 0) {
            return Step.of(List.of());
        }
        Function<MicroBatch, Loss> loss = learner.loss(this);
        return Step.of(starts().mapToObj(from -> (Supplier<StepMetrics>) () -> gradient(microBatch(from), loss))
                .toList());
    }

    private StepMetrics gradient(MicroBatch microBatch, Function<MicroBatch, Loss> method) {
        StepMetrics metrics = new StepMetrics();
        if (microBatch.isEmpty()) {
            return metrics.add("loss", 0);
        }
        Loss loss = method.apply(microBatch);
        loss.value().backward();
        microBatch.backward();
        metrics.add("loss", loss.value().item());
        loss.metrics().forEach((name, values) -> {
            if (!name.equals("loss")) {
                metrics.mean(name, values.to(DType.FLOAT64).sum().item(), values.numel());
            }
        });
        return onPolicy ? microBatch.agreement().on(metrics) : metrics;
    }

    /// Seconds that log-probs without gradient took.
    public double logProbSeconds() {
        return logProbSeconds;
    }
}
