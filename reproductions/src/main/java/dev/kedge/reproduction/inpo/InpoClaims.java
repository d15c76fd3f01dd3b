package dev.kedge.reproduction.inpo;

import static dev.kedge.reproduction.inpo.InpoExperiments.ETA;
import static dev.kedge.reproduction.inpo.InpoExperiments.EXPLOITABILITY;
import static dev.kedge.reproduction.inpo.InpoExperiments.GAP;
import static dev.kedge.reproduction.inpo.InpoExperiments.Method.INPO;
import static dev.kedge.reproduction.inpo.InpoExperiments.Method.ITERATIVE_DPO;
import static dev.kedge.reproduction.inpo.InpoExperiments.Method.SELF_PLAY;
import static dev.kedge.reproduction.inpo.InpoExperiments.PAPERS_ETA;

import dev.kedge.lab.claim.Claim;
import dev.kedge.lab.claim.Claim.Against;
import dev.kedge.lab.claim.Claim.Arm;
import dev.kedge.lab.claim.Claim.Direction;
import dev.kedge.lab.claim.Claim.Threshold;
import dev.kedge.lab.claim.Experiment;
import dev.kedge.reproduction.inpo.InpoExperiments.Scale;
import java.util.ArrayList;
import java.util.List;

/// The claims of INPO (Zhang et al. 2024, arXiv:2407.00617).
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
        return List.of(
                claim(
                        e,
                        "gap-self-play",
                        "INPO comes nearer to the regularised equilibrium than self-play without reference: its gap "
                                + "is at least five times smaller.",
                        LAST,
                        INPO.arm(GAP, ETA),
                        SELF_PLAY.arm(GAP, ETA),
                        FIVEFOLD),
                claim(
                        e,
                        "exploitability-self-play",
                        "INPO's last iterate is less exploitable in the bare game, too, than that of self-play without "
                                + "reference.",
                        WINS,
                        INPO.arm(EXPLOITABILITY, ETA),
                        SELF_PLAY.arm(EXPLOITABILITY, ETA),
                        0),
                claim(
                        e,
                        "gap-iterative-dpo",
                        "On preferences with cycles INPO comes nearer to the regularised equilibrium than iterative "
                                + "DPO.",
                        LAST,
                        INPO.arm(GAP, ETA),
                        ITERATIVE_DPO.arm(GAP, ETA),
                        FIVEFOLD),
                claim(
                        e,
                        "last-against-average",
                        "INPO's last iterate is nearer to the regularised equilibrium than the average of its "
                                + "iterates, for which the regret bound holds.",
                        ANY,
                        INPO.arm(GAP, ETA),
                        INPO.average(GAP, ETA),
                        0),
                claim(
                        e,
                        "average-of-self-play",
                        "Without reference the average of the iterates is less exploitable in the bare game than "
                                + "the last.",
                        WINS,
                        SELF_PLAY.average(EXPLOITABILITY, ETA),
                        SELF_PLAY.arm(EXPLOITABILITY, ETA),
                        0));
    }

    /// Over the sweep of eta.
    private static List<Claim> steps(Experiment e) {
        return List.of(
                claim(
                        e,
                        "gap-self-play-small-steps",
                        "With small steps, at eta 1.5, INPO's gap is at least five times smaller than that of "
                                + "self-play without reference.",
                        LAST,
                        INPO.arm(GAP, 1.5),
                        SELF_PLAY.arm(GAP, 1.5),
                        FIVEFOLD),
                claim(
                        e,
                        "gap-self-play-papers-ratio",
                        "With large steps, at the paper's ratio tau/eta = 1/3, INPO's gap is at least five times "
                                + "smaller than that of self-play without reference.",
                        LAST,
                        INPO.arm(GAP, PAPERS_ETA),
                        SELF_PLAY.arm(GAP, PAPERS_ETA),
                        FIVEFOLD),
                claim(
                        e,
                        "papers-ratio-comes-to-rest",
                        "At the paper's ratio tau/eta = 1/3 INPO's last iterate comes to the regularised equilibrium: "
                                + "to a gap below 0.001.",
                        LAST,
                        INPO.arm(GAP, PAPERS_ETA),
                        new Threshold(-3),
                        0));
    }

    private static List<Claim> sampled(Experiment e) {
        return List.of(
                claim(
                        e,
                        "sampled-gap-self-play",
                        "From drawn pairs and labels, too, INPO's gap is at least five times smaller than that of "
                                + "self-play without reference.",
                        LAST,
                        INPO.arm(GAP, ETA),
                        SELF_PLAY.arm(GAP, ETA),
                        FIVEFOLD),
                claim(
                        e,
                        "sampled-gap-iterative-dpo",
                        "From drawn pairs and labels, too, INPO comes nearer to the regularised equilibrium than "
                                + "iterative DPO.",
                        LAST,
                        INPO.arm(GAP, ETA),
                        ITERATIVE_DPO.arm(GAP, ETA),
                        FIVEFOLD),
                claim(
                        e,
                        "sampled-last-against-average",
                        "From drawn pairs and labels, too, INPO's last iterate is nearer to the regularised "
                                + "equilibrium than the average of its iterates.",
                        ANY,
                        INPO.arm(GAP, ETA),
                        INPO.average(GAP, ETA),
                        0));
    }

    /// Of all measures less is better.
    private static Claim claim(
            Experiment experiment,
            String name,
            String statement,
            String measure,
            Arm method,
            Against against,
            double asked) {
        return new Claim("inpo", name, statement, experiment, measure, "", method, Direction.LESS, against, asked);
    }
}
