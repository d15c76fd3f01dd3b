package dev.kedge.objective.policy;

import dev.kedge.objective.Loss;
import dev.kedge.tensor.Require;
import dev.kedge.tensor.Tensor;
import java.util.function.BinaryOperator;

/// Outcome reward based learning (Lyu et al. 2025, arXiv:2502.06781): correct answers are cloned, wrong ones pushed
/// away with a reshaped reward, and the policy held to its start.
///
/// With a reward of right or wrong the best of n answers has, as n grows, the distribution of the correct ones, the
/// optimum as the strength of the KL goes to 0; cloning them is learning it. Where abstract and released code differ,
/// this is the code: wrong answers have their leave-one-out advantage as it is.
public final class Oreal {
    private Oreal() {}

    /// Sampled answers, all rows used.
    ///
    /// @param logProbs    `log π` of tokens, nats, `[B, T]`; gradient flows
    /// @param refLogProbs `log π_ref` of the policy before training, likewise, a constant
    /// @param mask        boolean `[B, T]`, true at the tokens of answers
    /// @param correct     boolean `[B]`: what the verifier found
    /// @param advantages  A of each answer in its whole group, such as [LeaveOneOut] of rewards +1 and -1:
    ///                    `[B]`, a constant; with such, A > 0 where correct and A < 0 elsewhere
    public record Answers(Tensor logProbs, Tensor refLogProbs, Tensor mask, Tensor correct, Tensor advantages) {
        /// @throws IllegalArgumentException if shapes or types do not fit
        public Answers {
            Require.dims("logProbs", logProbs, 2, "[B, T]");
            Require.sameShape("refLogProbs", refLogProbs, "logProbs", logProbs);
            Require.mask("mask", mask, "logProbs", logProbs);
            Require.sameShape("advantages", advantages, "the rows", logProbs.select(1, 0));
            Require.mask("correct", correct, "advantages", advantages);
        }
    }

    /// Weights of the three terms: dimensionless, finite and >= 0.
    ///
    /// @param correct c+, 1 in the paper's runs; `wrong` is c-, 0.5; `kl` is beta, 0.01
    public record Strengths(double correct, double wrong, double kl) {
        /// @throws IllegalArgumentException if one is out of range
        public Strengths {
            Require.from("correct", correct, 0, Double.POSITIVE_INFINITY);
            Require.from("wrong", wrong, 0, Double.POSITIVE_INFINITY);
            Require.from("kl", kl, 0, Double.POSITIVE_INFINITY);
        }
    }

    /// Tokens of the whole optimizer step.
    ///
    /// @param correct N+, those of correct answers, >= 0; `wrong` is N-. That masks hold no more is not checked:
    ///                counting would wait for the device
    public record StepTokens(long correct, long wrong) {
        /// @throws IllegalArgumentException if one is negative
        public StepTokens {
            if (correct < 0 || wrong < 0) {
                throw new IllegalArgumentException(
                        "tokens in the step must be >= 0, were " + correct + " correct and " + wrong + " wrong");
            }
        }
    }

    /// `(c+/N+) Σ_correct A Σ_t w_t·(-log π_t) - (c-/N-) Σ_wrong A Σ_t w_t·ρ_t + (beta/(N+ + N-)) Σ k_t`, where
    /// `ρ_t = π_t/sg(π_t)` has the value 1 and the gradient of log π. A sum over no tokens is 0.
    ///
    /// @param weights w of tokens, constants
    /// @param kl      k of tokens from log π and log π_ref, [dev.kedge.objective.divergence.SampledKl#k3] in the
    ///                paper's runs
    /// @return the loss; metrics, summed over an answer's tokens, `[B]`: `loss/correct`, which is `A Σ w·(-log π)`,
    ///         `loss/wrong`, which is `-A Σ w`, `kl`, nats, and `tokens`
    /// @throws IllegalArgumentException if shapes do not fit
    public static Loss oreal(
            Answers answers,
            TokenRewardModel.Weights weights,
            Strengths strengths,
            BinaryOperator<Tensor> kl,
            StepTokens tokens) {
        Tensor pull = answers.advantages().detach();
        return loss(answers, pull, weights, strengths, kl, tokens);
    }

    /// [#oreal] with 1 in place of the A of correct answers: likelihood alone.
    public static Loss plainCloning(
            Answers answers,
            TokenRewardModel.Weights weights,
            Strengths strengths,
            BinaryOperator<Tensor> kl,
            StepTokens tokens) {
        Tensor pull = answers.advantages().onesLike();
        return loss(answers, pull, weights, strengths, kl, tokens);
    }

    private static Loss loss(
            Answers answers,
            Tensor pull,
            TokenRewardModel.Weights weights,
            Strengths strengths,
            BinaryOperator<Tensor> kl,
            StepTokens tokens) {
        Require.sameShape("weights", weights.correct(), "logProbs", answers.logProbs());
        Tensor mask = answers.mask();
        Tensor isCorrect = answers.correct();
        Tensor logProbs = answers.logProbs().whereElse(mask, 0);
        Tensor ref = answers.refLogProbs().detach().whereElse(mask, 0);
        Tensor likelihood = sum(weights.correct().detach().times(logProbs), mask);
        Tensor ratio = logProbs.minus(logProbs.detach()).exp();
        Tensor kept = sum(weights.wrong().detach().times(ratio), mask);
        Tensor correct = pull.times(likelihood).neg().whereElse(isCorrect, 0);
        Tensor wrong = answers.advantages().detach().times(kept).neg().whereElse(isCorrect.not(), 0);
        Tensor divergence = sum(kl.apply(logProbs, ref), mask);
        Tensor value = correct.sum()
                .times(strengths.correct() / Math.max(1, tokens.correct()))
                .plus(wrong.sum().times(strengths.wrong() / Math.max(1, tokens.wrong())))
                .plus(divergence.sum().times(strengths.kl() / Math.max(1, tokens.correct() + tokens.wrong())));
        return Loss.of(value)
                .with("loss/correct", correct)
                .with("loss/wrong", wrong)
                .with("kl", divergence)
                .with("tokens", mask.to(logProbs.dtype()).sum(1));
    }

    private static Tensor sum(Tensor perToken, Tensor mask) {
        return perToken.whereElse(mask, 0).sum(1);
    }
}
