package dev.kedge.lab.claim;

import static dev.kedge.lab.claim.InfalignTabular.Arm.EXPONENTIAL;
import static dev.kedge.lab.claim.InfalignTabular.Arm.IDENTITY;
import static dev.kedge.lab.claim.InfalignTabular.Arm.LOGARITHM;
import static dev.kedge.lab.claim.InfalignTabular.Arm.NEGATIVE;
import static dev.kedge.lab.claim.InfalignTabular.Arm.OPTIMAL_BEST;
import static dev.kedge.lab.claim.InfalignTabular.Arm.OPTIMAL_WORST;
import static dev.kedge.lab.claim.InfalignTabular.Arm.REWARD;

import dev.kedge.lab.claim.Claim.Direction;
import dev.kedge.lab.claim.InfalignTabular.Arm;
import dev.kedge.lab.claim.InfalignTabular.Scale;
import java.util.List;

/// The claims of InfAlign (Balashankar et al. 2024, arXiv:2412.19792), at equal KL from the base.
final class InfalignClaims {
    /// The paper reports 3 to 8 % better win rates.
    private static final double ASKED = 0.03;

    private InfalignClaims() {}

    static List<Claim> claims() {
        return claims(Scale.PUBLISHED);
    }

    static List<Claim> claims(Scale scale) {
        var e = InfalignTabular.experiment(scale);
        return List.of(
                claim(e, "best", "best", "exp(10u) wins more of the best of 4 than u.", EXPONENTIAL, IDENTITY, ASKED),
                claim(e, "worst", "worst", "-exp(-10u) wins more of the worst of 4 than u.", NEGATIVE, IDENTITY, ASKED),
                claim(
                        e,
                        "best-distilled",
                        "best",
                        "exp(10u) wins more of the best of 4 than log u, which distils it.",
                        EXPONENTIAL,
                        LOGARITHM,
                        ASKED),
                claim(
                        e,
                        "single-exponential",
                        "single",
                        "u wins more with single answers than exp(10u).",
                        IDENTITY,
                        EXPONENTIAL,
                        0),
                claim(
                        e,
                        "single-negative",
                        "single",
                        "u wins more with single answers than -exp(-10u).",
                        IDENTITY,
                        NEGATIVE,
                        0),
                claim(
                        e,
                        "calibration",
                        "single",
                        "u wins more with single answers than the reward as it is.",
                        IDENTITY,
                        REWARD,
                        0),
                claim(
                        e,
                        "best-of-all",
                        "best",
                        "The optimal transform wins more of the best of 4 than u.",
                        OPTIMAL_BEST,
                        IDENTITY,
                        ASKED),
                claim(
                        e,
                        "worst-of-all",
                        "worst",
                        "The optimal transform wins more of the worst of 4 than u.",
                        OPTIMAL_WORST,
                        IDENTITY,
                        ASKED));
    }

    private static Claim claim(
            Experiment e, String name, String measure, String statement, Arm method, Arm against, double asked) {
        return new Claim(
                "infalign",
                name,
                statement,
                e,
                measure.equals("single") ? "win rate, single answers" : "win rate, " + measure + " of 4",
                "%",
                new Claim.Arm(method.title, InfalignTabular.number(measure, method)),
                Direction.MORE,
                new Claim.Arm(against.title, InfalignTabular.number(measure, against)),
                asked);
    }
}
