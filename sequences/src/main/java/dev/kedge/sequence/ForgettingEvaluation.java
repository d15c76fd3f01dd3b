package dev.kedge.sequence;

import dev.kedge.data.TokenBatch;
import dev.kedge.data.Tokenized;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.objective.logprob.HeadDivergence;
import dev.kedge.objective.logprob.HeadLogProbs;
import dev.kedge.statistics.Bootstrap;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Gradients;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.util.List;
import java.util.Locale;

/// A policy on held-out sequences of what it learns and of what its base was made for.
public record ForgettingEvaluation(Scores task, Scores original) {
    /// A policy on some sequences, each value a mean over a sequence's targets.
    ///
    /// @param loss  nats a token
    /// @param right probability of the token that comes next
    /// @param kl    `KL(base ‖ policy)` of next-token distributions, nats a token, over the whole vocabulary
    public record Scores(double[] loss, double[] right, double[] kl) {}

    public static ForgettingEvaluation of(
            Decoder policy, Decoder base, List<Tokenized> task, List<Tokenized> original, int padId) {
        return new ForgettingEvaluation(scores(policy, base, task, padId), scores(policy, base, original, padId));
    }

    /// A policy on some sequences, and how far it is from its base there.
    public static Scores scores(Decoder policy, Decoder base, List<Tokenized> sequences, int padId) {
        int n = sequences.size();
        Scores all = new Scores(new double[n], new double[n], new double[n]);
        for (int i = 0; i < n; i++) {
            int targets = sequences.get(i).targets();
            try (var _ = Gradients.off();
                    Scope _ = new Scope()) {
                TokenBatch tokens =
                        TokenBatch.of(List.of(sequences.get(i)), padId, 1).to(policy.device());
                Tensor hidden = states(policy, tokens);
                Tensor logProbs = HeadLogProbs.of(hidden, policy.head(), policy.absent(), tokens.targetTokens(), 1)
                        .values();
                Tensor kl = HeadDivergence.forwardKl(
                                hidden,
                                policy.head(),
                                policy.absent(),
                                states(base, tokens),
                                base.head(),
                                base.absent())
                        .values();
                all.loss[i] = -sum(logProbs) / targets;
                all.right[i] = sum(logProbs.exp()) / targets;
                all.kl[i] = sum(kl) / targets;
            }
        }
        return all;
    }

    private static double sum(Tensor values) {
        return values.to(DType.FLOAT64).sum().item();
    }

    /// The states from which a batch's targets are predicted: `[N, H]`.
    public static Tensor states(Decoder model, TokenBatch tokens) {
        return model.hidden(tokens.tokens()).indexSelect(0, tokens.targetIndex());
    }

    public String words() {
        return String.format(
                Locale.ROOT,
                "task: loss %.3f, next token right %.1f %%; original: loss %.3f, KL %.4f nats a token",
                Bootstrap.mean(task.loss),
                100 * Bootstrap.mean(task.right),
                Bootstrap.mean(original.loss),
                Bootstrap.mean(original.kl));
    }
}
