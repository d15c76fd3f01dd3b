package dev.kedge.reproduction.egpo;

import static dev.kedge.reproduction.egpo.EgpoExperiments.Method.EGPO;
import static dev.kedge.reproduction.egpo.EgpoExperiments.Method.IPO_1;
import static dev.kedge.reproduction.egpo.EgpoExperiments.Method.IPO_2;
import static dev.kedge.reproduction.egpo.EgpoExperiments.Method.NASH_MD;
import static dev.kedge.reproduction.egpo.EgpoExperiments.Method.NASH_MD_PG;

import dev.kedge.lab.claim.Claim;
import dev.kedge.lab.claim.Claim.Against;
import dev.kedge.lab.claim.Claim.Arm;
import dev.kedge.lab.claim.Claim.Direction;
import dev.kedge.lab.claim.Claim.Threshold;
import dev.kedge.lab.claim.Experiment;
import dev.kedge.reproduction.egpo.EgpoExperiments.Method;
import dev.kedge.reproduction.egpo.EgpoExperiments.Scale;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// The claims of EGPO (Zhou, Fazel and Du 2025, arXiv:2503.08942).
public final class EgpoClaims {
    private static final String LAST = "log10 of the last iterate's duality gap";

    private EgpoClaims() {}

    public static List<Claim> claims() {
        return claims(Scale.PUBLISHED);
    }

    public static List<Claim> claims(Scale scale) {
        var claims = new ArrayList<Claim>();
        claims.addAll(games(EgpoExperiments.games(scale)));
        claims.addAll(cycle(EgpoExperiments.cycle(scale)));
        claims.addAll(sampled(EgpoExperiments.sampled(scale)));
        return claims;
    }

    private static List<Claim> games(Experiment games) {
        var claims = new ArrayList<Claim>();
        for (var m : List.of(IPO_1, IPO_2, NASH_MD)) {
            claims.add(less(
                    games,
                    "gradients-" + dashed(m),
                    "Weakly regularised, EGPO comes nearer to the equilibrium than " + m.title()
                            + " in as many gradients.",
                    EGPO.arm(EgpoExperiments.SAME),
                    m.arm(EgpoExperiments.SAME)));
        }
        claims.add(less(
                games,
                "updates-online-ipo-1",
                "Weakly regularised, EGPO comes nearer to the equilibrium than online IPO 1 in as many updates.",
                EGPO.arm(EgpoExperiments.HALF),
                IPO_1.arm(EgpoExperiments.HALF)));
        for (var m : List.of(IPO_1, IPO_2, NASH_MD, NASH_MD_PG)) {
            claims.add(less(
                    games,
                    "best-rates-" + dashed(m),
                    "Weakly regularised and each at its best learning rate, EGPO comes nearer to the equilibrium than "
                            + m.title() + " in as many gradients.",
                    EGPO.arm(EgpoExperiments.BEST),
                    m.arm(EgpoExperiments.BEST)));
        }
        claims.addAll(regularisation(games));
        claims.addAll(convergence(games));
        return claims;
    }

    private static List<Claim> regularisation(Experiment games) {
        return List.of(
                less(
                        games,
                        "strong-updates-online-ipo-1",
                        "Strongly regularised, EGPO comes nearer to the equilibrium than online IPO 1 in as many "
                                + "updates.",
                        EGPO.arm(EgpoExperiments.HELD_HALF),
                        IPO_1.arm(EgpoExperiments.HELD_HALF)),
                less(
                        games,
                        "strong-gradients-online-ipo-1",
                        "Strongly regularised, EGPO comes nearer to the equilibrium than online IPO 1 in as many "
                                + "gradients.",
                        EGPO.arm(EgpoExperiments.HELD),
                        IPO_1.arm(EgpoExperiments.HELD)),
                claim(
                        games,
                        "advantage-grows",
                        "The weaker the regularisation, the larger EGPO's advantage over online IPO 1.",
                        "powers of ten between the gaps after as many gradients",
                        new Arm("beta 0.01", EgpoExperiments.ADVANTAGE + " at beta 0.01"),
                        Direction.MORE,
                        new Arm("beta 0.1", EgpoExperiments.ADVANTAGE + " at beta 0.1")));
    }

    private static List<Claim> convergence(Experiment games) {
        return List.of(
                claim(
                        games,
                        "last-against-average",
                        "EGPO's last iterate is nearer to the equilibrium than the average of its iterates.",
                        "log10 of the duality gap",
                        EGPO.arm(EgpoExperiments.SAME),
                        Direction.LESS,
                        EGPO.average(EgpoExperiments.SAME)),
                claim(
                        games,
                        "last-against-their-average",
                        "EGPO's last iterate is nearer to the equilibrium than the average of online IPO 1's iterates.",
                        "log10 of the duality gap",
                        EGPO.arm(EgpoExperiments.SAME),
                        Direction.LESS,
                        IPO_1.average(EgpoExperiments.SAME)),
                claim(
                        games,
                        "linear",
                        "The log of the gap of EGPO's last iterate falls along a straight line.",
                        "R² of the log gap on the number of updates",
                        EGPO.arm(EgpoExperiments.STRAIGHT),
                        Direction.MORE,
                        new Threshold(0.95)),
                claim(
                        games,
                        "linear-rate",
                        "The gap of EGPO's last iterate falls by the factor 1 - ηβ an update, or faster.",
                        "rate of the log gap, in multiples of log(1 - ηβ)",
                        EGPO.arm(EgpoExperiments.RATE),
                        Direction.MORE,
                        new Threshold(1)),
                claim(
                        games,
                        "online-ipo-1-stalls",
                        "Weakly regularised, the gap of online IPO 1 falls by less than the factor 1 - ηβ an update.",
                        "rate of the log gap, in multiples of log(1 - ηβ)",
                        IPO_1.arm(EgpoExperiments.RATE),
                        Direction.LESS,
                        new Threshold(1)));
    }

    private static List<Claim> cycle(Experiment cycle) {
        return List.of(
                claim(
                        cycle,
                        "cycle-egpo",
                        "In rock, scissors, paper EGPO comes to the equilibrium: to a gap below 0.001.",
                        LAST,
                        EGPO.arm(EgpoExperiments.CYCLE),
                        Direction.LESS,
                        new Threshold(-3)),
                claim(
                        cycle,
                        "cycle-online-ipo-1",
                        "In rock, scissors, paper online IPO 1 stays away from the equilibrium: at a gap above 0.1.",
                        LAST,
                        IPO_1.arm(EgpoExperiments.CYCLE),
                        Direction.MORE,
                        new Threshold(-1)),
                less(
                        cycle,
                        "cycle-nash-md",
                        "In rock, scissors, paper EGPO comes nearer to the equilibrium than Nash-MD in as many "
                                + "gradients.",
                        EGPO.arm(EgpoExperiments.CYCLE),
                        NASH_MD.arm(EgpoExperiments.CYCLE)));
    }

    private static List<Claim> sampled(Experiment sampled) {
        return List.of(
                less(
                        sampled,
                        "sampled-online-ipo-1",
                        "With gradients from samples too, EGPO comes nearer to the equilibrium than online IPO 1.",
                        EGPO.arm(EgpoExperiments.SAMPLED),
                        IPO_1.arm(EgpoExperiments.SAMPLED)),
                less(
                        sampled,
                        "sampled-best-rates-online-ipo-1",
                        "With gradients from samples and each at its best learning rate, EGPO comes nearer to the "
                                + "equilibrium than online IPO 1.",
                        EGPO.arm(EgpoExperiments.SAMPLED_BEST),
                        IPO_1.arm(EgpoExperiments.SAMPLED_BEST)),
                claim(
                        sampled,
                        "sampled-last-against-average",
                        "With gradients from samples too, EGPO's last iterate is nearer to the equilibrium than the "
                                + "average of its iterates.",
                        "log10 of the duality gap",
                        EGPO.arm(EgpoExperiments.SAMPLED_BEST),
                        Direction.LESS,
                        EGPO.average(EgpoExperiments.SAMPLED_BEST)));
    }

    private static String dashed(Method method) {
        return method.title().toLowerCase(Locale.ROOT).replace(' ', '-');
    }

    private static Claim less(Experiment experiment, String name, String statement, Arm method, Against against) {
        return claim(experiment, name, statement, LAST, method, Direction.LESS, against);
    }

    private static Claim claim(
            Experiment experiment,
            String name,
            String statement,
            String measure,
            Arm method,
            Direction direction,
            Against against) {
        return new Claim("egpo", name, statement, experiment, measure, "", method, direction, against, 0);
    }
}
