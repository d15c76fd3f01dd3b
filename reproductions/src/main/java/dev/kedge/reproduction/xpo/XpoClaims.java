package dev.kedge.reproduction.xpo;

import static dev.kedge.lab.claim.Measure.measure;

import dev.kedge.lab.claim.Claim;
import dev.kedge.lab.claim.Experiment;
import dev.kedge.lab.claim.Outcome;
import java.util.List;

/// The claims of XPO (Xie et al. 2024, arXiv:2405.21046), on the [RareArmBandit].
public final class XpoClaims {
    /// Of 0.001, 0.003, 0.01 and 0.03 the weight with the most reward over the run, on seeds that are not reported.
    private static final double ALPHA = 0.03;

    /// The one with the most reward less beta times the KL, likewise.
    private static final double GENTLE = 0.003;

    private static final String PASSIVE = "online DPO";
    private static final String CHOSEN_ON = "seeds 101 to 130";

    private XpoClaims() {}

    public static List<Claim> claims() {
        var experiment = new Experiment("rare-arm-bandit", description(), 20, XpoClaims::trial);
        var found = measure(experiment, "runs in which the policy pulls the rare arm", "%", "found");
        var reward = measure(experiment, "expected reward, mean over rounds", "", "mean reward");
        var j = measure(experiment, "E[reward] - beta·KL, mean over rounds", "", "mean regularized reward");
        var told = "With the same number of labels, the bonus brings more reward less beta times the KL over "
                + "the run, its weight chosen for ";
        return List.of(
                found.claim("finds-the-rare-arm")
                        .says("The bonus finds the good arm that the reference hardly shows more often than online "
                                + "DPO does.")
                        .more(xpo(ALPHA), PASSIVE)
                        .by(0.3),
                reward.claim("reward")
                        .says("With the same number of labels, the bonus brings more reward over the run.")
                        .more(xpo(ALPHA), PASSIVE)
                        .by(0.1),
                j.claim("regularized-reward").says(told + "reward.").more(xpo(ALPHA), PASSIVE),
                j.claim("regularized-reward-gentle").says(told + "it.").more(xpo(GENTLE), PASSIVE));
    }

    private static String xpo(double alpha) {
        return "XPO, alpha " + alpha;
    }

    private static String description() {
        return "" + RareArmBandit.ARMS + " arms with rewards uniform in [0, 0.5] but for one of reward 3, "
                + "which the reference pulls once in 900 times, the others equally. " + RareArmBandit.ROUNDS
                + " rounds, one pair and one Bradley-Terry label a round: the policy and the reference pull an "
                + "arm each, and the policy is fitted anew to all pairs, 60 steps of Adam on free logits, beta "
                + "0.5, log-ratios clamped at 4/beta. Of XPO's weights 0.001, 0.003, 0.01 and 0.03, " + ALPHA
                + " had the most reward over the run and " + GENTLE + " the most reward less beta times the "
                + "KL, on " + CHOSEN_ON + ". Rewards and KL are exact.";
    }

    private static Outcome trial(long seed) {
        var outcome = with(Outcome.NOTHING, PASSIVE, RareArmBandit.onlineDpo(seed));
        for (double alpha : new double[] {ALPHA, GENTLE}) {
            outcome = with(outcome, xpo(alpha), RareArmBandit.xpo(alpha, seed));
        }
        return outcome;
    }

    private static Outcome with(Outcome outcome, String arm, RareArmBandit.Result result) {
        return outcome.with("found, " + arm, result.foundRareArm() ? 1 : 0)
                .with("mean reward, " + arm, result.meanReward())
                .with("mean regularized reward, " + arm, result.meanRegularizedReward());
    }
}
