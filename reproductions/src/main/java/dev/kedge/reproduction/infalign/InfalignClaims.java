package dev.kedge.reproduction.infalign;

import static dev.kedge.lab.claim.Measure.measure;
import static dev.kedge.reproduction.infalign.InfalignTabular.Arm.EXPONENTIAL;
import static dev.kedge.reproduction.infalign.InfalignTabular.Arm.IDENTITY;
import static dev.kedge.reproduction.infalign.InfalignTabular.Arm.LOGARITHM;
import static dev.kedge.reproduction.infalign.InfalignTabular.Arm.NEGATIVE;
import static dev.kedge.reproduction.infalign.InfalignTabular.Arm.OPTIMAL_BEST;
import static dev.kedge.reproduction.infalign.InfalignTabular.Arm.OPTIMAL_WORST;
import static dev.kedge.reproduction.infalign.InfalignTabular.Arm.REWARD;

import dev.kedge.lab.claim.Claim;
import dev.kedge.lab.claim.Experiment;
import dev.kedge.reproduction.infalign.InfalignPolicies.Arm;
import dev.kedge.reproduction.infalign.InfalignPolicies.Use;
import dev.kedge.reproduction.infalign.InfalignTabular.Scale;
import java.util.ArrayList;
import java.util.List;

/// The claims of InfAlign (Balashankar et al. 2024, arXiv:2412.19792), at equal KL from the base.
public final class InfalignClaims {
    /// The paper reports 3 to 8 % better win rates.
    private static final double ASKED = 0.03;

    private InfalignClaims() {}

    public static List<Claim> claims() {
        return claims(Scale.PUBLISHED, InfalignPolicies.Scale.PUBLISHED);
    }

    public static List<Claim> claims(Scale scale, InfalignPolicies.Scale policies) {
        List<Claim> claims = new ArrayList<>(tabular(InfalignTabular.experiment(scale)));
        claims.addAll(learnt(InfalignPolicies.experiment(policies)));
        return List.copyOf(claims);
    }

    private static List<Claim> tabular(Experiment e) {
        return List.of(
                tabular(e, "best", Use.BEST, EXPONENTIAL, IDENTITY, ASKED),
                tabular(e, "best-distilled", Use.BEST, EXPONENTIAL, LOGARITHM, ASKED),
                tabular(e, "best-optimum", Use.BEST, OPTIMAL_BEST, IDENTITY, ASKED),
                tabular(e, "worst", Use.WORST, NEGATIVE, IDENTITY, ASKED),
                tabular(e, "worst-optimum", Use.WORST, OPTIMAL_WORST, IDENTITY, ASKED),
                tabular(e, "single-exponential", Use.SINGLE, IDENTITY, EXPONENTIAL, 0),
                tabular(e, "single-negative", Use.SINGLE, IDENTITY, NEGATIVE, 0),
                tabular(e, "calibration", Use.SINGLE, IDENTITY, REWARD, 0));
    }

    private static List<Claim> learnt(Experiment e) {
        return List.of(
                learnt(e, "learnt-best", Use.BEST, Arm.EXPONENTIAL, Arm.IDENTITY, ASKED),
                learnt(e, "learnt-best-reward", Use.BEST, Arm.EXPONENTIAL, Arm.REWARD, ASKED),
                learnt(e, "learnt-worst", Use.WORST, Arm.NEGATIVE, Arm.IDENTITY, ASKED),
                learnt(e, "learnt-worst-reward", Use.WORST, Arm.NEGATIVE, Arm.REWARD, ASKED),
                learnt(e, "learnt-single-exponential", Use.SINGLE, Arm.IDENTITY, Arm.EXPONENTIAL, 0),
                learnt(e, "learnt-single-negative", Use.SINGLE, Arm.IDENTITY, Arm.NEGATIVE, 0),
                learnt(e, "learnt-calibration", Use.SINGLE, Arm.IDENTITY, Arm.REWARD, 0));
    }

    private static Claim tabular(
            Experiment e, String name, Use use, InfalignTabular.Arm method, InfalignTabular.Arm against, double asked) {
        return claim(
                e,
                name,
                "With exact optima",
                use,
                new Claim.Arm(method.title, InfalignTabular.number(use, method)),
                new Claim.Arm(against.title, InfalignTabular.number(use, against)),
                asked);
    }

    private static Claim learnt(Experiment e, String name, Use use, Arm method, Arm against, double asked) {
        return claim(
                e,
                name,
                "On a language model",
                use,
                new Claim.Arm(method.title, InfalignPolicies.number(use, method)),
                new Claim.Arm(against.title, InfalignPolicies.number(use, against)),
                asked);
    }

    private static Claim claim(
            Experiment e, String name, String where, Use use, Claim.Arm method, Claim.Arm against, double asked) {
        String statement = where + ", " + method.name() + " wins more against the base than " + against.name() + ", "
                + use.title + ".";
        return measure(e, "win rate, " + use.title, "%")
                .claim(name)
                .says(statement)
                .more(method, against)
                .by(asked);
    }
}
