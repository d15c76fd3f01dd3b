package dev.kedge.reproduction;

import dev.kedge.lab.claim.Claim;
import dev.kedge.reproduction.adpo.AdpoClaims;
import dev.kedge.reproduction.asft.AsftClaims;
import dev.kedge.reproduction.demoregrl.DemoRegRlClaims;
import dev.kedge.reproduction.drpo.DrpoClaims;
import dev.kedge.reproduction.egpo.EgpoClaims;
import dev.kedge.reproduction.fdpo.FDpoClaims;
import dev.kedge.reproduction.genarm.GenarmClaims;
import dev.kedge.reproduction.genarm.GenarmFrontClaims;
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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.function.Supplier;
import java.util.stream.Stream;

/// The claims by paper: an explicit list.
public final class Claims {
    private static final SequencedMap<String, Supplier<List<Claim>>> BY_PAPER = new LinkedHashMap<>();

    static {
        BY_PAPER.put("f-dpo", FDpoClaims::claims);
        BY_PAPER.put("adpo", AdpoClaims::claims);
        BY_PAPER.put("rrpo", RrpoClaims::claims);
        BY_PAPER.put("hypo", HypoClaims::claims);
        BY_PAPER.put("xpo", XpoClaims::claims);
        BY_PAPER.put("inpo", InpoClaims::claims);
        BY_PAPER.put("egpo", EgpoClaims::claims);
        BY_PAPER.put("asft", AsftClaims::claims);
        BY_PAPER.put("recap", RecapClaims::claims);
        BY_PAPER.put("drpo", DrpoClaims::claims);
        BY_PAPER.put("gtpo", GtpoClaims::claims);
        BY_PAPER.put("oreal", OrealClaims::claims);
        BY_PAPER.put("topr", ToprClaims::claims);
        BY_PAPER.put("lp-reg", LpRegClaims::claims);
        BY_PAPER.put("spine", SpineClaims::claims);
        BY_PAPER.put("genarm", () -> Stream.of(GenarmClaims.claims(), GenarmFrontClaims.claims())
                .flatMap(List::stream)
                .toList());
        BY_PAPER.put("infalign", InfalignClaims::claims);
        BY_PAPER.put("correlated-proxies", CorrelatedProxiesClaims::claims);
        BY_PAPER.put("rl-kl-bayes", RlKlBayesClaims::claims);
        BY_PAPER.put("rl-subnetworks", RlSubnetworksClaims::claims);
        BY_PAPER.put("demo-reg-rl", DemoRegRlClaims::claims);
    }

    /// The slugs of the papers that have claims.
    public static final List<String> PAPERS = List.copyOf(BY_PAPER.keySet());

    private Claims() {}

    /// The claims of a paper; none where it has none yet.
    public static List<Claim> of(String paper) {
        return BY_PAPER.getOrDefault(paper, List::of).get();
    }
}
