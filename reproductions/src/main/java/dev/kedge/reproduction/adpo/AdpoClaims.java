package dev.kedge.reproduction.adpo;

import static dev.kedge.lab.claim.Measure.measure;
import static dev.kedge.reproduction.adpo.AdpoExperiments.ALL;
import static dev.kedge.reproduction.adpo.AdpoExperiments.GAIN;
import static dev.kedge.reproduction.adpo.AdpoExperiments.MASS;
import static dev.kedge.reproduction.adpo.AdpoExperiments.TAU;
import static dev.kedge.reproduction.adpo.AdpoExperiments.TAUS;

import dev.kedge.lab.claim.Claim;
import dev.kedge.lab.claim.Claim.Arm;
import dev.kedge.lab.claim.Experiment;
import dev.kedge.lab.claim.Measure;
import dev.kedge.lab.plot.Quantity;
import dev.kedge.reproduction.adpo.AdpoDistillation.Anchor;
import dev.kedge.reproduction.adpo.AdpoExperiments.Method;
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
        var mass = measure(experiment, MASS, "");
        var claims = new ArrayList<>(corruptions(mass));
        claims.addAll(temperatures(mass));
        claims.addAll(equalDivergence(experiment));
        claims.addAll(distillation(AdpoDistillation.experiment(distillation)));
        return claims;
    }

    /// At one tau.
    private static List<Claim> corruptions(Measure mass) {
        var claims = new ArrayList<Claim>();
        for (var c : Corruption.values()) {
            claims.add(mass.claim(name("listwise-pair", c.title))
                    .says("With " + c.title
                            + ", listwise ADPO puts more mass on the best action than DPO on one pair of each "
                            + "context.")
                    .more(Method.LISTWISE.arm(c.title, TAU), Method.ONE_PAIR.arm(c.title, TAU)));
            claims.add(mass.claim(name("listwise-all-pairs", c.title))
                    .says("With " + c.title
                            + ", listwise ADPO puts more mass on the best action than DPO that sees the same rewards, "
                            + "as all pairs.")
                    .more(Method.LISTWISE.arm(c.title, TAU), Method.ALL_PAIRS.arm(c.title, TAU)));
        }
        claims.add(measure(mass.experiment(), "gain in mass on the best action, tau " + Quantity.number(TAU), "%")
                .claim("twelve-percent")
                .says("Over the four corruptions, listwise ADPO gains at least 12 % over DPO on one pair.")
                .more(new Arm(Method.LISTWISE.title, GAIN), 0)
                .by(0.12));
        claims.add(mass.claim("soft-hard")
                .says("Soft pairs put more mass on the best action than hard pairs.")
                .more(Method.SOFT_PAIRS.arm(ALL, TAU), Method.ALL_PAIRS.arm(ALL, TAU)));
        return claims;
    }

    /// Over the sweep.
    private static List<Claim> temperatures(Measure mass) {
        var claims = new ArrayList<Claim>();
        for (double tau : TAUS) {
            var at = "At tau " + Quantity.number(tau) + " and over the four corruptions, ";
            claims.add(mass.claim(name("listwise-pair-tau", Quantity.number(tau)))
                    .says(at + "listwise ADPO puts more mass on the best action than DPO on one pair.")
                    .more(Method.LISTWISE.arm(ALL, tau), Method.ONE_PAIR.arm(ALL, tau)));
            claims.add(mass.claim(name("anchor-tau", Quantity.number(tau)))
                    .says(at + "an anchor puts more mass on the best action than none.")
                    .more(Method.LISTWISE.arm(ALL, tau), Method.UNANCHORED.arm(ALL, tau)));
        }
        return claims;
    }

    private static List<Claim> equalDivergence(Experiment e) {
        var where = measure(e, MASS + ", at equal KL, mean over corruptions", "");
        return List.of(
                where.claim("listwise-pair-equal-kl")
                        .says("At equal KL from the reference, listwise ADPO puts more mass on the best action than "
                                + "DPO on one pair.")
                        .more(
                                AdpoExperiments.atEqualKl(Method.LISTWISE, Method.ONE_PAIR),
                                AdpoExperiments.atEqualKl(Method.ONE_PAIR, Method.LISTWISE)),
                where.claim("listwise-all-pairs-equal-kl")
                        .says("At equal KL from the reference, listwise ADPO puts more mass on the best action than "
                                + "DPO on all pairs.")
                        .more(
                                AdpoExperiments.atEqualKl(Method.LISTWISE, Method.ALL_PAIRS),
                                AdpoExperiments.atEqualKl(Method.ALL_PAIRS, Method.LISTWISE)),
                where.claim("anchor-equal-kl")
                        .says("At equal KL from the reference, an anchor puts more mass on the best action than none.")
                        .more(
                                AdpoExperiments.atEqualKl(Method.LISTWISE, Method.UNANCHORED),
                                AdpoExperiments.atEqualKl(Method.UNANCHORED, Method.LISTWISE)));
    }

    private static List<Claim> distillation(Experiment e) {
        var last = measure(e, AdpoDistillation.LAST, "nats");
        var least = measure(e, AdpoDistillation.LEAST, "nats");
        return List.of(
                last.claim("distillation-average")
                        .says("A student anchored at its moving average ends nearer to its teacher than without "
                                + "anchor.")
                        .less(Anchor.AVERAGE.title, Anchor.UNIFORM.title),
                least.claim("distillation-average-on-the-way")
                        .says("Stopped when it is nearest to its teacher, too, a student anchored at its moving "
                                + "average is nearer than one without anchor.")
                        .less(Anchor.AVERAGE.title, Anchor.UNIFORM.title),
                last.claim("distillation-self")
                        .says("A student anchored at its start ends nearer to its teacher than without anchor.")
                        .less(Anchor.SELF.title, Anchor.UNIFORM.title));
    }

    private static String name(String prefix, String suffix) {
        return prefix + "-" + suffix.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]+", "-");
    }
}
