package dev.kedge.reproduction.proxies;

import static dev.kedge.lab.claim.Measure.measure;

import dev.kedge.data.task.Sorting;
import dev.kedge.lab.claim.Claim;
import dev.kedge.lab.claim.Claim.Arm;
import dev.kedge.lab.claim.Experiment;
import dev.kedge.lab.claim.Outcome;
import dev.kedge.recipe.policy.AnswerDivergenceMethod;
import dev.kedge.recipe.policy.AnswerDivergenceMethod.Regularizer;
import dev.kedge.recipe.policy.Environment;
import dev.kedge.recipe.policy.LearnedReward;
import dev.kedge.recipe.policy.PolicyMethod;
import dev.kedge.recipe.policy.RlvrRecipe;
import dev.kedge.reproduction.trial.RlvrTrial;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// The claims of Correlated Proxies (Laidlaw et al. 2024, arXiv:2403.03185) about RLHF: a reward learned from a few
/// preferences is optimised by PPO, and the truth behind the preferences judges.
final class ProxyRewardModelClaims {
    private static final String START = "the start";
    private static final String NONE = "no regularisation";
    private static final String MANY = "no regularisation, more pairs";
    private static final String CHI_SQUARED = "root chi-squared";
    private static final String KL = "KL in the loss";
    private static final String KL_IN_REWARD = "KL in the reward";
    private static final String STOPPED = "early stopping";

    private static final double RATE = 2e-4;
    private static final double CHI_SQUARED_WEIGHT = 0.1;
    private static final double KL_WEIGHT = 0.4;
    private static final double KL_IN_REWARD_WEIGHT = 0.3;

    private ProxyRewardModelClaims() {}

    /// How large the experiment is.
    ///
    /// @param pretraining steps that the start is made in
    /// @param learning    steps that a reward is learned in
    /// @param pairs       preferences to learn it from
    /// @param many        the same where there are more
    /// @param steps       of PPO, a multiple of 8
    record Scale(int pretraining, int learning, int pairs, int many, int steps) {
        static final Scale PUBLISHED = new Scale(250, 60, 100, 1600, 160);
    }

    public static List<Claim> claims() {
        return claims(Scale.PUBLISHED);
    }

    public static List<Claim> claims(Scale scale) {
        var e = new Experiment("learned-reward", description(scale), 6, seed -> trial(scale, seed));
        var r = measure(e, "correlation of learned and true reward", "", "correlation");
        var truth = measure(e, "mean true reward", "", "true");
        return List.of(
                r.claim("learned-reward-correlated")
                        .says("A reward learned from few preferences is correlated with the true one under the start.")
                        .more(new Arm("the start's answers", "correlation, " + START), 0),
                measure(e, "learned reward, deviations of the start's answers", "", "learned")
                        .claim("learned-reward-rises")
                        .says("PPO without regularisation raises the learned reward.")
                        .more(NONE, START),
                truth.claim("learned-reward-hacked")
                        .says("PPO without regularisation ends with less true reward than it began with.")
                        .less(NONE, START),
                r.claim("learned-reward-correlation-lost")
                        .says("The correlation is lost where PPO without regularisation ends.")
                        .less(NONE, START),
                truth.claim("learned-reward-more-pairs")
                        .says("A reward learned from more preferences is hacked less.")
                        .more(MANY, NONE),
                truth.claim("learned-reward-chi-squared-start")
                        .says("Held by root chi-squared, PPO ends with more true reward than it began with.")
                        .more(CHI_SQUARED, START),
                truth.claim("learned-reward-chi-squared-none")
                        .says("Root chi-squared keeps more true reward than no regularisation.")
                        .more(CHI_SQUARED, NONE),
                truth.claim("learned-reward-chi-squared-kl")
                        .says("Root chi-squared gives more true reward than KL in its place, each at its best weight.")
                        .more(CHI_SQUARED, KL),
                truth.claim("learned-reward-chi-squared-kl-in-reward")
                        .says("Root chi-squared gives more true reward than KL in the reward, each at its best "
                                + "weight.")
                        .more(CHI_SQUARED, KL_IN_REWARD),
                truth.claim("learned-reward-chi-squared-stopped")
                        .says("Root chi-squared gives more true reward than stopping without regularisation where the "
                                + "truth is highest.")
                        .more(CHI_SQUARED, STOPPED));
    }

    private static String description(Scale scale) {
        return "Words of 3 to 5 letters out of 6 are to be sorted; the true reward is the share of letters "
                + "in their place. A decoder of width 32 with two layers, made in " + scale.pretraining
                + " steps from demonstrations half of which are right, is the start. A copy of it with a "
                + "scalar head learns a reward in " + scale.learning + " steps from " + scale.pairs
                + " pairs of the start's answers (more pairs: " + scale.many + ") that the true reward labels; "
                + "standardised over the start's answers it is all that PPO sees: " + scale.steps
                + " steps, each draw of 16 questions with 4 answers serving 4, clip 0.4, learning rate " + RATE
                + ". Weights: root chi-squared " + CHI_SQUARED_WEIGHT + " (of 0.03, 0.1, 0.15, 0.2 and 0.4), "
                + "KL in the loss " + KL_WEIGHT + " (of 0.05, 0.1, 0.2, 0.4, 0.6, 0.8 and 1.6), KL in the "
                + "reward " + KL_IN_REWARD_WEIGHT + " (of 0.05, 0.1, 0.2, 0.3, 0.4 and 0.8), each the best on "
                + "seeds 101 to 103. Early stopping is the best of 8 policies kept along the way, chosen by "
                + "the true reward on the very questions that it is then judged by: an oracle. Judged by 16 "
                + "answers to each of 60 questions never trained on.";
    }

    private static Outcome trial(Scale scale, long seed) {
        List<String> held = List.of(CHI_SQUARED, KL, KL_IN_REWARD);
        PolicyMethod none = new AnswerDivergenceMethod(new Regularizer.None(), 0.4);
        List<PolicyMethod> methods = List.of(
                new AnswerDivergenceMethod(new Regularizer.RootChiSquared(CHI_SQUARED_WEIGHT), 0.4),
                new AnswerDivergenceMethod(new Regularizer.Kl(KL_WEIGHT), 0.4),
                new AnswerDivergenceMethod(new Regularizer.KlInReward(KL_IN_REWARD_WEIGHT), 0.4));
        List<RlvrTrial> trials = RlvrTrial.run(List.of(
                config(scale, scale.pairs, List.of(none), scale.steps / 8, seed),
                config(scale, scale.pairs, methods, scale.steps, seed),
                config(scale, scale.many, List.of(none), scale.steps, seed)));
        Outcome outcome = with(Outcome.NOTHING, START, trials.getFirst(), "start");
        outcome = with(outcome, NONE, trials.getFirst(), RlvrTrial.phase(none));
        double[] way = trials.getFirst().heldOut(RlvrTrial.phase(none), "reward/true");
        outcome = outcome.with("true, " + STOPPED, Arrays.stream(way).max().orElseThrow());
        for (int i = 0; i < held.size(); i++) {
            outcome = with(outcome, held.get(i), trials.get(1), RlvrTrial.phase(methods.get(i)));
        }
        return with(outcome, MANY, trials.get(2), RlvrTrial.phase(none));
    }

    private static Outcome with(Outcome outcome, String arm, RlvrTrial trial, String phase) {
        return outcome.with("true, " + arm, trial.last(phase, "reward/true"))
                .with("learned, " + arm, trial.last(phase, "reward"))
                .with("correlation, " + arm, trial.last(phase, "correlation"))
                .with("KL, " + arm, trial.last(phase, "kl"));
    }

    private static RlvrRecipe.Config config(
            Scale scale, int pairs, List<PolicyMethod> methods, int snapshotEvery, long seed) {
        Environment truth = new Environment.Generated(
                new Sorting("abcdef", 3, 5),
                0.5,
                32,
                2,
                4,
                20_000,
                RlvrTrial.pretraining(scale.pretraining, 64),
                300,
                60,
                Optional.empty());
        return RlvrTrial.config(
                new LearnedReward(truth, pairs, RlvrTrial.learning(scale.learning, 50, 1e-3)),
                methods,
                4,
                RlvrTrial.learning(scale.steps, 16, RATE),
                new RlvrTrial.Sampling(4, 4, snapshotEvery, 16),
                seed);
    }
}
