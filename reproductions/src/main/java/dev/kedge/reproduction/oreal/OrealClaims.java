package dev.kedge.reproduction.oreal;

import static dev.kedge.lab.claim.Measure.measure;

import dev.kedge.lab.claim.Claim;
import dev.kedge.lab.claim.Experiment;
import dev.kedge.recipe.policy.CloningMethod;
import dev.kedge.recipe.policy.OrealMethod;
import dev.kedge.recipe.policy.OrealMethod.Kept;
import dev.kedge.recipe.policy.OrealMethod.TokenWeights;
import dev.kedge.recipe.policy.OrealMethod.Weighing;
import dev.kedge.recipe.policy.RlooMethod;
import dev.kedge.reproduction.trial.ScratchSumTrial;
import java.util.List;
import java.util.Optional;

/// The claims of OREAL (Lyu et al. 2025, arXiv:2502.06781), on policy.
public final class OrealClaims {
    private static final int SEEDS = 6;

    /// Each learning rate had the most held-out reward of 3e-4, 1e-3 and 3e-3, on seeds that are not reported; of
    /// uniform weights, of the first two.
    private static final List<ScratchSumTrial.Arm> ARMS = List.of(
            new ScratchSumTrial.Arm("OREAL", oreal(Optional.of(new TokenWeights(3e-3, 10, half()))), 3e-4),
            new ScratchSumTrial.Arm("uniform weights", oreal(Optional.empty()), 3e-4),
            new ScratchSumTrial.Arm("best-of-n cloning", new CloningMethod(0.01), 3e-4),
            new ScratchSumTrial.Arm("RLOO", new RlooMethod(0), 3e-4));

    private static final String CHOSEN_ON = "seeds 101 and 102";

    private OrealClaims() {}

    public static List<Claim> claims() {
        return claims(ScratchSumTrial.plain(300, 8, 24, 100, 1, 1, 100));
    }

    public static List<Claim> claims(ScratchSumTrial scale) {
        var experiment = new Experiment("on-policy", description(scale), SEEDS, seed -> scale.outcome(ARMS, seed));
        var reward = measure(experiment, "held-out reward", "", "reward");
        return List.of(
                reward.claim("negatives")
                        .says("Pushing wrong answers away as well, OREAL is right more often than best-of-n cloning.")
                        .more("uniform weights", "best-of-n cloning"),
                reward.claim("rloo")
                        .says("With its token weights OREAL is right more often than RLOO.")
                        .more("OREAL", "RLOO"),
                reward.claim("uniform-rloo")
                        .says("With all tokens alike OREAL is right more often than RLOO.")
                        .more("uniform weights", "RLOO"),
                reward.claim("token-weights")
                        .says("Weights from the reward model of tokens make OREAL right more often than uniform ones.")
                        .more("OREAL", "uniform weights"),
                reward.claim("cloning")
                        .says("With its token weights OREAL is right more often than best-of-n cloning.")
                        .more("OREAL", "best-of-n cloning"));
    }

    private static String description(ScratchSumTrial scale) {
        return "" + scale.start() + " Then " + scale.steps() + " steps on policy, " + scale.group()
                + " completions to each of " + scale.questions() + " questions a step, AdamW with gradients "
                + "clipped at 1. OREAL: c- 0.5, KL 0.01, all completions kept, thresholds 0.5, a reward model "
                + "of tokens with learning rate 0.003 that learns alone for 10 of the steps. Cloning has the "
                + "same KL, RLOO none. Learning rates, by held-out reward on " + CHOSEN_ON + ": "
                + ScratchSumTrial.told(ARMS) + ". " + ScratchSumTrial.JUDGED;
    }

    private static Weighing half() {
        return new Weighing.Threshold(0.5, 0.5);
    }

    private static OrealMethod oreal(Optional<TokenWeights> weights) {
        return new OrealMethod(0.5, 0.01, Kept.ALL, weights);
    }
}
