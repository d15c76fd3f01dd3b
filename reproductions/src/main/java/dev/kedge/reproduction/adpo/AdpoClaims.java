package dev.kedge.reproduction.adpo;

import static dev.kedge.reproduction.adpo.AdpoExperiments.ALL;
import static dev.kedge.reproduction.adpo.AdpoExperiments.GAIN;
import static dev.kedge.reproduction.adpo.AdpoExperiments.MASS;
import static dev.kedge.reproduction.adpo.AdpoExperiments.Method.ALL_PAIRS;
import static dev.kedge.reproduction.adpo.AdpoExperiments.Method.LISTWISE;
import static dev.kedge.reproduction.adpo.AdpoExperiments.Method.ONE_PAIR;
import static dev.kedge.reproduction.adpo.AdpoExperiments.Method.SOFT_PAIRS;
import static dev.kedge.reproduction.adpo.AdpoExperiments.Method.UNANCHORED;
import static dev.kedge.reproduction.adpo.AdpoExperiments.TAU;
import static dev.kedge.reproduction.adpo.AdpoExperiments.TAUS;

import dev.kedge.lab.claim.Claim;
import dev.kedge.lab.claim.Claim.Against;
import dev.kedge.lab.claim.Claim.Arm;
import dev.kedge.lab.claim.Claim.Direction;
import dev.kedge.lab.claim.Claim.Threshold;
import dev.kedge.lab.claim.Experiment;
import dev.kedge.lab.plot.Quantity;
import dev.kedge.reproduction.adpo.AdpoDistillation.Anchor;
import dev.kedge.reproduction.adpo.NoisyBandit.Corruption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// The claims of ADPO (Wang 2025, arXiv:2510.18913).
public final class AdpoClaims {
    private AdpoClaims() {}

    public static List<Claim> claims() {
        return claims(AdpoExperiments.Scale.PUBLISHED, AdpoDistillation.Scale.PUBLISHED);
    }

    public static List<Claim> claims(AdpoExperiments.Scale bandits, AdpoDistillation.Scale distillation) {
        var experiment = AdpoExperiments.bandits(bandits);
        var claims = new ArrayList<>(corruptions(experiment));
        claims.addAll(temperatures(experiment));
        claims.addAll(equalDivergence(experiment));
        claims.addAll(distillation(AdpoDistillation.experiment(distillation)));
        return claims;
    }

    /// At one tau.
    private static List<Claim> corruptions(Experiment e) {
        var claims = new ArrayList<Claim>();
        for (var c : Corruption.values()) {
            claims.add(more(
                    e,
                    name("listwise-pair", c.title),
                    "With " + c.title + ", listwise ADPO puts more mass on the best action than DPO on one pair of "
                            + "each context.",
                    LISTWISE.arm(c.title, TAU),
                    ONE_PAIR.arm(c.title, TAU)));
            claims.add(more(
                    e,
                    name("listwise-all-pairs", c.title),
                    "With " + c.title + ", listwise ADPO puts more mass on the best action than DPO that sees the "
                            + "same rewards, as all pairs.",
                    LISTWISE.arm(c.title, TAU),
                    ALL_PAIRS.arm(c.title, TAU)));
        }
        claims.add(new Claim(
                "adpo",
                "twelve-percent",
                "Over the four corruptions, listwise ADPO gains at least 12 % over DPO on one pair.",
                e,
                "gain in mass on the best action, tau " + Quantity.number(TAU),
                "%",
                new Arm(LISTWISE.title, GAIN),
                Direction.MORE,
                new Threshold(0),
                0.12));
        claims.add(more(
                e,
                "soft-hard",
                "Soft pairs put more mass on the best action than hard pairs.",
                SOFT_PAIRS.arm(ALL, TAU),
                ALL_PAIRS.arm(ALL, TAU)));
        return claims;
    }

    /// Over the sweep.
    private static List<Claim> temperatures(Experiment e) {
        var claims = new ArrayList<Claim>();
        for (double tau : TAUS) {
            var at = "At tau " + Quantity.number(tau) + " and over the four corruptions, ";
            claims.add(more(
                    e,
                    name("listwise-pair-tau", Quantity.number(tau)),
                    at + "listwise ADPO puts more mass on the best action than DPO on one pair.",
                    LISTWISE.arm(ALL, tau),
                    ONE_PAIR.arm(ALL, tau)));
            claims.add(more(
                    e,
                    name("anchor-tau", Quantity.number(tau)),
                    at + "an anchor puts more mass on the best action than none.",
                    LISTWISE.arm(ALL, tau),
                    UNANCHORED.arm(ALL, tau)));
        }
        return claims;
    }

    private static List<Claim> equalDivergence(Experiment e) {
        var where = MASS + ", at equal KL, mean over corruptions";
        return List.of(
                claim(
                        e,
                        "listwise-pair-equal-kl",
                        "At equal KL from the reference, listwise ADPO puts more mass on the best action than DPO on "
                                + "one pair.",
                        where,
                        AdpoExperiments.atEqualKl(LISTWISE, ONE_PAIR),
                        AdpoExperiments.atEqualKl(ONE_PAIR, LISTWISE)),
                claim(
                        e,
                        "listwise-all-pairs-equal-kl",
                        "At equal KL from the reference, listwise ADPO puts more mass on the best action than DPO on "
                                + "all pairs.",
                        where,
                        AdpoExperiments.atEqualKl(LISTWISE, ALL_PAIRS),
                        AdpoExperiments.atEqualKl(ALL_PAIRS, LISTWISE)),
                claim(
                        e,
                        "anchor-equal-kl",
                        "At equal KL from the reference, an anchor puts more mass on the best action than none.",
                        where,
                        AdpoExperiments.atEqualKl(LISTWISE, UNANCHORED),
                        AdpoExperiments.atEqualKl(UNANCHORED, LISTWISE)));
    }

    private static List<Claim> distillation(Experiment e) {
        return List.of(
                nearer(
                        e,
                        "distillation-average",
                        "A student anchored at its moving average ends nearer to its teacher than without anchor.",
                        AdpoDistillation.LAST,
                        Anchor.AVERAGE),
                nearer(
                        e,
                        "distillation-average-on-the-way",
                        "Stopped when it is nearest to its teacher, too, a student anchored at its moving average is "
                                + "nearer than one without anchor.",
                        AdpoDistillation.LEAST,
                        Anchor.AVERAGE),
                nearer(
                        e,
                        "distillation-self",
                        "A student anchored at its start ends nearer to its teacher than without anchor.",
                        AdpoDistillation.LAST,
                        Anchor.SELF));
    }

    private static Claim nearer(Experiment e, String name, String statement, String measure, Anchor anchor) {
        return new Claim(
                "adpo",
                name,
                statement,
                e,
                measure,
                "nats",
                anchor.arm(measure),
                Direction.LESS,
                Anchor.UNIFORM.arm(measure),
                0);
    }

    private static Claim more(Experiment e, String name, String statement, Arm method, Against against) {
        return claim(e, name, statement, MASS, method, against);
    }

    private static Claim claim(
            Experiment e, String name, String statement, String measure, Arm method, Against against) {
        return new Claim("adpo", name, statement, e, measure, "", method, Direction.MORE, against, 0);
    }

    private static String name(String prefix, String suffix) {
        return prefix + "-" + suffix.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]+", "-");
    }
}
