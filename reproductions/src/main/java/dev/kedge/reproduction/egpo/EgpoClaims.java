package dev.kedge.reproduction.egpo;

import static dev.kedge.lab.claim.Measure.measure;
import static dev.kedge.reproduction.egpo.EgpoExperiments.ADVANTAGE;
import static dev.kedge.reproduction.egpo.EgpoExperiments.BEST;
import static dev.kedge.reproduction.egpo.EgpoExperiments.CYCLE;
import static dev.kedge.reproduction.egpo.EgpoExperiments.HALF;
import static dev.kedge.reproduction.egpo.EgpoExperiments.HELD;
import static dev.kedge.reproduction.egpo.EgpoExperiments.HELD_HALF;
import static dev.kedge.reproduction.egpo.EgpoExperiments.RATE;
import static dev.kedge.reproduction.egpo.EgpoExperiments.SAME;
import static dev.kedge.reproduction.egpo.EgpoExperiments.SAMPLED;
import static dev.kedge.reproduction.egpo.EgpoExperiments.SAMPLED_BEST;
import static dev.kedge.reproduction.egpo.EgpoExperiments.STRAIGHT;

import dev.kedge.lab.claim.Claim;
import dev.kedge.lab.claim.Claim.Arm;
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
        var last = measure(games, LAST, "");
        var claims = new ArrayList<Claim>();
        for (var m : List.of(Method.IPO_1, Method.IPO_2, Method.NASH_MD)) {
            claims.add(last.claim("gradients-" + dashed(m))
                    .says("Weakly regularised, EGPO comes nearer to the equilibrium than " + m.title()
                            + " in as many gradients.")
                    .less(Method.EGPO.arm(SAME), m.arm(SAME)));
        }
        claims.add(last.claim("updates-online-ipo-1")
                .says("Weakly regularised, EGPO comes nearer to the equilibrium than online IPO 1 in as many "
                        + "updates.")
                .less(Method.EGPO.arm(HALF), Method.IPO_1.arm(HALF)));
        for (var m : List.of(Method.IPO_1, Method.IPO_2, Method.NASH_MD, Method.NASH_MD_PG)) {
            claims.add(last.claim("best-rates-" + dashed(m))
                    .says("Weakly regularised and each at its best learning rate, EGPO comes nearer to the "
                            + "equilibrium than " + m.title() + " in as many gradients.")
                    .less(Method.EGPO.arm(BEST), m.arm(BEST)));
        }
        claims.addAll(regularisation(games));
        claims.addAll(convergence(games));
        return claims;
    }

    private static List<Claim> regularisation(Experiment games) {
        var last = measure(games, LAST, "");
        return List.of(
                last.claim("strong-updates-online-ipo-1")
                        .says("Strongly regularised, EGPO comes nearer to the equilibrium than online IPO 1 in as "
                                + "many updates.")
                        .less(Method.EGPO.arm(HELD_HALF), Method.IPO_1.arm(HELD_HALF)),
                last.claim("strong-gradients-online-ipo-1")
                        .says("Strongly regularised, EGPO comes nearer to the equilibrium than online IPO 1 in as "
                                + "many gradients.")
                        .less(Method.EGPO.arm(HELD), Method.IPO_1.arm(HELD)),
                measure(games, "powers of ten between the gaps after as many gradients", "")
                        .claim("advantage-grows")
                        .says("The weaker the regularisation, the larger EGPO's advantage over online IPO 1.")
                        .more(
                                new Arm("beta 0.01", ADVANTAGE + " at beta 0.01"),
                                new Arm("beta 0.1", ADVANTAGE + " at beta 0.1")));
    }

    private static List<Claim> convergence(Experiment games) {
        var gap = measure(games, "log10 of the duality gap", "");
        var rate = measure(games, "rate of the log gap, in multiples of log(1 - ηβ)", "");
        return List.of(
                gap.claim("last-against-average")
                        .says("EGPO's last iterate is nearer to the equilibrium than the average of its iterates.")
                        .less(Method.EGPO.arm(SAME), Method.EGPO.average(SAME)),
                gap.claim("last-against-their-average")
                        .says("EGPO's last iterate is nearer to the equilibrium than the average of online IPO 1's "
                                + "iterates.")
                        .less(Method.EGPO.arm(SAME), Method.IPO_1.average(SAME)),
                measure(games, "R² of the log gap on the number of updates", "")
                        .claim("linear")
                        .says("The log of the gap of EGPO's last iterate falls along a straight line.")
                        .more(Method.EGPO.arm(STRAIGHT), 0.95),
                rate.claim("linear-rate")
                        .says("The gap of EGPO's last iterate falls by the factor 1 - ηβ an update, or faster.")
                        .more(Method.EGPO.arm(RATE), 1),
                rate.claim("online-ipo-1-stalls")
                        .says("Weakly regularised, the gap of online IPO 1 falls by less than the factor 1 - ηβ an "
                                + "update.")
                        .less(Method.IPO_1.arm(RATE), 1));
    }

    private static List<Claim> cycle(Experiment cycle) {
        var last = measure(cycle, LAST, "");
        return List.of(
                last.claim("cycle-egpo")
                        .says("In rock, scissors, paper EGPO comes to the equilibrium: to a gap below 0.001.")
                        .less(Method.EGPO.arm(CYCLE), -3),
                last.claim("cycle-online-ipo-1")
                        .says("In rock, scissors, paper online IPO 1 stays away from the equilibrium: at a gap above "
                                + "0.1.")
                        .more(Method.IPO_1.arm(CYCLE), -1),
                last.claim("cycle-nash-md")
                        .says("In rock, scissors, paper EGPO comes nearer to the equilibrium than Nash-MD in as many "
                                + "gradients.")
                        .less(Method.EGPO.arm(CYCLE), Method.NASH_MD.arm(CYCLE)));
    }

    private static List<Claim> sampled(Experiment sampled) {
        var last = measure(sampled, LAST, "");
        return List.of(
                last.claim("sampled-online-ipo-1")
                        .says("With gradients from samples too, EGPO comes nearer to the equilibrium than online IPO "
                                + "1.")
                        .less(Method.EGPO.arm(SAMPLED), Method.IPO_1.arm(SAMPLED)),
                last.claim("sampled-best-rates-online-ipo-1")
                        .says("With gradients from samples and each at its best learning rate, EGPO comes nearer to "
                                + "the equilibrium than online IPO 1.")
                        .less(Method.EGPO.arm(SAMPLED_BEST), Method.IPO_1.arm(SAMPLED_BEST)),
                measure(sampled, "log10 of the duality gap", "")
                        .claim("sampled-last-against-average")
                        .says("With gradients from samples too, EGPO's last iterate is nearer to the equilibrium than "
                                + "the average of its iterates.")
                        .less(Method.EGPO.arm(SAMPLED_BEST), Method.EGPO.average(SAMPLED_BEST)));
    }

    private static String dashed(Method method) {
        return method.title().toLowerCase(Locale.ROOT).replace(' ', '-');
    }
}
