package dev.kedge.reproduction.rrpo;

import static dev.kedge.lab.claim.Measure.measure;
import static dev.kedge.reproduction.rrpo.RrpoExperiment.ACCURACY;
import static dev.kedge.reproduction.rrpo.RrpoExperiment.KL;
import static dev.kedge.reproduction.rrpo.RrpoExperiment.LOSS;

import dev.kedge.lab.claim.Claim;
import dev.kedge.lab.claim.Experiment;
import dev.kedge.reproduction.rrpo.RrpoExperiment.Method;
import dev.kedge.reproduction.rrpo.RrpoExperiment.Scale;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/// The claims of RRPO (Sarkar et al. 2025, arXiv:2504.12083).
public final class RrpoClaims {
    private static final String RIGHT = "probability of the right phrase";
    private static final String AROUND = "KL(ref||policy) outside phrases, a token";

    private RrpoClaims() {}

    public static List<Claim> claims() {
        return claims(Scale.PUBLISHED);
    }

    public static List<Claim> claims(Scale scale) {
        var e = RrpoExperiment.experiment(scale);
        var claims = new ArrayList<>(accuracy(e));
        claims.addAll(nearness(e));
        claims.addAll(parts(e));
        return claims;
    }

    private static List<Claim> accuracy(Experiment e) {
        var right = measure(e, RIGHT, "%");
        return Stream.of(Method.RRPO_01, Method.RRPO_05)
                .map(m -> right.claim("accuracy-" + alpha(m))
                        .says(m.title + ", gives the right phrase more often than DPO.")
                        .more(m.arm(ACCURACY), Method.DPO.arm(ACCURACY)))
                .toList();
    }

    private static List<Claim> nearness(Experiment e) {
        var around = measure(e, AROUND, "nats");
        var claims = new ArrayList<Claim>();
        for (var m : List.of(Method.RRPO_01, Method.RRPO_05, Method.RRPO_20)) {
            claims.add(around.claim("nearer-" + alpha(m))
                    .says("Around the phrases " + m.title + ", stays nearer to the reference than DPO.")
                    .less(m.arm(KL), Method.DPO.arm(KL)));
        }
        for (var other : List.of(Method.DPO, Method.TIGHT_DPO)) {
            claims.add(measure(e, AROUND + ", at equal accuracy", "nats")
                    .claim("nearer-at-equal-accuracy" + (other == Method.DPO ? "" : "-beta-2"))
                    .says("At an accuracy that both reach, RRPO at alpha 0.01 is nearer to the reference around "
                            + "the phrases than " + other.title + ".")
                    .less(
                            RrpoExperiment.atEqualAccuracy(Method.RRPO_01, other),
                            RrpoExperiment.atEqualAccuracy(other, Method.RRPO_01)));
        }
        claims.add(measure(e, "loss outside phrases, a token", "nats")
                .claim("loss")
                .says("RRPO at alpha 0.01 unlearns less of what stands around the phrases than DPO.")
                .less(Method.RRPO_01.arm(LOSS), Method.DPO.arm(LOSS)));
        return claims;
    }

    /// What each of the two parts does.
    private static List<Claim> parts(Experiment e) {
        var right = measure(e, RIGHT, "%");
        var around = measure(e, AROUND, "nats");
        return List.of(
                around.claim("phrases-alone")
                        .says("The reward on phrases alone, without the KL, stays nearer to the reference than DPO.")
                        .less(Method.PHRASES.arm(KL), Method.DPO.arm(KL)),
                right.claim("kl-costs-nothing")
                        .says("The KL at alpha 0.01 costs no accuracy: the right phrase is given more often than "
                                + "without.")
                        .more(Method.RRPO_01.arm(ACCURACY), Method.PHRASES.arm(ACCURACY)));
    }

    private static String alpha(Method m) {
        return m.title.replaceAll("[^0-9]+", "-").substring(1);
    }
}
