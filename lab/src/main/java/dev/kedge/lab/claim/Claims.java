package dev.kedge.lab.claim;

import java.util.List;

/// The claims by paper: an explicit list.
public final class Claims {
    private Claims() {}

    /// The slugs of the papers that have claims.
    public static final List<String> PAPERS = List.of(
            "f-dpo",
            "adpo",
            "rrpo",
            "hypo",
            "xpo",
            "inpo",
            "egpo",
            "asft",
            "recap",
            "drpo",
            "gtpo",
            "oreal",
            "topr",
            "lp-reg",
            "spine",
            "genarm",
            "infalign",
            "correlated-proxies",
            "rl-kl-bayes",
            "rl-subnetworks",
            "demo-reg-rl");

    /// The claims of a paper; none where it has none yet.
    public static List<Claim> of(String paper) {
        return switch (paper) {
            case "f-dpo" -> FDpoClaims.claims();
            case "adpo" -> AdpoClaims.claims();
            case "rrpo" -> RrpoClaims.claims();
            case "hypo" -> HypoClaims.claims();
            case "xpo" -> XpoClaims.claims();
            case "inpo" -> InpoClaims.claims();
            case "egpo" -> EgpoClaims.claims();
            case "asft" -> AsftClaims.claims();
            case "recap" -> RecapClaims.claims();
            case "drpo" -> DrpoClaims.claims();
            case "gtpo" -> GtpoClaims.claims();
            case "oreal" -> OrealClaims.claims();
            case "topr" -> ToprClaims.claims();
            case "lp-reg" -> LpRegClaims.claims();
            case "spine" -> SpineClaims.claims();
            case "genarm" -> GenarmClaims.claims();
            case "infalign" -> InfalignClaims.claims();
            case "correlated-proxies" -> CorrelatedProxiesClaims.claims();
            case "rl-kl-bayes" -> RlKlBayesClaims.claims();
            case "rl-subnetworks" -> RlSubnetworksClaims.claims();
            case "demo-reg-rl" -> DemoRegRlClaims.claims();
            default -> List.of();
        };
    }
}
