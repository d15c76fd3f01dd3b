package dev.kedge.reproduction.recap;

import static dev.kedge.lab.claim.Measure.measure;
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
        var kept = measure(e, "right answers to sums and facts", "%", KEPT);
        var all = measure(e, "right answers, mean of old skills and new", "%", ALL);
        return List.of(
                kept.claim("keeps")
                        .says("RECAP keeps skills that training on the new task alone forgets.")
                        .more(LOSS_5.title, NONE.title),
                kept.claim("uniform-keeps")
                        .says("Replay with equal weights keeps them, too.")
                        .more(UNIFORM.title, NONE.title),
                kept.claim("kl-keeps")
                        .says("A KL on the new task keeps some of them.")
                        .more(KL.title, NONE.title),
                kept.claim("kl-keeps-less")
                        .says("A KL on the new task keeps less of them than RECAP.")
                        .more(LOSS_5.title, KL.title),
                all.claim("uniform-t-5")
                        .says("RECAP at T 5 does better than uniform replay.")
                        .more(LOSS_5.title, UNIFORM.title),
                all.claim("uniform-t-05")
                        .says("RECAP at T 0.5 does better than uniform replay.")
                        .more(LOSS_05.title, UNIFORM.title),
                all.claim("uniform-rewards-t-5")
                        .says("RECAP on rewards, T 5, does better than uniform replay.")
                        .more(REWARD_5.title, UNIFORM.title),
                all.claim("uniform-rewards-t-05")
                        .says("RECAP on rewards, T 0.5, does better than uniform replay.")
                        .more(REWARD_05.title, UNIFORM.title),
                all.claim("random-weights")
                        .says("RECAP at T 0.5 does better than the same weights given out at random.")
                        .more(LOSS_05.title, RANDOM_05.title));
    }
}
