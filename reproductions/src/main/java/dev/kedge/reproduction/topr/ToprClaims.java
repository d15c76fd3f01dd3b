package dev.kedge.reproduction.topr;

import static dev.kedge.lab.claim.Measure.measure;

import dev.kedge.lab.claim.Claim;
import dev.kedge.lab.claim.Experiment;
import dev.kedge.recipe.policy.PpoClipMethod;
import dev.kedge.recipe.policy.ToprMethod;
import dev.kedge.recipe.policy.ToprMethod.Taper;
import dev.kedge.reproduction.trial.ScratchSumTrial;
import java.util.List;

/// The claims of TOPR (Le Roux et al. 2025, arXiv:2503.14286): learning from completions that the start drew once, and
/// in rounds, each from completions of the policy as it is then.
public final class ToprClaims {
    private static final int SEEDS = 6;

    /// Each learning rate had the most held-out reward, on seeds that are not reported, among 3e-4, 1e-3 and 3e-3; for
    /// TIS and in rounds among the first two, for REINFORCE, which these throw over, among 1e-4, 3e-4 and 1e-3.
    private static final List<ScratchSumTrial.Arm> ARMS = List.of(
            arm("TOPR", Taper.CANONICAL, 1e-3),
            arm("REINFORCE", Taper.ALWAYS_ONE, 1e-4),
            arm("positives only", Taper.GOOD_ONLY, 1e-3),
            arm("TIS", Taper.AT_MOST_ONE, 3e-4),
            new ScratchSumTrial.Arm("PPO-clip", new PpoClipMethod(0.2), 1e-3));

    private static final List<ScratchSumTrial.Arm> ARMS_IN_ROUNDS = List.of(
            arm("TOPR", Taper.CANONICAL, 3e-4),
            arm("positives only", Taper.GOOD_ONLY, 3e-4),
            new ScratchSumTrial.Arm("PPO-clip", new PpoClipMethod(0.2), 3e-4));

    private static final String CHOSEN_ON = "seeds 101 and 102";

    private ToprClaims() {}

    public static List<Claim> claims() {
        return claims(
                ScratchSumTrial.plain(300, 16, 10, 80, 80, 10, 80),
                ScratchSumTrial.plain(300, 16, 10, 160, 40, 5, 160));
    }

    public static List<Claim> claims(ScratchSumTrial offline, ScratchSumTrial rounds) {
        var once = experiment("offline", offline, ARMS);
        var again = experiment("rounds", rounds, ARMS_IN_ROUNDS);
        var reward = measure(once, "held-out reward", "", "reward");
        var turns = measure(again, "held-out reward", "", "reward");
        return List.of(
                reward.claim("stable")
                        .says("Off policy, TOPR is right more often than REINFORCE without a ratio.")
                        .more("TOPR", "REINFORCE"),
                reward.claim("negatives")
                        .says("Off policy, TOPR is right more often than learning from positives alone.")
                        .more("TOPR", "positives only"),
                reward.claim("ppo")
                        .says("Off policy, TOPR is right more often than PPO-clip.")
                        .more("TOPR", "PPO-clip"),
                reward.claim("tis")
                        .says("Off policy, TOPR is right more often than truncated importance sampling.")
                        .more("TOPR", "TIS"),
                measure(once, "share of completions without an answer", "%", "unanswered")
                        .claim("invalid")
                        .says("Off policy, TOPR leaves fewer completions without an answer than REINFORCE without a "
                                + "ratio.")
                        .less("TOPR", "REINFORCE"),
                turns.claim("negatives-in-rounds")
                        .says("With three more draws on the way, TOPR is right more often than learning from "
                                + "positives alone.")
                        .more("TOPR", "positives only"),
                turns.claim("ppo-in-rounds")
                        .says("With three more draws on the way, TOPR is right more often than PPO-clip.")
                        .more("TOPR", "PPO-clip"));
    }

    private static Experiment experiment(String name, ScratchSumTrial scale, List<ScratchSumTrial.Arm> arms) {
        return new Experiment(name, description(scale, arms), SEEDS, seed -> scale.outcome(arms, seed));
    }

    private static String description(ScratchSumTrial scale, List<ScratchSumTrial.Arm> arms) {
        int draws = scale.steps() / scale.stepsPerRollout();
        return "" + scale.start() + " " + scale.group() + " completions to each of 80 questions are drawn "
                + (draws == 1 ? "once, by the start" : draws + " times, by each method's policy as it is")
                + "; each method learns from them in " + scale.passes() + " passes of "
                + scale.stepsPerRollout() / scale.passes() + " steps of " + scale.questions() + " questions, "
                + "AdamW with gradients clipped at 1. Losses of TOPR and its family are divided by lengths, "
                + "baseline 0. Learning rates, by held-out reward on " + CHOSEN_ON + ": "
                + ScratchSumTrial.told(arms) + ". " + ScratchSumTrial.JUDGED;
    }

    private static ScratchSumTrial.Arm arm(String name, Taper taper, double learningRate) {
        return new ScratchSumTrial.Arm(name, new ToprMethod(taper, 0, true), learningRate);
    }
}
