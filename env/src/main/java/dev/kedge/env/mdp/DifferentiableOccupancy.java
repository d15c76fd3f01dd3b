package dev.kedge.env.mdp;

import dev.kedge.tensor.Creation;
import dev.kedge.tensor.Linalg;
import dev.kedge.tensor.Require;
import dev.kedge.tensor.Tensor;
import java.util.Arrays;

/// Discounted occupancy measures of a finite Markov decision process, exactly.
///
/// `μ(s, a) = (1-γ) E[Σ_t γ^t 1{s_t = s, a_t = a}]`: probabilities, `[S, A]`, that add up to 1. The return of a policy,
/// normalised by `1-γ`, is `Σ μ·R`.
public final class DifferentiableOccupancy {
    private DifferentiableOccupancy() {}

    /// The occupancy measure of a policy, `[S, A]`: the solution of `d = (1-γ)·start + γ·P_πᵀ·d`, times the policy.
    ///
    /// @param transitions `P(s'|s, a)` at `[s][a][s']`, `[S, A, S]`, a constant
    /// @param start       distribution of the first state, `[S]`, a constant
    /// @param policy      `π(a|s)`, `[S, A]`; gradient flows
    /// @param gamma       discount, in [0, 1)
    /// @throws IllegalArgumentException if shapes do not fit or gamma is out of range
    public static Tensor measure(Tensor transitions, Tensor start, Tensor policy, double gamma) {
        Require.from("gamma", gamma, 0, 1);
        Require.dims("policy", policy, 2, "[S, A]");
        Require.dims("start", start, 1, "[S]");
        long states = policy.size(0);
        long[] cube = {states, policy.size(1), states};
        if (!Arrays.equals(transitions.shape(), cube) || start.size(0) != states) {
            throw new IllegalArgumentException("transitions must be [S, A, S] = " + Arrays.toString(cube)
                    + " and start [S] = [" + states + "] as policy is [S, A], were "
                    + Arrays.toString(transitions.shape()) + " and " + Arrays.toString(start.shape()));
        }
        Tensor chain = policy.unsqueeze(1).matmul(transitions.detach()).squeeze(1); // [s, s']
        Tensor index = Creation.arange(0, states, policy.device());
        Tensor identity = index.unsqueeze(0).eq(index.unsqueeze(1)).to(policy.dtype());
        Tensor visits = Linalg.solve(
                identity.minus(chain.t().times(gamma)), start.detach().times(1 - gamma));
        return policy.times(visits.unsqueeze(1));
    }

    /// `Σ μ·R`, a scalar; gradient flows to the measure.
    ///
    /// @param measure probabilities; `reward` has their shape
    /// @throws IllegalArgumentException if the shapes differ
    public static Tensor expected(Tensor measure, Tensor reward) {
        Require.sameShape("reward", reward, "measure", measure);
        return measure.times(reward.detach()).sum();
    }

    /// Pearson's `χ²(μ||ν) = Σ (μ-ν)²/ν`, summed over the last dimension: [...]. Infinite where ν lacks what μ has;
    /// what neither has counts nothing.
    ///
    /// @param measure   μ, probabilities, [..., n]; gradient flows
    /// @param reference ν, a constant of that shape
    /// @throws IllegalArgumentException if the shapes differ
    public static Tensor chiSquared(Tensor measure, Tensor reference) {
        Require.sameShape("reference", reference, "measure", measure);
        Tensor constant = reference.detach();
        Tensor neither = measure.detach().eq(0).and(constant.eq(0));
        Tensor square = measure.minus(constant).square();
        return square.div(constant.whereElse(neither.not(), 1)).sum(-1);
    }
}
