package dev.kedge.objective.divergence;

import dev.kedge.tensor.Tensor;

/// An f-divergence with `f'(u) → -∞` as `u → 0`, so that no outcome of the reference ever loses all of its
/// probability.
///
/// Of these alone the optimum of reward less `beta·D_f(P||Q)` fulfils `reward = beta·f'(P/Q) + constant` at every
/// outcome, on which f-DPO rests (arXiv:2309.16240). Others, such as [ChiSquared], have 0 in the
/// domain of f': the multiplier of `P >= 0` does not vanish and the constant does not cancel.
public sealed interface BarrierDivergence extends Divergence
        permits ReverseKl, ForwardKl, JensenShannon, AlphaDivergence {

    /// The score `s(x) = f'(e^x)`, up to a constant that each variant names.
    ///
    /// @param logRatio `x = log P/Q`, nats, any shape; gradient flows
    Tensor score(Tensor logRatio);
}
