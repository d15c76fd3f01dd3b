package dev.kedge.lab.claim;

import dev.kedge.lab.claim.Claim.Arm;
import dev.kedge.lab.claim.Claim.Direction;
import java.util.List;
import java.util.Locale;

/// The claims of XPO (Xie et al. 2024, arXiv:2405.21046), on the [RareArmBandit].
final class XpoClaims {
    /// The weight with the most reward over the run among 0.001, 0.003, 0.01 and 0.03, on seeds that are not reported.
    private static final double ALPHA = 0.03;

    private static final String CHOSEN_ON = "seeds 101 to 130";

    private XpoClaims() {}

    static List<Claim> claims() {
        var experiment = new Experiment("rare-arm-bandit", description(), 20, XpoClaims::trial);
        return List.of(
                claim(
                        experiment,
                        "finds-the-rare-arm",
                        "The bonus finds the good arm that the reference hardly shows more often than online DPO does.",
                        "runs in which the policy pulls the rare arm",
                        "%",
                        "found",
                        0.3),
                claim(
                        experiment,
                        "reward",
                        "With the same number of labels, the bonus brings more reward over the run.",
                        "expected reward, mean over rounds",
                        "",
                        "mean reward",
                        0.1),
                claim(
                        experiment,
                        "regularized-reward",
                        "With the same number of labels, the bonus brings more reward less beta times the KL over the "
                                + "run.",
                        "E[reward] - beta·KL, mean over rounds",
                        "",
                        "mean regularized reward",
                        0));
    }

    private static String description() {
        return String.format(
                Locale.ROOT,
                "%d arms with rewards uniform in [0, 0.5] but for one of reward 3, which the reference pulls once in "
                        + "900 times, the others equally. %d rounds, one pair and one Bradley-Terry label a round: the "
                        + "policy and the reference pull an arm each, and the policy is fitted anew to all pairs, 60 "
                        + "steps of Adam on free logits, beta 0.5, log-ratios clamped at 4/beta. XPO's weight alpha %s "
                        + "had the most reward of 0.001, 0.003, 0.01 and 0.03 on %s. Rewards and KL are exact.",
                RareArmBandit.ARMS,
                RareArmBandit.ROUNDS,
                ALPHA,
                CHOSEN_ON);
    }

    private static Outcome trial(long seed) {
        var passive = with(Outcome.NOTHING, "online DPO", RareArmBandit.onlineDpo(seed));
        return with(passive, "XPO", RareArmBandit.xpo(ALPHA, seed));
    }

    private static Outcome with(Outcome outcome, String arm, RareArmBandit.Result result) {
        return outcome.with("found, " + arm, result.foundRareArm() ? 1 : 0)
                .with("mean reward, " + arm, result.meanReward())
                .with("mean regularized reward, " + arm, result.meanRegularizedReward());
    }

    private static Claim claim(
            Experiment experiment,
            String name,
            String statement,
            String measure,
            String unit,
            String number,
            double asked) {
        return new Claim(
                "xpo",
                name,
                statement,
                experiment,
                measure,
                unit,
                new Arm("XPO", number + ", XPO"),
                Direction.MORE,
                new Arm("online DPO", number + ", online DPO"),
                asked);
    }
}
