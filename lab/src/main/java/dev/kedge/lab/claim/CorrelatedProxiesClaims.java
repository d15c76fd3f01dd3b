package dev.kedge.lab.claim;

import java.util.List;

/// The claims of Correlated Proxies (Laidlaw et al. 2024, arXiv:2403.03185).
final class CorrelatedProxiesClaims {
    private CorrelatedProxiesClaims() {}

    static List<Claim> claims() {
        return ProxyRewardModelClaims.claims();
    }
}
