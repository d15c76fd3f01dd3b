package dev.kedge.objective.demonstration;

import dev.kedge.objective.Loss;
import dev.kedge.tensor.Creation;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Indexing;
import dev.kedge.tensor.Require;
import dev.kedge.tensor.Tensor;

/// Behaviour cloning from demonstrations without rewards, smoothed so that every action stays possible
/// (arXiv:2310.17303).
public final class BehaviorCloning {
    private BehaviorCloning() {}

    /// How often each action was demonstrated in each state at each step: `n_h(s, a)`, float64 `[H, S, A]`.
    ///
    /// @param states       visited by N demonstrations, int64 `[N, H]`, each in 0..S-1
    /// @param actions      taken there, int64 `[N, H]`, each in 0..A-1
    /// @param stateCount   S, at least 1; `actionCount` is A
    /// @throws IllegalArgumentException if shapes do not fit or an index is out of range
    public static Tensor counts(Tensor states, Tensor actions, long stateCount, long actionCount) {
        Require.dims("states", states, 2, "[N, H]");
        Require.sameShape("actions", actions, "states", states);
        requireWithin("states", states, stateCount);
        requireWithin("actions", actions, actionCount);
        long horizon = states.size(1);
        // In float64, exact up to 2^53: products of integers with a number are float32.
        Tensor step = Creation.arange(0, horizon, states.device()).to(DType.FLOAT64);
        Tensor cell = step.times(stateCount).plus(states).times(actionCount).plus(actions);
        Tensor flat = cell.reshape(-1);
        return Indexing.indexAdd(
                        Creation.zeros(DType.FLOAT64, states.device(), horizon * stateCount * actionCount),
                        0,
                        flat.to(DType.INT64),
                        flat.onesLike())
                .reshape(horizon, stateCount, actionCount);
    }

    /// `(n_h(s, a) + α)/(n_h(s) + α·A)`, `[H, S, A]`: where [#loss] is least. Uniform in states that were never seen.
    ///
    /// @param counts    `n_h(s, a)`, `[H, S, A]`
    /// @param smoothing α, finite and >= 0; 1 is Laplace's rule and the paper's
    /// @throws IllegalArgumentException if an argument is out of range
    public static Tensor policy(Tensor counts, double smoothing) {
        require(counts, smoothing);
        Tensor mass = counts.plus(smoothing);
        Tensor total = mass.sum(2, true);
        Tensor seen = total.gt(0);
        return mass.div(total).whereElse(seen, 1.0 / counts.size(2));
    }

    /// `Σ_h Σ_{s,a} (n_h(s, a) + α)·log 1/π_h(a|s)`: the log-likelihood of the demonstrations with a regulariser that
    /// counts every action α times more. A sum over all demonstrations, which are counted beforehand.
    ///
    /// @param logPolicy normalised over actions, nats, `[H, S, A]`; gradient flows, except where nothing counts
    /// @param counts    a constant of that shape
    /// @param smoothing α, finite and >= 0
    /// @return the loss; metrics `loss`, of each step and state, `[H, S]`
    /// @throws IllegalArgumentException if an argument is out of range or shapes differ
    public static Loss loss(Tensor logPolicy, Tensor counts, double smoothing) {
        require(counts, smoothing);
        Require.sameShape("logPolicy", logPolicy, "counts", counts);
        Tensor mass = counts.detach().plus(smoothing);
        Tensor perState = logPolicy.whereElse(mass.gt(0), 0).times(mass).sum(2).neg();
        return Loss.of(perState.sum()).with("loss", perState);
    }

    private static void require(Tensor counts, double smoothing) {
        Require.dims("counts", counts, 3, "[H, S, A]");
        Require.from("smoothing", smoothing, 0, Double.POSITIVE_INFINITY);
    }

    private static void requireWithin(String name, Tensor indices, long count) {
        if (count < 1 || indices.lt(0).anyTrue() || indices.ge(count).anyTrue()) {
            throw new IllegalArgumentException(name + " must lie in 0.." + (count - 1));
        }
    }
}
