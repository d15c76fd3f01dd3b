package dev.kedge.reproduction.rrpo;

import static dev.kedge.reproduction.rrpo.RrpoExperiment.ACCURACY;
import static dev.kedge.reproduction.rrpo.RrpoExperiment.KL;
import static dev.kedge.reproduction.rrpo.RrpoExperiment.LOSS;
import static dev.kedge.reproduction.rrpo.RrpoExperiment.Method.DPO;
import static dev.kedge.reproduction.rrpo.RrpoExperiment.Method.PHRASES;
import static dev.kedge.reproduction.rrpo.RrpoExperiment.Method.RRPO_01;
import static dev.kedge.reproduction.rrpo.RrpoExperiment.Method.RRPO_05;
import static dev.kedge.reproduction.rrpo.RrpoExperiment.Method.RRPO_20;
import static dev.kedge.reproduction.rrpo.RrpoExperiment.Method.TIGHT_DPO;

import dev.kedge.lab.claim.Claim;
import dev.kedge.lab.claim.Claim.Arm;
import dev.kedge.lab.claim.Claim.Direction;
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
        return Stream.of(RRPO_01, RRPO_05)
                .map(m -> claim(
                        e,
                        "accuracy-" + alpha(m),
                        m.title + ", gives the right phrase more often than DPO.",
                        RIGHT,
                        "%",
                        m.arm(ACCURACY),
                        Direction.MORE,
                        DPO.arm(ACCURACY)))
                .toList();
    }

    private static List<Claim> nearness(Experiment e) {
        var claims = new ArrayList<Claim>();
        for (var m : List.of(RRPO_01, RRPO_05, RRPO_20)) {
            claims.add(less(
                    e,
                    "nearer-" + alpha(m),
                    "Around the phrases " + m.title + ", stays nearer to the reference than DPO.",
                    AROUND,
                    m.arm(KL),
                    DPO.arm(KL)));
        }
        for (var other : List.of(DPO, TIGHT_DPO)) {
            claims.add(less(
                    e,
                    "nearer-at-equal-accuracy" + (other == DPO ? "" : "-beta-2"),
                    "At an accuracy that both reach, RRPO at alpha 0.01 is nearer to the reference around the phrases "
                            + "than " + other.title + ".",
                    AROUND + ", at equal accuracy",
                    RrpoExperiment.atEqualAccuracy(RRPO_01, other),
                    RrpoExperiment.atEqualAccuracy(other, RRPO_01)));
        }
        claims.add(less(
                e,
                "loss",
                "RRPO at alpha 0.01 unlearns less of what stands around the phrases than DPO.",
                "loss outside phrases, a token",
                RRPO_01.arm(LOSS),
                DPO.arm(LOSS)));
        return claims;
    }

    /// What each of the two parts does.
    private static List<Claim> parts(Experiment e) {
        return List.of(
                less(
                        e,
                        "phrases-alone",
                        "The reward on phrases alone, without the KL, stays nearer to the reference than DPO.",
                        AROUND,
                        PHRASES.arm(KL),
                        DPO.arm(KL)),
                claim(
                        e,
                        "kl-costs-nothing",
                        "The KL at alpha 0.01 costs no accuracy: the right phrase is given more often than without.",
                        RIGHT,
                        "%",
                        RRPO_01.arm(ACCURACY),
                        Direction.MORE,
                        PHRASES.arm(ACCURACY)));
    }

    private static String alpha(Method m) {
        return m.title.replaceAll("[^0-9]+", "-").substring(1);
    }

    private static Claim less(Experiment e, String name, String statement, String measure, Arm method, Arm against) {
        return claim(e, name, statement, measure, "nats", method, Direction.LESS, against);
    }

    private static Claim claim(
            Experiment e,
            String name,
            String statement,
            String measure,
            String unit,
            Arm method,
            Direction direction,
            Arm against) {
        return new Claim("rrpo", name, statement, e, measure, unit, method, direction, against, 0);
    }
}
