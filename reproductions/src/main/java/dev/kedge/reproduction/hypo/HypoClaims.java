package dev.kedge.reproduction.hypo;

import static dev.kedge.lab.claim.Measure.measure;

import dev.kedge.lab.claim.Claim;
import dev.kedge.lab.claim.Experiment;
import dev.kedge.lab.claim.Outcome;
import java.util.List;

/// The claims of HyPO (Song et al. 2024, arXiv:2406.01462), on the [CoverageBandit].
public final class HypoClaims {
    /// The weight with the most reward among 0.001, 0.003, 0.01 and 0.03, on seeds that are not reported.
    private static final double LAMBDA = 0.003;

    private static final String CHOSEN_ON = "seeds 101 to 130";

    /// How much less reward than DPO still counts as no less.
    private static final double TOLERATED = 0.2;

    private static final String TOLERABLE = "DPO less " + TOLERATED;

    private HypoClaims() {}

    public static List<Claim> claims() {
        var experiment = new Experiment("coverage-bandit", description(), 40, HypoClaims::trial);
        var kl = measure(experiment, "KL from the reference", "nats", "KL");
        var mass = measure(experiment, "probability of uncovered answers", "%", "uncovered mass");
        var reward = measure(experiment, "expected reward", "", "reward");
        return List.of(
                kl.claim("kl")
                        .says("HyPO ends nearer to the reference than DPO.")
                        .less("HyPO", "DPO")
                        .by(0.3),
                mass.claim("uncovered-mass")
                        .says("HyPO puts less mass than DPO on answers that the pairs do not cover.")
                        .less("HyPO", "DPO")
                        .by(0.05),
                reward.claim("reward-not-lower")
                        .says("HyPO's reward is not lower than DPO's, by " + TOLERATED + " at most.")
                        .more("HyPO", TOLERABLE),
                reward.claim("reward")
                        .says("HyPO's reward is higher than DPO's.")
                        .more("HyPO", "DPO"));
    }

    private static String description() {
        return "" + CoverageBandit.ANSWERS + " answers with random features, of which the reference gives "
                + "the first " + CoverageBandit.COVERED + ", those that the pairs cover, 95 % of its mass; the "
                + "others have 1.5 less reward than their features say. DPO and HyPO train a log-linear policy "
                + "on the same 150 Bradley-Terry pairs of covered answers, 32 a step for "
                + CoverageBandit.STEPS + " steps of RMSprop, beta 0.1; HyPO draws " + CoverageBandit.SAMPLES
                + " answers of its own a step, weight lambda " + LAMBDA + ", which had the most reward of "
                + "0.001, 0.003, 0.01 and 0.03 on " + CHOSEN_ON + ". Reward, KL and mass are exact.";
    }

    private static Outcome trial(long seed) {
        var dpo = CoverageBandit.dpo(seed);
        var hypo = CoverageBandit.hypo(LAMBDA, seed);
        return with(with(Outcome.NOTHING, "DPO", dpo), "HyPO", hypo)
                .with("reward, " + TOLERABLE, dpo.reward() - TOLERATED)
                .with("answers drawn, HyPO", hypo.sampledAnswers());
    }

    private static Outcome with(Outcome outcome, String arm, CoverageBandit.Result result) {
        return outcome.with("KL, " + arm, result.kl())
                .with("uncovered mass, " + arm, result.uncoveredMass())
                .with("reward, " + arm, result.reward());
    }
}
