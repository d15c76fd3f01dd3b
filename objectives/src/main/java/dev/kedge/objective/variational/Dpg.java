package dev.kedge.objective.variational;

import dev.kedge.objective.Loss;
import dev.kedge.tensor.Require;
import dev.kedge.tensor.Tensor;

/// Distributional policy gradient: the forward KL from a target that is known up to its normaliser (Parshakova et al.
/// 2019; GDC, Khalifa et al. 2021; as the alternative to KL-regularised RL in Korbak et al. 2022, arXiv:2205.11275).
///
/// The target is `p = P/Z` with `P(x) = a(x)·b(x)`: a the prior, b a constraint in [0, 1], or `exp(Σ λ_i·φ_i(x))`, or
/// `exp(r(x)/beta)`, whose p is the posterior of [EvidenceBound]. Answers come from a proposal q, by exact sampling:
/// temperature 1 and the whole distribution, without dropout. `∇KL(p||π) = -(1/Z) E_q[(P/q)·∇log π]`.
///
/// Log-probabilities are those of whole answers, sums over tokens, nats, `[B]`, better in float64. `log P` may be
/// `-Infinity`: such an answer has the weight 0, whatever else it has.
public final class Dpg {
    private Dpg() {}

    /// `w = P/q`, a constant, `[B]`.
    ///
    /// @param logTarget   `log P = log a + log b`, unnormalised, `[B]`
    /// @param logProposal `log q`, finite, `[B]`
    /// @throws IllegalArgumentException if the two are not vectors of one length
    public static Tensor weights(Tensor logTarget, Tensor logProposal) {
        Require.dims("logTarget", logTarget, 1, "[B]");
        Require.sameShape("logProposal", logProposal, "logTarget", logTarget);
        return logTarget.detach().minus(logProposal.detach()).exp();
    }

    /// `w - Z·π/q`, a constant, `[B]`: the weights less a baseline, `P/π - Z` where the policy is the proposal. The
    /// gradient has the same mean, and no variance at all where the policy has reached the target.
    ///
    /// @param logProbs  `log π`, `[B]`; a constant here
    /// @param normaliser an estimate of Z, finite and > 0, such as the running mean of the weights
    /// @throws IllegalArgumentException if shapes differ or the normaliser is out of range
    public static Tensor advantages(Tensor logTarget, Tensor logProposal, Tensor logProbs, double normaliser) {
        Require.positive("normaliser", normaliser);
        Tensor importance = weights(logProbs, logProposal);
        return weights(logTarget, logProposal).minus(importance.times(normaliser));
    }

    /// `-(1/answersInStep) Σ w·log π`: Z is not divided out. Divide the weights by an estimate of it, lest the learning
    /// rate depend on the scale of the target.
    ///
    /// @param logProbs      `log π`, `[B]`; gradient flows, except where the weight is 0
    /// @param weights       from [#weights] or [#advantages], a constant, `[B]`
    /// @param answersInStep answers in the whole optimizer step, at least B
    /// @return the loss; metrics `[B]`: `loss` and `weight`
    /// @throws IllegalArgumentException if shapes differ or the denominator is too small
    public static Loss dpg(Tensor logProbs, Tensor weights, long answersInStep) {
        Require.dims("logProbs", logProbs, 1, "[B]");
        Require.sameShape("weights", weights, "logProbs", logProbs);
        Require.denominator("answersInStep", answersInStep, logProbs.size(0));
        Tensor constant = weights.detach();
        Tensor losses = logProbs.whereElse(constant.ne(0), 0).times(constant).neg();
        return Loss.of(losses.sum().div(answersInStep)).with("loss", losses).with("weight", constant);
    }
}
