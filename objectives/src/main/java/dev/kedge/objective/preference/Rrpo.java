package dev.kedge.objective.preference;

import dev.kedge.objective.Loss;
import dev.kedge.objective.divergence.ForwardKl;
import dev.kedge.objective.logprob.NextTokens;
import dev.kedge.tensor.Functional;
import dev.kedge.tensor.Require;
import dev.kedge.tensor.Tensor;
import java.util.Arrays;

/// Refined Regularized Preference Optimization (Sarkar et al. 2025, arXiv:2504.12083): DPO on the phrases in which
/// two answers differ, and a token-wise KL that holds the rest of the preferred answer to the reference.
///
/// `-(1/pairsInStep) Σ [log σ(m) - alpha·TKL(y_w)]`, where `m = beta·(Σ_phrases log π/π_ref of y_w - Σ_phrases of
/// y_l)` and `TKL(y_w) = Σ_t KL(π_ref(·|x, y_<t) ‖ π(·|x, y_<t))` over all tokens of y_w: the forward KL, a sum and
/// not a mean, so alpha shrinks with the length of answers. The rejected answer has no KL term. The project's page
/// prints alpha's sign the other way round, which would reward divergence; this is the sign of the authors' code.
///
/// Only the union of a response's phrases matters to the loss; their numbers serve reports. A pair without phrases
/// has `m = 0`: its loss is `log 2 + alpha·TKL` and it prefers nothing. One phrase that is the whole answer, with
/// `alpha = 0`, is [Dpo].
public final class Rrpo {
    private Rrpo() {}

    /// From sums over phrases, which [SequenceLogProbs#sum] makes of token log-probabilities and a mask of phrases,
    /// and from the KL, which [dev.kedge.objective.logprob.HeadDivergence] makes a few positions at a time.
    ///
    /// @param phrases     log-probabilities summed over the tokens of phrases only, `[B]`
    /// @param chosenKl    `TKL(y_w)`, nats, `[B]`; gradient flows
    /// @param beta        scale of the rewards, dimensionless, finite and > 0
    /// @param alpha       weight of the KL, dimensionless, finite and >= 0
    /// @param pairsInStep pairs in the whole optimizer step, at least B
    /// @return the loss; metrics as in [ImplicitRewards#loss], and `kl/chosen`, nats, `[B]`
    /// @throws IllegalArgumentException if shapes do not fit or a number is out of range
    public static Loss rrpo(PreferenceLogProbs phrases, Tensor chosenKl, double beta, double alpha, long pairsInStep) {
        Require.positive("beta", beta);
        return loss(ImplicitRewards.of(phrases, beta), chosenKl, alpha, pairsInStep);
    }

    /// From terms of tokens: rows `0..B-1` are preferred answers, row `B + i` the other answer of pair i.
    ///
    /// @param tokens      terms of `[2B, T]` tokens
    /// @param phrases     int64 `[2B, T]`: the number of the phrase that a token belongs to, from 1; below that, by
    ///                    custom 0, it belongs to none
    /// @param beta        as above, and `alpha` and `pairsInStep` likewise
    /// @return the loss; metrics as above, and `kl/rejected`
    /// @throws IllegalArgumentException if shapes do not fit, rows are odd, or a number is out of range
    public static Loss rrpo(Tokens tokens, Tensor phrases, double beta, double alpha, long pairsInStep) {
        Require.positive("beta", beta);
        Require.sameShape("phrases", phrases, "tokens", tokens.logRatios());
        long rows = phrases.size(0);
        if (rows % 2 != 0) {
            throw new IllegalArgumentException(
                    "rows must be preferred answers, then as many others, an even number; was " + rows);
        }
        long pairs = rows / 2;
        Tensor rewards = SequenceLogProbs.sum(tokens.logRatios(), phrases.gt(0)).times(beta);
        Tensor kl = tokens.kl().sum(1);
        var implicit = new ImplicitRewards(rewards.narrow(0, 0, pairs), rewards.narrow(0, pairs, pairs));
        return loss(implicit, kl.narrow(0, 0, pairs), alpha, pairsInStep)
                .with("kl/rejected", kl.narrow(0, pairs, pairs));
    }

    /// Terms of tokens.
    ///
    /// @param logRatios `log π(y_t|x, y_<t)/π_ref(y_t|x, y_<t)`, `[B, T]`; gradient flows
    /// @param kl        `KL(π_ref ‖ π)` of the next token given x, y_<t, nats, `[B, T]`, 0 where y_t is no token of
    ///                  the answer; gradient flows
    public record Tokens(Tensor logRatios, Tensor kl) {
        /// @throws IllegalArgumentException if the two are not matrices of one shape
        public Tokens {
            Require.dims("logRatios", logRatios, 2, "[B, T]");
            Require.sameShape("kl", kl, "logRatios", logRatios);
        }

        /// Of the tokens `targets[:, 1..T-1]`, each from the logits one position before it: `[B, T-1]`.
        ///
        /// The logits at the last position and the target at the first are not used. Where a target is
        /// ignored both terms are 0, whatever phrase is said to be there, and no gradient flows. Holds copies
        /// of the logits, so it is for small vocabularies.
        ///
        /// @param logits        of the policy, unnormalised, `[B, T, V]`; gradient flows
        /// @param refLogits     of the reference, a constant whatever graph it carries
        /// @param targets       token ids int64 `[B, T]`, each in 0..V-1 or `ignoredTarget`
        /// @param ignoredTarget the target of positions that do not count, customarily -100
        /// @throws IllegalArgumentException if shapes do not fit
        public static Tokens ofLogits(Tensor logits, Tensor refLogits, Tensor targets, long ignoredTarget) {
            Require.sameShape("refLogits", refLogits, "logits", logits);
            NextTokens policy = NextTokens.ofLogits(logits, targets, ignoredTarget);
            NextTokens ref = NextTokens.ofLogits(refLogits.detach(), targets, ignoredTarget);
            // Uniform under both models where nothing counts: there both terms are exactly 0.
            return new Tokens(
                    policy.ofTargets().minus(ref.ofTargets()),
                    new ForwardKl().categorical(policy.logProbs(), ref.logProbs()));
        }

        /// The log-ratio of each phrase: `[B, K]`, 0 where a row lacks it.
        ///
        /// @param phrases int64 `[B, T]`, numbers of phrases
        /// @param numbers the K numbers to sum over
        public Tensor phraseLogRatios(Tensor phrases, long... numbers) {
            Require.sameShape("phrases", phrases, "tokens", logRatios);
            return numbers.length == 0
                    ? logRatios.narrow(1, 0, 0)
                    : Tensor.stack(
                            Arrays.stream(numbers)
                                    .mapToObj(k -> SequenceLogProbs.sum(logRatios, phrases.eq(k)))
                                    .toList(),
                            1);
        }
    }

    private static Loss loss(ImplicitRewards rewards, Tensor chosenKl, double alpha, long pairsInStep) {
        Require.from("alpha", alpha, 0, Double.POSITIVE_INFINITY);
        Require.sameShape("chosenKl", chosenKl, "rewards", rewards.chosen());
        Tensor preference = Functional.logSigmoid(rewards.margin()).neg();
        return rewards.loss(preference.plus(chosenKl.times(alpha)), pairsInStep).with("kl/chosen", chosenKl);
    }
}
