package dev.kedge.objective.demonstration;

import dev.kedge.objective.Require;
import dev.kedge.objective.divergence.ReverseKl;
import dev.kedge.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.BiFunction;

/// A Markov decision process of H steps with states and actions that can be enumerated. Everything has the step for its
/// first axis: a policy of one step is not that of another.
///
/// @param reward      of each step, state and action, [H, S, A]; gradient flows
/// @param transitions `P_h(s'|s, a)` at [h][s][a][s'], [H, S, A, S], a constant; finite at the last step too, after
///                    which nothing has value
public record FiniteHorizon(Tensor reward, Tensor transitions) {
    /// @throws IllegalArgumentException if the shapes do not fit
    public FiniteHorizon {
        Require.dims("reward", reward, 3, "[H, S, A]");
        long[] expected = {reward.size(0), reward.size(1), reward.size(2), reward.size(1)};
        if (transitions == null || !Arrays.equals(transitions.shape(), expected)) {
            throw new IllegalArgumentException("transitions must be [H, S, A, S] = " + Arrays.toString(expected)
                    + " as reward is [H, S, A], was "
                    + (transitions == null ? "missing" : Arrays.toString(transitions.shape())));
        }
        transitions = transitions.detach();
    }

    /// Action values, what they are worth, and the policy that goes with them.
    ///
    /// @param q         [H, S, A]
    /// @param v         [H, S]
    /// @param logPolicy log-probabilities of actions, nats, [H, S, A]
    public record Solution(Tensor q, Tensor v, Tensor logPolicy) {}

    /// The optimum of reward less `lambda` times the KL to a reference policy (arXiv:2310.17303):
    ///
    /// `Q = r + P·V`, `V = λ·log Σ_a ref·exp(Q/λ)`, `π ~ ref·exp(Q/λ)`, and 0 after the last step.
    ///
    /// The gradient of V in Q is π.
    ///
    /// @param logRef normalised over actions, nats, [H, S, A], a constant; `-Infinity` is allowed, not for all
    ///               actions
    /// @param lambda in units of reward per nat, finite and > 0
    /// @throws IllegalArgumentException if shapes differ or lambda is out of range
    public Solution regularised(Tensor logRef, double lambda) {
        Require.sameShape("logRef", logRef, "reward", reward);
        Tensor q = backwards((h, actions) -> softValue(actions, logRef.select(0, h), lambda));
        return new Solution(q, softValue(q, logRef, lambda), softPolicy(q, logRef, lambda));
    }

    /// The optimal values of the reward alone, [H, S].
    public Tensor optimal() {
        return backwards((_, actions) -> actions.amax(1, false)).amax(2, false);
    }

    /// The values of a policy for the reward alone, [H, S].
    ///
    /// @param policy probabilities of actions, [H, S, A]; gradient flows
    /// @throws IllegalArgumentException if the shapes differ
    public Tensor valuesOf(Tensor policy) {
        Require.sameShape("policy", policy, "reward", reward);
        Tensor q = backwards((h, actions) -> policy.select(0, h).times(actions).sum(1));
        return policy.times(q).sum(2);
    }

    /// `KL(π||other)` of the trajectories from each step and state on, nats, [H, S]: the KL of actions, summed over the
    /// states that the first policy visits.
    ///
    /// @param logPolicy normalised over actions, nats, [H, S, A]; gradient flows. `logOther` likewise
    /// @throws IllegalArgumentException if the shapes differ
    public Tensor trajectoryKl(Tensor logPolicy, Tensor logOther) {
        Require.sameShape("logPolicy", logPolicy, "reward", reward);
        Require.sameShape("logOther", logOther, "reward", reward);
        Tensor kl = new ReverseKl().categorical(logPolicy, logOther);
        Tensor perAction = kl.unsqueeze(2).expand(reward.shape());
        return new FiniteHorizon(perAction, transitions).valuesOf(logPolicy.exp());
    }

    /// Action values of every step, [H, S, A], from the last back to the first.
    ///
    /// @param value from a step and its action values, [S, A], to what they are worth, [S]
    private Tensor backwards(BiFunction<Integer, Tensor, Tensor> value) {
        List<Tensor> qs = new ArrayList<>();
        Tensor next = nothing();
        for (int h = (int) reward.size(0) - 1; h >= 0; h--) {
            qs.addFirst(actionValues(h, next));
            next = value.apply(h, qs.getFirst());
        }
        return Tensor.stack(qs, 0);
    }

    /// The values after the last step, [S].
    Tensor nothing() {
        return reward.detach().select(0, 0).select(1, 0).zerosLike();
    }

    /// `r_h + P_h·next`, [S, A].
    Tensor actionValues(int h, Tensor next) {
        Tensor expected = transitions.select(0, h).matmul(next.unsqueeze(1)).squeeze(2);
        return reward.select(0, h).plus(expected);
    }

    /// `λ·log Σ_a ref·exp(Q/λ)`, the largest of `E_p[Q] - λ·KL(p||ref)`: [..., S].
    static Tensor softValue(Tensor q, Tensor logRef, double lambda) {
        return tilted(q, logRef, lambda).logSumExp(-1).times(lambda);
    }

    /// `log π ~ ref·exp(Q/λ)`, where that is reached: [..., S, A].
    static Tensor softPolicy(Tensor q, Tensor logRef, double lambda) {
        return tilted(q, logRef, lambda).logSoftmax(-1);
    }

    private static Tensor tilted(Tensor q, Tensor logRef, double lambda) {
        Require.positive("lambda", lambda);
        return logRef.detach().plus(q.div(lambda));
    }
}
