package dev.kedge.recipe.policy;

import dev.kedge.data.TokenBatch;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.objective.Loss;
import dev.kedge.objective.logprob.HeadLogProbs;
import dev.kedge.objective.policy.Entropy;
import dev.kedge.tensor.Creation;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Gradients;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.IntStream;

/// The completions of one optimiser step, before any gradient: what a method decides about the whole step is decided
/// from here. Every question has all its rewards.
///
/// Tensors belong to the scope that is open when they are asked for, but for those of [#logProbs] and [#refLogProbs],
/// which the step owns.
public final class RolloutBatch implements AutoCloseable {
    private final Rollouts draw;
    private final Decoder policy;
    private final Decoder reference;
    private final boolean onPolicy;
    private final int padId;
    private final int questionsAPart;
    private Tensor logProbs;
    private Tensor refLogProbs;
    private double logProbSeconds;

    /// @param reference      frozen, what the policy started from
    /// @param onPolicy       whether the policy that drew the completions is the present one
    /// @param padId          fills batches
    /// @param questionsAPart questions of a forward pass with gradient, >= 1
    public RolloutBatch(
            Rollouts draw, Decoder policy, Decoder reference, boolean onPolicy, int padId, int questionsAPart) {
        this.draw = draw;
        this.policy = policy;
        this.reference = reference;
        this.onPolicy = onPolicy;
        this.padId = padId;
        this.questionsAPart = questionsAPart;
    }

    public Rollouts draw() {
        return draw;
    }

    public Decoder policy() {
        return policy;
    }

    public Decoder reference() {
        return reference;
    }

    /// Whether the policy that drew the completions is the present one: all ratios are 1.
    public boolean isOnPolicy() {
        return onPolicy;
    }

    /// P, the denominator of losses a question.
    public long questions() {
        return draw.questions().size();
    }

    /// P·G, the denominator of losses a completion.
    public long completions() {
        return draw.completions().size();
    }

    /// The denominator of losses a token; at least 1.
    public long tokens() {
        return Math.max(1, draw.tokens());
    }

    /// [P, G], float64.
    public Tensor rewards() {
        return draw.rewards();
    }

    /// Boolean [P·G, T], T the longest completion: where tokens are that are learnt from.
    public Tensor mask() {
        int width = width();
        boolean[] mask = new boolean[(int) completions() * width];
        for (int i = 0; i < completions(); i++) {
            Arrays.fill(mask, i * width, i * width + draw.learnt(i), true);
        }
        return Tensor.mask(mask, completions(), width).to(policy.device());
    }

    /// `log π` of every token under the policy that drew them, nats, [P·G, T], 0 where masked.
    public Tensor oldLogProbs() {
        return matrix(draw.completions().stream().map(c -> c.logProbs()).toList());
    }

    /// The entropies of the distributions that the tokens were drawn from, likewise.
    public Tensor entropies() {
        return matrix(draw.completions().stream().map(c -> c.entropies()).toList());
    }

    /// The entropies of the present policy's distributions, at the temperature of the draw, nats, [P·G, T], 0 where
    /// masked, without gradient. Off policy it takes a pass, and holds logits of a part whole.
    public Tensor presentEntropies() {
        return onPolicy ? entropies() : gathered(part -> Entropy.ofLogits(part.logits(policy), part.mask()));
    }

    private Tensor matrix(List<float[]> rows) {
        int width = width();
        float[] values = new float[rows.size() * width];
        for (int i = 0; i < rows.size(); i++) {
            System.arraycopy(rows.get(i), 0, values, i * width, draw.learnt(i));
        }
        return Tensor.of(values, rows.size(), width).to(policy.device());
    }

    private int width() {
        return IntStream.range(0, (int) completions()).map(draw::learnt).max().orElse(1);
    }

    /// `log π` of every token under the present policy, nats, [P·G, T], 0 where masked, without gradient.
    public Tensor logProbs() {
        if (logProbs == null) {
            logProbs = onPolicy ? oldLogProbs().unscoped() : of(policy).unscoped();
        }
        return logProbs;
    }

    /// The same under the reference.
    public Tensor refLogProbs() {
        if (refLogProbs == null) {
            refLogProbs = of(reference).unscoped();
        }
        return refLogProbs;
    }

    private Tensor of(Decoder model) {
        return gathered(part -> part.logProbs(model));
    }

    /// What each part gives, [B, T], as one, without gradient.
    private Tensor gathered(Function<MicroBatch, Tensor> values) {
        long start = System.nanoTime();
        Tensor all = Creation.zeros(DType.FLOAT32, policy.device(), completions(), width());
        try (var _ = Gradients.off()) {
            forEach(part -> part.put(values.apply(part), all));
        }
        logProbSeconds += (System.nanoTime() - start) / 1e9;
        return all;
    }

    private MicroBatch part(int from) {
        int to = (int) Math.min(from + questionsAPart, questions());
        return new MicroBatch(this, from, draw.at(IntStream.range(from, to).toArray()), padId);
    }

    /// Shows each part that has tokens to learn from, in a scope of its own.
    public void forEach(Consumer<MicroBatch> visit) {
        for (int from = 0; from < questions(); from += questionsAPart) {
            try (Scope _ = new Scope()) {
                MicroBatch part = part(from);
                if (!part.isEmpty()) {
                    visit.accept(part);
                }
            }
        }
    }

    /// Adds the gradient of the step's loss to that of the policy, part by part.
    ///
    /// @return means over the step by name: `loss`, the step's; the method's own metrics; and `sampler/difference`,
    ///     the largest difference between a log-prob that the sampler reported and the trainer's, nats, on policy
    ///     alone
    public Map<String, Double> gradient(PolicyMethod.PartLoss method) {
        Map<String, Double> metrics = new LinkedHashMap<>();
        metrics.put("loss", 0.0);
        SequencedMap<String, Double> sums = new LinkedHashMap<>();
        Map<String, Long> counts = new LinkedHashMap<>();
        forEach(part -> {
            Loss loss = method.of(part);
            loss.value().backward();
            part.backward();
            metrics.merge("loss", loss.value().item(), Double::sum);
            loss.metrics().forEach((name, values) -> {
                if (!name.equals("loss")) {
                    sums.merge(name, values.to(DType.FLOAT64).sum().item(), Double::sum);
                    counts.merge(name, values.numel(), Long::sum);
                }
            });
            if (onPolicy) {
                metrics.merge("sampler/difference", part.samplerDifference(), Math::max);
            }
        });
        sums.forEach((name, sum) -> metrics.put(name, sum / counts.get(name)));
        return metrics;
    }

    /// Seconds that log-probs without gradient took.
    public double logProbSeconds() {
        return logProbSeconds;
    }

    @Override
    public void close() {
        for (Tensor owned : new Tensor[] {logProbs, refLogProbs}) {
            if (owned != null) {
                owned.close();
            }
        }
    }

    /// The log-probs of a batch's targets under a model, through its head, at the temperature of the draw.
    HeadLogProbs logProbs(Tensor states, Tensor head, TokenBatch rows) {
        return HeadLogProbs.of(states, head, rows.targetTokens(), draw.sampler().temperature());
    }
}
