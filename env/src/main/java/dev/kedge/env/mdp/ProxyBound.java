package dev.kedge.env.mdp;

import dev.kedge.tensor.Elementwise;
import dev.kedge.tensor.Require;
import dev.kedge.tensor.Tensor;

/// What optimising a proxy reward is worth under the true one (Laidlaw et al. 2024, "Correlated Proxies",
/// arXiv:2403.03185).
///
/// With mean J, standard deviation σ and correlation r of rewards under the reference's occupancy measure `μ_ref`, and
/// r > 0,
///
/// `(J(π, R) - J(ref, R))/σ_R >= (1/r)·[(J(π, R~) - J(ref, R~))/σ_R~ - sqrt((1 - r²)·χ²(μ_π||μ_ref))]`,
///
/// so that what to maximise is `J(π, R~) - λ·sqrt(χ²)` with `λ = σ_R~·sqrt(1 - r²)`. All are scalars; gradients flow to
/// the policy's measure only.
///
/// @param correlation of the two rewards under the reference, in [-1, 1]; the bound holds where it is > 0
/// @param sigmaTrue   standard deviation of the true reward, in its unit; `sigmaProxy` likewise
/// @param chiSquared  of the policy's measure from the reference's
/// @param gain        left side: what the policy gains of the true reward, in standard deviations
/// @param bound       right side: what it gains at least
/// @param lambda      the coefficient that the bound asks for
public record ProxyBound(
        Tensor correlation,
        Tensor sigmaTrue,
        Tensor sigmaProxy,
        Tensor chiSquared,
        Tensor gain,
        Tensor bound,
        Tensor lambda) {

    /// @param measure     occupancy measure of the policy, probabilities, `[S, A]` or any other shape; gradient flows
    /// @param reference   that of the reference policy, a constant of that shape
    /// @param trueReward  of that shape, not the same everywhere; `proxyReward` likewise
    /// @throws IllegalArgumentException if the shapes differ
    public static ProxyBound of(Tensor measure, Tensor reference, Tensor trueReward, Tensor proxyReward) {
        Require.sameShape("reference", reference, "measure", measure);
        Moments truth = Moments.of(reference.detach(), trueReward);
        Moments proxy = Moments.of(reference.detach(), proxyReward);
        Tensor covariance =
                reference.detach().times(truth.centred()).times(proxy.centred()).sum();
        Tensor correlation = covariance.div(truth.sigma()).div(proxy.sigma());
        Tensor unexplained = Elementwise.clampMin(correlation.square().neg().plus(1), 0);
        Tensor chiSquared = chiSquared(measure, reference);
        Tensor proxyGain = measure.times(proxy.centred()).sum().div(proxy.sigma());
        return new ProxyBound(
                correlation,
                truth.sigma(),
                proxy.sigma(),
                chiSquared,
                measure.times(truth.centred()).sum().div(truth.sigma()),
                proxyGain.minus(root(chiSquared.times(unexplained))).div(correlation),
                proxy.sigma().times(unexplained.sqrt()));
    }

    /// `J(π, R~) - lambda·sqrt(χ²(μ_π||μ_ref))`, a scalar to maximise. The root has no gradient where the measures are
    /// equal; it is taken as 0 there.
    ///
    /// @param measure     occupancy measure of the policy; gradient flows
    /// @param reference   that of the reference policy, a constant
    /// @param proxyReward of their shape
    /// @param lambda      in the unit of the reward, finite and >= 0
    /// @throws IllegalArgumentException if the shapes differ or lambda is out of range
    public static Tensor objective(Tensor measure, Tensor reference, Tensor proxyReward, double lambda) {
        Require.from("lambda", lambda, 0, Double.POSITIVE_INFINITY);
        Tensor proxy = DifferentiableOccupancy.expected(measure, proxyReward);
        return proxy.minus(root(chiSquared(measure, reference)).times(lambda));
    }

    private static Tensor chiSquared(Tensor measure, Tensor reference) {
        return DifferentiableOccupancy.chiSquared(measure.reshape(-1), reference.reshape(-1));
    }

    /// 0 with gradient 0 at 0, where that of the root is infinite.
    private static Tensor root(Tensor x) {
        Tensor positive = x.detach().gt(0);
        return x.whereElse(positive, 1).sqrt().whereElse(positive, 0);
    }

    /// A reward under the reference: less its mean, and its standard deviation.
    private record Moments(Tensor centred, Tensor sigma) {
        static Moments of(Tensor reference, Tensor reward) {
            Tensor centred = reward.detach().minus(DifferentiableOccupancy.expected(reference, reward));
            return new Moments(centred, reference.times(centred.square()).sum().sqrt());
        }
    }
}
