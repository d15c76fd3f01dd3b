package dev.kedge.reproduction.recap;

import static dev.kedge.lab.claim.Measure.measure;
import static dev.kedge.reproduction.recap.RecapExperiment.ALL;
import static dev.kedge.reproduction.recap.RecapExperiment.KEPT;

import dev.kedge.lab.claim.Claim;
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
        var kept = measure(e, "right answers to sums and facts", "%", KEPT);
        var all = measure(e, "right answers, mean of old skills and new", "%", ALL);
        return List.of(
                kept.claim("keeps")
                        .says("RECAP keeps skills that training on the new task alone forgets.")
                        .more(Method.LOSS_5.title, Method.NONE.title),
                kept.claim("uniform-keeps")
                        .says("Replay with equal weights keeps them, too.")
                        .more(Method.UNIFORM.title, Method.NONE.title),
                kept.claim("kl-keeps")
                        .says("A KL on the new task keeps some of them.")
                        .more(Method.KL.title, Method.NONE.title),
                kept.claim("kl-keeps-less")
                        .says("A KL on the new task keeps less of them than RECAP.")
                        .more(Method.LOSS_5.title, Method.KL.title),
                all.claim("uniform-t-5")
                        .says("RECAP at T 5 does better than uniform replay.")
                        .more(Method.LOSS_5.title, Method.UNIFORM.title),
                all.claim("uniform-t-05")
                        .says("RECAP at T 0.5 does better than uniform replay.")
                        .more(Method.LOSS_05.title, Method.UNIFORM.title),
                all.claim("uniform-rewards-t-5")
                        .says("RECAP on rewards, T 5, does better than uniform replay.")
                        .more(Method.REWARD_5.title, Method.UNIFORM.title),
                all.claim("uniform-rewards-t-05")
                        .says("RECAP on rewards, T 0.5, does better than uniform replay.")
                        .more(Method.REWARD_05.title, Method.UNIFORM.title),
                all.claim("random-weights")
                        .says("RECAP at T 0.5 does better than the same weights given out at random.")
                        .more(Method.LOSS_05.title, Method.RANDOM_05.title));
    }
}
