package dev.kedge.reproduction.recap;

import static dev.kedge.reproduction.recap.RecapExperiment.ALL;
import static dev.kedge.reproduction.recap.RecapExperiment.KEPT;
import static dev.kedge.reproduction.recap.RecapExperiment.Method.KL;
import static dev.kedge.reproduction.recap.RecapExperiment.Method.LOSS_05;
import static dev.kedge.reproduction.recap.RecapExperiment.Method.LOSS_5;
import static dev.kedge.reproduction.recap.RecapExperiment.Method.NONE;
import static dev.kedge.reproduction.recap.RecapExperiment.Method.RANDOM_05;
import static dev.kedge.reproduction.recap.RecapExperiment.Method.REWARD_05;
import static dev.kedge.reproduction.recap.RecapExperiment.Method.REWARD_5;
import static dev.kedge.reproduction.recap.RecapExperiment.Method.UNIFORM;

import dev.kedge.lab.claim.Claim;
import dev.kedge.lab.claim.Claim.Direction;
import dev.kedge.lab.claim.Experiment;
import dev.kedge.reproduction.recap.RecapExperiment.Method;
import dev.kedge.reproduction.recap.RecapExperiment.Scale;
import java.util.List;

/// The claims of RECAP (Phan et al. 2025, arXiv:2510.21978), whose objectives are supervised here.
public final class RecapClaims {
    private RecapClaims() {}

    public static List<Claim> claims() {
        return claims(Scale.PUBLISHED);
    }

    public static List<Claim> claims(Scale scale) {
        var e = RecapExperiment.experiment(scale);
        return List.of(
                kept(e, "keeps", "RECAP keeps skills that training on the new task alone forgets.", LOSS_5, NONE),
                kept(e, "uniform-keeps", "Replay with equal weights keeps them, too.", UNIFORM, NONE),
                kept(e, "kl-keeps", "A KL on the new task keeps some of them.", KL, NONE),
                kept(e, "kl-keeps-less", "A KL on the new task keeps less of them than RECAP.", LOSS_5, KL),
                all(e, "uniform-t-5", "RECAP at T 5 does better than uniform replay.", LOSS_5, UNIFORM),
                all(e, "uniform-t-05", "RECAP at T 0.5 does better than uniform replay.", LOSS_05, UNIFORM),
                all(
                        e,
                        "uniform-rewards-t-5",
                        "RECAP on rewards, T 5, does better than uniform replay.",
                        REWARD_5,
                        UNIFORM),
                all(
                        e,
                        "uniform-rewards-t-05",
                        "RECAP on rewards, T 0.5, does better than uniform replay.",
                        REWARD_05,
                        UNIFORM),
                all(
                        e,
                        "random-weights",
                        "RECAP at T 0.5 does better than the same weights given out at random.",
                        LOSS_05,
                        RANDOM_05));
    }

    private static Claim kept(Experiment e, String name, String statement, Method method, Method against) {
        return claim(e, name, statement, "right answers to sums and facts", KEPT, method, against);
    }

    private static Claim all(Experiment e, String name, String statement, Method method, Method against) {
        return claim(e, name, statement, "right answers, mean of old skills and new", ALL, method, against);
    }

    private static Claim claim(
            Experiment e, String name, String statement, String measure, String number, Method method, Method against) {
        return new Claim(
                "recap", name, statement, e, measure, "%", method.arm(number), Direction.MORE, against.arm(number), 0);
    }
}
