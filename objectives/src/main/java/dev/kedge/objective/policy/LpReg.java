package dev.kedge.objective.policy;

import dev.kedge.objective.Loss;
import dev.kedge.objective.divergence.ReverseKl;
import dev.kedge.objective.divergence.SampledKl;
import dev.kedge.tensor.Elementwise;
import dev.kedge.tensor.Indexing;
import dev.kedge.tensor.Ordering;
import dev.kedge.tensor.Require;
import dev.kedge.tensor.Tensor;

/// Lp-Reg (arXiv:2510.03222): improbable tokens that the policy means are kept from being pushed out by what went wrong
/// after them.
///
/// A [#proxy] of the policy leaves out what is so improbable that it is noise. Of the tokens with a negative advantage,
/// the least probable of the step, up to [#threshold], are pulled up to their probability under the proxy, if they
/// are in it and below it. The advantages are those of [Grpo]; there is no KL to a reference.
///
/// With the proxy of the policy itself, one step after the draw, the pull is only `-log` of the mass that the proxy
/// keeps: it slows the loss of a token and cannot bring it back. The proxy's source is the caller's choice: the policy
/// that drew the tokens (as the authors), the present one, a frozen start or a moving average.
public final class LpReg {
    private LpReg() {}

    /// `log π_proxy`, normalised over what is kept, `-Infinity` elsewhere: `[B, T, V]`, a constant. Kept is what has at
    /// least kappa times the probability of the likeliest token.
    ///
    /// @param logits unnormalised, `[B, T, V]`; a constant whatever graph they carry
    /// @param kappa  dimensionless, in [0, 1], customarily 0.02; 0 keeps all, 1 the likeliest, with its equals
    /// @throws IllegalArgumentException if shapes do not fit or kappa is out of range
    public static Tensor proxy(Tensor logits, double kappa) {
        Require.dims("logits", logits, 3, "[B, T, V]");
        if (!(kappa >= 0 && kappa <= 1)) {
            throw new IllegalArgumentException("kappa must be in [0, 1], was " + kappa);
        }
        Tensor fixed = logits.detach();
        Tensor kept = fixed.minus(fixed.amax(2, true)).ge(Math.log(kappa));
        return fixed.whereElse(kept, Double.NEGATIVE_INFINITY).logSoftmax(2);
    }

    /// [#proxy] at the tokens drawn, `[B, T]`: `-Infinity` where a token is filtered.
    ///
    /// @param tokens token ids, int64 `[B, T]`, each in 0..V-1 where `mask` is true, anything elsewhere
    /// @param mask   boolean `[B, T]`
    public static Tensor proxyLogProbs(Tensor logits, Tensor tokens, Tensor mask, double kappa) {
        Require.dims("tokens", tokens, 2, "[B, T]");
        Require.mask("mask", mask, "tokens", tokens);
        Tensor index = tokens.whereElse(mask, tokens.zerosLike()).unsqueeze(2);
        return proxy(logits, kappa).gather(2, index).squeeze(2);
    }

    /// The k-th smallest log-probability of the candidates, `k = floor(share·n)`; `-Infinity`, which selects none, if
    /// k is less than 2, as the authors have it.
    ///
    /// Counts over the whole step: its parts share one threshold. Reads tensors, and so waits for the device.
    ///
    /// @param logProbs   `log π` of the tokens, now, nats, of any shape
    /// @param candidates boolean, of the shape of logProbs: tokens of the completions with a negative
    ///                   advantage; for [#published] all tokens of the completions
    /// @param share      of the candidates, in [0, 1]
    /// @throws IllegalArgumentException if shapes do not fit or share is out of range
    public static double threshold(Tensor logProbs, Tensor candidates, double share) {
        Require.mask("candidates", candidates, "logProbs", logProbs);
        if (!(share >= 0 && share <= 1)) {
            throw new IllegalArgumentException("share must be in [0, 1], was " + share);
        }
        Tensor values = Indexing.maskedSelect(logProbs, candidates);
        long k = (long) (share * values.numel());
        return k < 2
                ? Double.NEGATIVE_INFINITY
                : Ordering.sort(values, 0, false)[0].select(0, k - 1).item();
    }

    /// What pulls improbable tokens up.
    ///
    /// @param proxyLogProbs `t = log π_proxy(o_t)`, nats, `[B, T]`; a constant whatever graph it carries
    /// @param threshold     log-probability up to which tokens are considered, nats, of [#threshold]
    /// @param beta          strength, dimensionless, finite and >= 0, customarily 1
    /// @param cap           nats, > 0: beyond it the pull has no gradient. The authors' is 10, which lets go of
    ///                      tokens that are e^2.5 times below the proxy; `Infinity` does not
    public record Pull(Tensor proxyLogProbs, double threshold, double beta, double cap) {
        /// @throws IllegalArgumentException if a number is out of range
        public Pull {
            Require.from("beta", beta, 0, Double.POSITIVE_INFINITY);
            if (!(cap > 0)) {
                throw new IllegalArgumentException("cap must be > 0, was " + cap);
            }
        }
    }

    /// `(1/tokensInStep) Σ_it l_it`, where l is that of [Dapo#dapo], and for pulled tokens
    /// `-A·ρ + beta·min(k3, cap)`, `k3 = exp(t - log π) - (t - log π) - 1`. This is the authors' code.
    ///
    /// Pulled are tokens with `A < 0`, `log π <= threshold` and `log π < t`. The gradient of the pull is
    /// `beta·(1 - exp(t - log π))`, in expectation over tokens that of `KL(π_proxy‖π)`.
    ///
    /// @param rollout      `[B, T]`
    /// @param advantages   `[B]`, or per token `[B, T]`; constants whatever graph they carry
    /// @param pull         see there
    /// @param clipLow      dimensionless, >= 0, customarily 1
    /// @param clipHigh     dimensionless, >= 0, customarily 9: with 1 below, ratios are bounded by [0, 10]
    /// @param tokensInStep completion tokens of the whole optimizer step, >= 1
    /// @return the loss; metrics as in [Surrogate#loss], as if nothing was pulled, and `pull/share` and `pull/kl`,
    ///         means over the tokens of a completion of being pulled and of k3, nats, `[B]`
    /// @throws IllegalArgumentException if shapes do not fit or a number is out of range
    public static Loss lpReg(
            Rollout rollout, Tensor advantages, Pull pull, double clipLow, double clipHigh, long tokensInStep) {
        Require.sameShape("proxyLogProbs", pull.proxyLogProbs, "logProbs", rollout.logProbs());
        Tensor logRatios = LogRatios.tokens(rollout);
        var clipped = Surrogate.clipped(rollout, logRatios, advantages, clipLow, clipHigh);
        var unclipped = Surrogate.unclipped(rollout, logRatios, advantages);
        Tensor proxy = pull.proxyLogProbs.detach();
        Tensor logProbs = rollout.logProbs();
        Tensor pulled = clipped.advantages()
                .lt(0)
                .and(logProbs.le(pull.threshold))
                .and(logProbs.lt(proxy)); // where masked, advantages are 0
        Tensor k3 = Elementwise.clampMax(
                SampledKl.k3(rollout.logProbs().whereElse(pulled, 0), proxy.whereElse(pulled, 0)), pull.cap);
        Tensor losses = unclipped.losses().plus(k3.times(pull.beta)).whereElse(pulled, clipped.losses());
        return clipped.loss(Aggregation.perToken(losses, rollout.mask(), tokensInStep))
                .with("pull/share", rollout.means(pulled))
                .with("pull/kl", rollout.means(k3));
    }

    /// `KL(π_proxy‖π)` over the vocabulary at each token, nats, `[B, T]`, 0 where masked; its gradient in the
    /// logit of v is `π(v) - π_proxy(v)`.
    ///
    /// @param logits      of the policy, unnormalised, `[B, T, V]`; gradient flows
    /// @param proxyLogits of the proxy's source, of the same shape; constants whatever graph they carry
    /// @param mask        boolean `[B, T]`
    /// @param kappa       as in [#proxy]
    /// @throws IllegalArgumentException if shapes do not fit or kappa is out of range
    public static Tensor kl(Tensor logits, Tensor proxyLogits, Tensor mask, double kappa) {
        Require.sameShape("proxyLogits", proxyLogits, "logits", logits);
        Tensor logP = Entropy.logProbs(logits, mask);
        // Uniform under both where masked: there the KL is exactly 0.
        Tensor logProxy = proxy(proxyLogits.whereElse(mask.unsqueeze(2), 0), kappa);
        return new ReverseKl().categorical(logProxy, logP);
    }

    /// The paper's Eq. (6): `(1/tokensInStep) Σ_it [-A·min(ρ, ratioCap) + beta·1[pulled]·KL(π_proxy‖π)]`. Pulled are
    /// tokens with `A < 0`, `log π <= threshold`, and kept by the proxy, though they may lie above it.
    ///
    /// @param rollout       `[B, T]`
    /// @param advantages    `[B]`, or per token `[B, T]`; constants whatever graph they carry
    /// @param proxyLogProbs `log π_proxy(o_t)`, `[B, T]`; a constant likewise
    /// @param kl            of [#kl], nats, `[B, T]`; gradient flows
    /// @param threshold     log-probability up to which tokens are considered, nats, over all tokens of the step
    /// @param beta          strength, dimensionless, finite and >= 0
    /// @param ratioCap      dimensionless, finite and > 0, customarily 10
    /// @param tokensInStep  completion tokens of the whole optimizer step, >= 1
    /// @return the loss; metrics as in [#lpReg], with ratios as capped
    /// @throws IllegalArgumentException if shapes do not fit or a number is out of range
    public static Loss published(
            Rollout rollout,
            Tensor advantages,
            Tensor proxyLogProbs,
            Tensor kl,
            double threshold,
            double beta,
            double ratioCap,
            long tokensInStep) {
        Require.sameShape("proxyLogProbs", proxyLogProbs, "logProbs", rollout.logProbs());
        Require.sameShape("kl", kl, "logProbs", rollout.logProbs());
        Require.from("beta", beta, 0, Double.POSITIVE_INFINITY);
        Require.positive("ratioCap", ratioCap);
        Tensor logRatios = Elementwise.clampMax(LogRatios.tokens(rollout), Math.log(ratioCap));
        var surrogate = Surrogate.unclipped(rollout, logRatios, advantages);
        Tensor pulled = surrogate
                .advantages()
                .lt(0)
                .and(rollout.logProbs().le(threshold))
                .and(proxyLogProbs.gt(Double.NEGATIVE_INFINITY));
        Tensor pull = kl.whereElse(pulled, 0);
        Tensor losses = surrogate.losses().plus(pull.times(beta));
        return surrogate
                .loss(Aggregation.perToken(losses, rollout.mask(), tokensInStep))
                .with("pull/share", rollout.means(pulled))
                .with("pull/kl", rollout.means(pull));
    }
}
