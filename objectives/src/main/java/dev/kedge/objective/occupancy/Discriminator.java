package dev.kedge.objective.occupancy;

import dev.kedge.objective.Loss;
import dev.kedge.tensor.Elementwise;
import dev.kedge.tensor.Functional;
import dev.kedge.tensor.Require;
import dev.kedge.tensor.Tensor;

/// Losses of a discriminator of states and actions that two policies visit (ORPO, arXiv:2403.03185).
///
/// Scores are large where the current policy visits more than the reference. With the two swapped, a penalty made of
/// them pays for what it should prevent.
///
/// Throughout, `current` holds the scores d(s, a) of steps of the current policy, `[n]`, and `reference` those of the
/// reference, `[m]`; gradient flows. Each has a mean of its own: `currentInStep` and `referenceInStep` count the steps
/// of the whole optimizer step, at least n and m. Metrics: `loss/current` `[n]` and `loss/reference` `[m]`. All throw
/// [IllegalArgumentException] if shapes do not fit or a denominator is too small.
public final class Discriminator {
    private static final double DECAY = 0.01;

    private Discriminator() {}

    /// `mean softplus(-d_cur) + mean softplus(d_ref)`, whose optimum is `d = log μ_cur/μ_ref`: for the KL and the
    /// χ² penalty.
    public static Loss logistic(Tensor current, Tensor reference, long currentInStep, long referenceInStep) {
        require(current, reference);
        return loss(Functional.softplus(current.neg()), Functional.softplus(reference), currentInStep, referenceInStep);
    }

    /// `mean tanh(-d_cur) + mean tanh(d_ref) + 0.01·(mean d_cur² + mean d_ref²)`: for the total variation, of which
    /// the sign of d is the penalty.
    public static Loss totalVariation(Tensor current, Tensor reference, long currentInStep, long referenceInStep) {
        require(current, reference);
        return loss(
                Elementwise.tanh(current.neg()).plus(current.square().times(DECAY)),
                Elementwise.tanh(reference).plus(reference.square().times(DECAY)),
                currentInStep,
                referenceInStep);
    }

    /// `mean d_ref - mean d_cur`: for the Wasserstein distance, with d itself as the penalty. It is the network that
    /// has to be Lipschitz, by clipped weights or a penalty on its gradient.
    public static Loss wasserstein(Tensor current, Tensor reference, long currentInStep, long referenceInStep) {
        require(current, reference);
        return loss(current.neg(), reference, currentInStep, referenceInStep);
    }

    private static void require(Tensor current, Tensor reference) {
        Require.dims("current", current, 1, "[n]");
        Require.dims("reference", reference, 1, "[m]");
    }

    private static Loss loss(Tensor current, Tensor reference, long currentInStep, long referenceInStep) {
        Require.denominator("currentInStep", currentInStep, current.size(0));
        Require.denominator("referenceInStep", referenceInStep, reference.size(0));
        Tensor value = current.sum().div(currentInStep).plus(reference.sum().div(referenceInStep));
        return Loss.of(value).with("loss/current", current).with("loss/reference", reference);
    }
}
