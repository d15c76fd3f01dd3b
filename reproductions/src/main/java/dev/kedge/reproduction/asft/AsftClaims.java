package dev.kedge.reproduction.asft;

import static dev.kedge.lab.claim.Measure.measure;
import static dev.kedge.reproduction.asft.AsftExperiment.AT_EQUAL_KL;
import static dev.kedge.reproduction.asft.AsftExperiment.BASE;
import static dev.kedge.reproduction.asft.AsftExperiment.KEPT;
import static dev.kedge.reproduction.asft.AsftExperiment.KL;
import static dev.kedge.reproduction.asft.AsftExperiment.LEARNT;
import static dev.kedge.reproduction.asft.AsftExperiment.PLAIN;
import static dev.kedge.reproduction.asft.AsftExperiment.WEIGHTED;
import static dev.kedge.reproduction.asft.AsftExperiment.number;

import dev.kedge.lab.claim.Claim;
import dev.kedge.lab.claim.Experiment;
import dev.kedge.lab.claim.Measure;
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
        var sums = measure(e, "right answers to larger sums", "%", number(LEARNT, Lesson.SUMS));
        var facts = measure(e, "right answers to new facts", "%", number(LEARNT, Lesson.FACTS));
        var atKl = measure(e, "right answers to larger sums, at equal KL", "%", number(AT_EQUAL_KL, Lesson.SUMS));
        var sumsKept = kept(e, Lesson.SUMS);
        var factKept = kept(e, Lesson.FACTS);
        var sumsKl = drift(e, Lesson.SUMS);
        var factKl = drift(e, Lesson.FACTS);
        return List.of(
                sums.claim("noise-dft")
                        .says("From noisy demonstrations DFT learns more than SFT.")
                        .more(Method.DFT.title, Method.SFT.title),
                sums.claim("noise-asft")
                        .says("From noisy demonstrations ASFT learns more than SFT.")
                        .more(Method.ASFT_05.title, Method.SFT.title),
                sumsKept.claim("noise-keeps-dft")
                        .says("ASFT keeps more of what it could do than DFT.")
                        .more(Method.ASFT_05.title, Method.DFT.title),
                sumsKept.claim("noise-keeps-sft")
                        .says("ASFT keeps more of what it could do than SFT.")
                        .more(Method.ASFT_05.title, Method.SFT.title),
                sumsKl.claim("noise-drift")
                        .says("ASFT ends nearer to the base than DFT.")
                        .less(Method.ASFT_05.title, Method.DFT.title),
                atKl.claim("noise-equal-drift")
                        .says("From noisy demonstrations, weighted tokens learn more than plain ones held as near to "
                                + "the base.")
                        .more(WEIGHTED, PLAIN),
                factKl.claim("facts-collapse")
                        .says("Where the base rules the answers out, DFT drifts further than SFT.")
                        .less(Method.SFT.title, Method.DFT.title),
                factKl.claim("facts-drift")
                        .says("Where the base rules the answers out, ASFT ends nearer to it than DFT.")
                        .less(Method.ASFT_05.title, Method.DFT.title),
                factKept.claim("facts-keeps-dft")
                        .says("Where the base rules the answers out, ASFT keeps more of what it could do than DFT.")
                        .more(Method.ASFT_05.title, Method.DFT.title),
                facts.claim("facts-asft")
                        .says("Where the base rules the answers out, ASFT learns more than SFT.")
                        .more(Method.ASFT_05.title, Method.SFT.title),
                facts.claim("facts-base")
                        .says("Where the base rules the answers out, ASFT learns some of them.")
                        .more(Method.ASFT_05.title, BASE));
    }

    private static Measure kept(Experiment e, Lesson lesson) {
        return measure(e, "right answers to what is to be kept, after " + lesson.title, "%", number(KEPT, lesson));
    }

    private static Measure drift(Experiment e, Lesson lesson) {
        var measure = "KL(policy||base) on what is to be kept, a token, after " + lesson.title;
        return measure(e, measure, "nats", number(KL, lesson));
    }
}
