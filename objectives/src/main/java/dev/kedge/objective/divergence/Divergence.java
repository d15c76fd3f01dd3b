package dev.kedge.objective.divergence;

import dev.kedge.tensor.Tensor;

/// An f-divergence `D_f(P||Q) = E_Q[f(P/Q)]`: f is convex and `f(1) = 0`.
///
/// The names follow the use in policy learning, where P is the policy and Q its reference: [ReverseKl] is
/// `KL(P||Q)`. The three functions of a ratio work on plain numbers; the exact forms work on tensors and carry
/// gradients to all of their arguments.
public sealed interface Divergence permits BarrierDivergence, ChiSquared, TotalVariation {

    /// `f(u)` for `u >= 0`, by its limit at 0.
    ///
    /// @throws IllegalArgumentException if u is negative or NaN
    double f(double u);

    /// `f'(u)` for `u >= 0`, by its limit at 0, which may be `-Infinity`.
    ///
    /// @throws IllegalArgumentException if u is negative or NaN
    double derivative(double u);

    /// The values that `f'` takes on u > 0: where [#inverseDerivative] is defined.
    ///
    /// @throws UnsupportedOperationException if f' has no inverse
    Range derivativeRange();

    /// The u with `f'(u) = v`.
    ///
    /// @param v inside [#derivativeRange]
    /// @throws IllegalArgumentException      if v is outside, naming the range
    /// @throws UnsupportedOperationException if f' has no inverse
    double inverseDerivative(double v);

    /// The divergence of categorical distributions, summed over the last dimension: [...].
    ///
    /// Outcomes of probability 0 (log-probability `-Infinity`) are allowed; where the divergence is infinite, so
    /// is the result.
    ///
    /// @param logP normalised log-probabilities, nats, [..., V]; gradient flows
    /// @param logQ likewise, of the same shape; gradient flows
    /// @throws IllegalArgumentException if the shapes differ
    Tensor categorical(Tensor logP, Tensor logQ);

    /// The divergence of Gaussians with diagonal covariance over the last dimension, in closed form: [...].
    ///
    /// @param meanP   [..., D]; gradient flows, as through all arguments
    /// @param logStdP log of the standard deviation, [..., D]; `meanQ` and `logStdQ` likewise
    /// @throws IllegalArgumentException      if the shapes differ
    /// @throws UnsupportedOperationException if there is no closed form
    Tensor gaussian(Tensor meanP, Tensor logStdP, Tensor meanQ, Tensor logStdQ);

    /// An open interval, in which infinite bounds are allowed.
    record Range(double infimum, double supremum) {
        /// Whether `v` is inside.
        public boolean contains(double v) {
            return infimum < v && v < supremum;
        }
    }
}
