package dev.kedge.env.mdp;

/// What a proxy that is correlated with the true reward promises of a policy (arXiv:2403.03185): with r > 0,
///
/// ```text
/// (J(π,R) - J(ref,R))/σ_R >= (1/r)·[(J(π,R~) - J(ref,R~))/σ_R~ - sqrt((1 - r²)·χ²(μ_π||μ_ref))]
/// ```
///
/// so that `J(π,R~) - strength·sqrt(χ²)` is what to maximise, with `strength = σ_R~·sqrt(1 - r²)`. Means, deviations
/// and correlation are over the reference's occupancy.
///
/// @param rewardDeviation σ_R
/// @param proxyDeviation  σ_R~
/// @param correlation     r
/// @param chiSquared      of the occupancies
/// @param gain            the left side: what the policy wins over the reference, in deviations
/// @param promised        the right side; means nothing unless r > 0
/// @param strength        of the regulariser that follows
/// @param objective       `J(π,R~) - strength·sqrt(χ²)`
public record ProxyBound(
        double rewardDeviation,
        double proxyDeviation,
        double correlation,
        double chiSquared,
        double gain,
        double promised,
        double strength,
        double objective) {
    /// @param reward true, [S][A]
    /// @param proxy  [S][A]
    /// @throws IllegalArgumentException if reward or proxy are the same wherever the reference goes: no correlation
    ///                                  is defined then
    public static ProxyBound of(Occupancy policy, Occupancy ref, double[][] reward, double[][] proxy) {
        double meanReward = ref.expectation(reward);
        double meanProxy = ref.expectation(proxy);
        double rewardDeviation = Math.sqrt(covariance(ref, reward, meanReward, reward, meanReward));
        double proxyDeviation = Math.sqrt(covariance(ref, proxy, meanProxy, proxy, meanProxy));
        if (!(rewardDeviation > 0 && proxyDeviation > 0)) {
            throw new IllegalArgumentException("reward and proxy must vary where the reference goes, their deviations"
                    + " were " + rewardDeviation + " and " + proxyDeviation);
        }
        double correlation = covariance(ref, reward, meanReward, proxy, meanProxy) / (rewardDeviation * proxyDeviation);
        double chiSquared = policy.chiSquared(ref);
        double unexplained = Math.sqrt(Math.max(0, 1 - correlation * correlation));
        double proxyGain = (policy.expectation(proxy) - meanProxy) / proxyDeviation;
        return new ProxyBound(
                rewardDeviation,
                proxyDeviation,
                correlation,
                chiSquared,
                (policy.expectation(reward) - meanReward) / rewardDeviation,
                (proxyGain - unexplained * Math.sqrt(chiSquared)) / correlation,
                proxyDeviation * unexplained,
                policy.expectation(proxy) - proxyDeviation * unexplained * Math.sqrt(chiSquared));
    }

    private static double covariance(Occupancy ref, double[][] x, double meanX, double[][] y, double meanY) {
        double sum = 0;
        for (int s = 0; s < x.length; s++) {
            for (int a = 0; a < x[s].length; a++) {
                sum += ref.mass()[s][a] * (x[s][a] - meanX) * (y[s][a] - meanY);
            }
        }
        return sum;
    }
}
