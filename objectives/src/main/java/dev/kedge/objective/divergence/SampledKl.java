package dev.kedge.objective.divergence;

import dev.kedge.tensor.Elementwise;
import dev.kedge.tensor.Require;
import dev.kedge.tensor.Tensor;

/// Estimates of `KL(P||Q)` from outcomes drawn from P, one per outcome; their mean over draws is the estimate.
///
/// With `d = log P/Q` at the outcome, they are Schulman's k1, k2, k3 ("Approximating KL divergence", 2020), and
/// [#unbiased], which is the one to take unless a paper asks for another. The value and the gradient of an
/// estimator are different questions. Differentiating a sampled value at fixed outcomes gives `E_P[∇k]` and
/// leaves out that P also chooses the outcomes, `E_P[k ∇log P]`:
///
/// | estimator | `E[value]` | `E[gradient in P at fixed outcomes]` | with the score-function part added |
/// |---|---|---|---|
/// | k1 | `KL(P‖Q)` | 0 | `∇KL(P‖Q)` |
/// | k2 | `E_P[d²]/2`, biased | `∇KL(P‖Q)` | `∇E_P[d²]/2`, biased |
/// | k3 | `KL(P‖Q)` | `∇KL(Q‖P)`: of the other KL | `∇KL(P‖Q)` |
/// | unbiased | `KL(P‖Q)` | `∇KL(P‖Q)` | do not add it: it is there |
///
/// k3 wants Q to have no mass outside the support of P. Shapes are free and the two must agree. An outcome is
/// one draw: for answers of many tokens pass log-probabilities summed over the answer. Token by token these
/// estimate the KL of each next-token distribution in the states visited, without the effect of a token on the
/// states after it.
public final class SampledKl {
    private SampledKl() {}

    /// `d`. High variance, and negative as often as not.
    ///
    /// @param logP log-probabilities of the outcomes under P, nats; gradient flows
    /// @param logQ under Q, of the same shape; gradient flows
    public static Tensor k1(Tensor logP, Tensor logQ) {
        Require.sameShape("logQ", logQ, "logP", logP);
        return logP.minus(logQ);
    }

    /// `d²/2`. Low variance.
    ///
    /// @param logP log-probabilities of the outcomes under P, nats; gradient flows
    /// @param logQ under Q, of the same shape; gradient flows
    public static Tensor k2(Tensor logP, Tensor logQ) {
        return k1(logP, logQ).square().times(0.5);
    }

    /// `exp(-d) - 1 + d`. Low variance near P = Q and never negative; overflows where Q is e^709 times P
    /// (float64).
    ///
    /// @param logP log-probabilities of the outcomes under P, nats; gradient flows
    /// @param logQ under Q, of the same shape; gradient flows
    public static Tensor k3(Tensor logP, Tensor logQ) {
        Tensor d = k1(logP, logQ);
        return Elementwise.expm1(d.neg()).plus(d);
    }

    /// The value of k3 with the gradient of the KL itself: `d·∇log P - ∇log Q` at each outcome.
    ///
    /// The gradient in P is what k3 gives when its score-function part is added, `k3·∇log P + ∇k3`, outcome by
    /// outcome; it is also k2's. That in Q, at outcomes that do not depend on Q, is k1's.
    ///
    /// @param logP log-probabilities of the outcomes under P, nats; gradient flows
    /// @param logQ under Q, of the same shape; gradient flows. Detach it where Q is a fixed reference
    public static Tensor unbiased(Tensor logP, Tensor logQ) {
        Tensor d = k1(logP, logQ).detach();
        Tensor surrogate = d.times(logP).minus(logQ);
        return k3(logP, logQ).detach().plus(surrogate).minus(surrogate.detach());
    }
}
