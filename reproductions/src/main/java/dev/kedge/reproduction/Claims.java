package dev.kedge.reproduction;

import dev.kedge.lab.claim.Claim;
import dev.kedge.reproduction.adpo.AdpoClaims;
import dev.kedge.reproduction.asft.AsftClaims;
import dev.kedge.reproduction.demoregrl.DemoRegRlClaims;
import dev.kedge.reproduction.drpo.DrpoClaims;
import dev.kedge.reproduction.egpo.EgpoClaims;
import dev.kedge.reproduction.fdpo.FDpoClaims;
import dev.kedge.reproduction.genarm.GenarmClaims;
import dev.kedge.reproduction.gtpo.GtpoClaims;
import dev.kedge.reproduction.hypo.HypoClaims;
import dev.kedge.reproduction.infalign.InfalignClaims;
import dev.kedge.reproduction.inpo.InpoClaims;
import dev.kedge.reproduction.lpreg.LpRegClaims;
import dev.kedge.reproduction.oreal.OrealClaims;
import dev.kedge.reproduction.proxies.CorrelatedProxiesClaims;
import dev.kedge.reproduction.recap.RecapClaims;
import dev.kedge.reproduction.rlklbayes.RlKlBayesClaims;
import dev.kedge.reproduction.rrpo.RrpoClaims;
import dev.kedge.reproduction.spine.SpineClaims;
import dev.kedge.reproduction.subnetworks.RlSubnetworksClaims;
import dev.kedge.reproduction.topr.ToprClaims;
import dev.kedge.reproduction.xpo.XpoClaims;
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
