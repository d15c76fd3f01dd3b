package dev.kedge.reproduction.asft;

import static dev.kedge.reproduction.asft.AsftExperiment.BASE;
import static dev.kedge.reproduction.asft.AsftExperiment.KEPT;
import static dev.kedge.reproduction.asft.AsftExperiment.KL;
import static dev.kedge.reproduction.asft.AsftExperiment.LEARNT;
import static dev.kedge.reproduction.asft.AsftExperiment.Method.ASFT_05;
import static dev.kedge.reproduction.asft.AsftExperiment.Method.DFT;
import static dev.kedge.reproduction.asft.AsftExperiment.Method.SFT;
import static dev.kedge.reproduction.asft.AsftExperiment.PLAIN;
import static dev.kedge.reproduction.asft.AsftExperiment.WEIGHTED;

import dev.kedge.lab.claim.Claim;
import dev.kedge.lab.claim.Claim.Arm;
import dev.kedge.lab.claim.Claim.Direction;
import dev.kedge.lab.claim.Experiment;
import dev.kedge.reproduction.asft.AsftExperiment.Lesson;
import dev.kedge.reproduction.asft.AsftExperiment.Method;
import dev.kedge.reproduction.asft.AsftExperiment.Scale;
import java.util.List;

/// The claims of ASFT (Zhu et al. 2025, arXiv:2509.23753), at the strength of the authors' example, 0.05.
public final class AsftClaims {
    private AsftClaims() {}

    public static List<Claim> claims() {
        return claims(Scale.PUBLISHED);
    }

    public static List<Claim> claims(Scale scale) {
        var e = AsftExperiment.experiment(scale);
        return List.of(
                learnt(e, Lesson.SUMS, "noise-dft", "From noisy demonstrations DFT learns more than SFT.", DFT, SFT),
                learnt(
                        e,
                        Lesson.SUMS,
                        "noise-asft",
                        "From noisy demonstrations ASFT learns more than SFT.",
                        ASFT_05,
                        SFT),
                kept(e, Lesson.SUMS, "noise-keeps-dft", "ASFT keeps more of what it could do than DFT.", DFT),
                kept(e, Lesson.SUMS, "noise-keeps-sft", "ASFT keeps more of what it could do than SFT.", SFT),
                less(e, Lesson.SUMS, "noise-drift", "ASFT ends nearer to the base than DFT.", ASFT_05, DFT),
                share(
                        e,
                        "noise-equal-drift",
                        "From noisy demonstrations, weighted tokens learn more than plain ones held as near to the "
                                + "base.",
                        "right answers to larger sums, at equal KL",
                        AsftExperiment.atEqualKl(LEARNT, Lesson.SUMS, WEIGHTED),
                        AsftExperiment.atEqualKl(LEARNT, Lesson.SUMS, PLAIN)),
                less(
                        e,
                        Lesson.FACTS,
                        "facts-collapse",
                        "Where the base rules the answers out, DFT drifts further than SFT.",
                        SFT,
                        DFT),
                less(
                        e,
                        Lesson.FACTS,
                        "facts-drift",
                        "Where the base rules the answers out, ASFT ends nearer to it than DFT.",
                        ASFT_05,
                        DFT),
                kept(
                        e,
                        Lesson.FACTS,
                        "facts-keeps-dft",
                        "Where the base rules the answers out, ASFT keeps more of what it could do than DFT.",
                        DFT),
                learnt(
                        e,
                        Lesson.FACTS,
                        "facts-asft",
                        "Where the base rules the answers out, ASFT learns more than SFT.",
                        ASFT_05,
                        SFT),
                share(
                        e,
                        "facts-base",
                        "Where the base rules the answers out, ASFT learns some of them.",
                        "right answers to new facts",
                        ASFT_05.arm(LEARNT, Lesson.FACTS),
                        new Arm(BASE, AsftExperiment.number(LEARNT, Lesson.FACTS, BASE))));
    }

    private static Claim learnt(
            Experiment e, Lesson lesson, String name, String statement, Method method, Method against) {
        String what = lesson == Lesson.SUMS ? "right answers to larger sums" : "right answers to new facts";
        return share(e, name, statement, what, method.arm(LEARNT, lesson), against.arm(LEARNT, lesson));
    }

    private static Claim kept(Experiment e, Lesson lesson, String name, String statement, Method against) {
        return share(
                e,
                name,
                statement,
                "right answers to what is to be kept, after " + lesson.title,
                ASFT_05.arm(KEPT, lesson),
                against.arm(KEPT, lesson));
    }

    private static Claim share(Experiment e, String name, String statement, String measure, Arm method, Arm against) {
        return new Claim("asft", name, statement, e, measure, "%", method, Direction.MORE, against, 0);
    }

    private static Claim less(
            Experiment e, Lesson lesson, String name, String statement, Method method, Method against) {
        return new Claim(
                "asft",
                name,
                statement,
                e,
                "KL(policy||base) on what is to be kept, a token, after " + lesson.title,
                "nats",
                method.arm(KL, lesson),
                Direction.LESS,
                against.arm(KL, lesson),
                0);
    }
}
