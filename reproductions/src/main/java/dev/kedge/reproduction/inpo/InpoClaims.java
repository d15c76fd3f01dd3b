package dev.kedge.reproduction.inpo;

import static dev.kedge.lab.claim.Measure.measure;
import static dev.kedge.reproduction.inpo.InpoExperiments.ETA;
import static dev.kedge.reproduction.inpo.InpoExperiments.EXPLOITABILITY;
import static dev.kedge.reproduction.inpo.InpoExperiments.GAP;
import static dev.kedge.reproduction.inpo.InpoExperiments.PAPERS_ETA;

import dev.kedge.lab.claim.Claim;
import dev.kedge.lab.claim.Experiment;
import dev.kedge.reproduction.inpo.InpoExperiments.Method;
import dev.kedge.reproduction.inpo.InpoExperiments.Scale;
import java.util.ArrayList;
import java.util.List;

/// The claims of INPO (Zhang et al. 2024, arXiv:2407.00617). Of all measures less is better.
public final class InpoClaims {
    private static final String LAST = "log10 of the last iterate's regularised duality gap";
    private static final String ANY = "log10 of the regularised duality gap";
    private static final String WINS = "exploitability: what the best answer wins beyond one half";

    /// Five times smaller: log10 5.
    private static final double FIVEFOLD = 0.7;

    private InpoClaims() {}

    public static List<Claim> claims() {
        return claims(Scale.PUBLISHED);
    }

    public static List<Claim> claims(Scale scale) {
        var exact = InpoExperiments.exact(scale);
        var claims = new ArrayList<>(exact(exact));
        claims.addAll(steps(exact));
        claims.addAll(sampled(InpoExperiments.sampled(scale)));
        return claims;
    }

    private static List<Claim> exact(Experiment e) {
        var last = measure(e, LAST, "");
        var any = measure(e, ANY, "");
        var wins = measure(e, WINS, "");
        return List.of(
                last.claim("gap-self-play")
                        .says("INPO comes nearer to the regularised equilibrium than self-play without reference: its "
                                + "gap is at least five times smaller.")
                        .less(Method.INPO.arm(GAP, ETA), Method.SELF_PLAY.arm(GAP, ETA))
                        .by(FIVEFOLD),
                wins.claim("exploitability-self-play")
                        .says("INPO's last iterate is less exploitable in the bare game, too, than that of self-play "
                                + "without reference.")
                        .less(Method.INPO.arm(EXPLOITABILITY, ETA), Method.SELF_PLAY.arm(EXPLOITABILITY, ETA)),
                last.claim("gap-iterative-dpo")
                        .says("On preferences with cycles INPO comes nearer to the regularised equilibrium than "
                                + "iterative DPO.")
                        .less(Method.INPO.arm(GAP, ETA), Method.ITERATIVE_DPO.arm(GAP, ETA))
                        .by(FIVEFOLD),
                any.claim("last-against-average")
                        .says("INPO's last iterate is nearer to the regularised equilibrium than the average of its "
                                + "iterates, for which the regret bound holds.")
                        .less(Method.INPO.arm(GAP, ETA), Method.INPO.average(GAP, ETA)),
                wins.claim("average-of-self-play")
                        .says("Without reference the average of the iterates is less exploitable in the bare game "
                                + "than the last.")
                        .less(
                                Method.SELF_PLAY.average(EXPLOITABILITY, ETA),
                                Method.SELF_PLAY.arm(EXPLOITABILITY, ETA)));
    }

    /// Over the sweep of eta.
    private static List<Claim> steps(Experiment e) {
        var last = measure(e, LAST, "");
        return List.of(
                last.claim("gap-self-play-small-steps")
                        .says("With small steps, at eta 1.5, INPO's gap is at least five times smaller than that of "
                                + "self-play without reference.")
                        .less(Method.INPO.arm(GAP, 1.5), Method.SELF_PLAY.arm(GAP, 1.5))
                        .by(FIVEFOLD),
                last.claim("gap-self-play-papers-ratio")
                        .says("With large steps, at the paper's ratio tau/eta = 1/3, INPO's gap is at least five "
                                + "times smaller than that of self-play without reference.")
                        .less(Method.INPO.arm(GAP, PAPERS_ETA), Method.SELF_PLAY.arm(GAP, PAPERS_ETA))
                        .by(FIVEFOLD),
                last.claim("papers-ratio-comes-to-rest")
                        .says("At the paper's ratio tau/eta = 1/3 INPO's last iterate comes to the regularised "
                                + "equilibrium: to a gap below 0.001.")
                        .less(Method.INPO.arm(GAP, PAPERS_ETA), -3));
    }

    private static List<Claim> sampled(Experiment e) {
        var last = measure(e, LAST, "");
        var any = measure(e, ANY, "");
        return List.of(
                last.claim("sampled-gap-self-play")
                        .says("From drawn pairs and labels, too, INPO's gap is at least five times smaller than that "
                                + "of self-play without reference.")
                        .less(Method.INPO.arm(GAP, ETA), Method.SELF_PLAY.arm(GAP, ETA))
                        .by(FIVEFOLD),
                last.claim("sampled-gap-iterative-dpo")
                        .says("From drawn pairs and labels, too, INPO comes nearer to the regularised equilibrium "
                                + "than iterative DPO.")
                        .less(Method.INPO.arm(GAP, ETA), Method.ITERATIVE_DPO.arm(GAP, ETA))
                        .by(FIVEFOLD),
                any.claim("sampled-last-against-average")
                        .says("From drawn pairs and labels, too, INPO's last iterate is nearer to the regularised "
                                + "equilibrium than the average of its iterates.")
                        .less(Method.INPO.arm(GAP, ETA), Method.INPO.average(GAP, ETA)));
    }
}
