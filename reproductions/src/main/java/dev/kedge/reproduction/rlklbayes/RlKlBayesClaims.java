package dev.kedge.reproduction.rlklbayes;

import dev.kedge.lab.claim.Claim;
import dev.kedge.lab.claim.Claim.Against;
import dev.kedge.lab.claim.Claim.Direction;
import dev.kedge.lab.claim.Claim.Threshold;
import dev.kedge.lab.claim.Experiment;
import java.util.ArrayList;
import java.util.List;

/// The claims of "RL with KL penalties is better viewed as Bayesian inference" (Korbak et al. 2022, arXiv:2205.11275).
/// It has no numbers of its own: thresholds are ours, and the same for all arms of an experiment.
public final class RlKlBayesClaims {
    /// A policy whose divergence from the posterior is below this many nats has reached it.
    private static final double REACHED = 0.02;

    /// Collapsed: less than this share of what it is measured by.
    private static final double COLLAPSED = 0.05;

    /// Not collapsed: at least this share of the posterior's entropy.
    private static final double KEPT = 0.95;

    /// A share of texts this far from the one asked for misses it.
    private static final double MISSED = 0.05;

    private RlKlBayesClaims() {}

    public static List<Claim> claims() {
        return claims(RlKlBayesTabular.Scale.PUBLISHED, RlKlBayesTexts.Scale.PUBLISHED);
    }

    public static List<Claim> claims(RlKlBayesTabular.Scale tabular, RlKlBayesTexts.Scale texts) {
        List<Claim> claims = new ArrayList<>(tabular(RlKlBayesTabular.experiment(tabular)));
        claims.addAll(texts(RlKlBayesTexts.experiment(texts)));
        return List.copyOf(claims);
    }

    private static List<Claim> tabular(Experiment e) {
        return List.of(
                tabular(
                        e,
                        "collapse",
                        "Reward maximisation without KL collapses: hardly any of the posterior's entropy is left.",
                        RlKlBayesTabular.Measure.ENTROPY_SHARE,
                        RlKlBayesTabular.Arm.REINFORCE,
                        Direction.LESS,
                        new Threshold(COLLAPSED)),
                tabular(
                        e,
                        "no-collapse",
                        "With the KL in the reward the policy keeps the posterior's entropy.",
                        RlKlBayesTabular.Measure.ENTROPY_SHARE,
                        RlKlBayesTabular.Arm.KL_RL,
                        Direction.MORE,
                        new Threshold(KEPT)),
                new Claim(
                        "rl-kl-bayes",
                        "evidence",
                        "At the posterior the KL-regularised objective is beta log Z.",
                        e,
                        "distance from beta log Z",
                        "",
                        new Claim.Arm("posterior", "distance of the posterior's objective from beta log Z"),
                        Direction.LESS,
                        new Threshold(1e-12),
                        0),
                tabular(
                        e,
                        "identity",
                        "The objective of a trained policy is beta log Z less beta KL(policy || posterior).",
                        RlKlBayesTabular.Measure.IDENTITY,
                        RlKlBayesTabular.Arm.KL_RL,
                        Direction.LESS,
                        new Threshold(1e-12)),
                tabular(
                        e,
                        "bound",
                        "KL-regularised RL reaches 99 % of the bound beta log Z.",
                        RlKlBayesTabular.Measure.BOUND_SHARE,
                        RlKlBayesTabular.Arm.KL_RL,
                        Direction.MORE,
                        new Threshold(0.99)),
                tabular(
                        e,
                        "variational",
                        "KL-regularised RL reaches the posterior.",
                        RlKlBayesTabular.Measure.KL_TO,
                        RlKlBayesTabular.Arm.KL_RL,
                        Direction.LESS,
                        new Threshold(REACHED)),
                tabular(
                        e,
                        "dpg",
                        "Distributional policy gradients reach the posterior too.",
                        RlKlBayesTabular.Measure.KL_FROM,
                        RlKlBayesTabular.Arm.DPG,
                        Direction.LESS,
                        new Threshold(REACHED)),
                tabular(
                        e,
                        "baseline",
                        "With the baseline DPG comes nearer to the posterior.",
                        RlKlBayesTabular.Measure.KL_FROM,
                        RlKlBayesTabular.Arm.DPG_BASELINE,
                        Direction.LESS,
                        RlKlBayesTabular.Arm.DPG),
                tabular(
                        e,
                        "baseline-variance",
                        "Near the posterior the baseline takes most of the variance from DPG's gradient.",
                        RlKlBayesTabular.Measure.VARIANCE,
                        RlKlBayesTabular.Arm.DPG_BASELINE,
                        Direction.LESS,
                        RlKlBayesTabular.Arm.DPG),
                tabular(
                        e,
                        "covering",
                        "The forward KL leaves less of the posterior uncovered than KL-regularised RL.",
                        RlKlBayesTabular.Measure.KL_FROM,
                        RlKlBayesTabular.Arm.DPG,
                        Direction.LESS,
                        RlKlBayesTabular.Arm.KL_RL));
    }

    private static Claim tabular(
            Experiment e,
            String name,
            String statement,
            RlKlBayesTabular.Measure measure,
            RlKlBayesTabular.Arm arm,
            Direction direction,
            RlKlBayesTabular.Arm against) {
        return tabular(e, name, statement, measure, arm, direction, new Claim.Arm(against.title, measure.of(against)));
    }

    private static Claim tabular(
            Experiment e,
            String name,
            String statement,
            RlKlBayesTabular.Measure measure,
            RlKlBayesTabular.Arm arm,
            Direction direction,
            Against against) {
        return new Claim(
                "rl-kl-bayes",
                name,
                "A table of logits: " + decapitalised(statement),
                e,
                measure.title,
                "",
                new Claim.Arm(arm.title, measure.of(arm)),
                direction,
                against,
                0);
    }

    private static String decapitalised(String statement) {
        return statement.startsWith("KL") || statement.startsWith("DPG")
                ? statement
                : statement.substring(0, 1).toLowerCase() + statement.substring(1);
    }

    private static List<Claim> texts(Experiment e) {
        String entropy = "entropy, nats";
        String share = "entropy as a share of the posterior's";
        String missed = "distance from the share asked for";
        return List.of(
                texts(
                        e,
                        "texts-collapse",
                        "Reward maximisation collapses: of its samples less than 5 % as many are different as of the"
                                + " prior's.",
                        "different texts as a share of the prior's",
                        RlKlBayesTexts.Arm.REINFORCE,
                        RlKlBayesTexts.distinctShare(RlKlBayesTexts.Arm.REINFORCE),
                        Direction.LESS,
                        new Threshold(COLLAPSED)),
                texts(
                        e,
                        "texts-no-collapse",
                        "With the KL in the reward the policy keeps the posterior's entropy.",
                        share,
                        RlKlBayesTexts.Arm.KL_RL,
                        RlKlBayesTexts.entropyShare(RlKlBayesTexts.Arm.KL_RL),
                        Direction.MORE,
                        new Threshold(KEPT)),
                measured(
                        e,
                        "texts-variational",
                        "KL-regularised RL reaches the posterior.",
                        RlKlBayesTexts.Measure.KL_TO,
                        RlKlBayesTexts.Arm.KL_RL,
                        new Threshold(REACHED)),
                measured(
                        e,
                        "texts-dpg",
                        "Distributional policy gradients reach the posterior too.",
                        RlKlBayesTexts.Measure.KL_FROM,
                        RlKlBayesTexts.Arm.DPG,
                        new Threshold(REACHED)),
                measured(
                        e,
                        "texts-dpg-baseline",
                        "Distributional policy gradients with the baseline reach the posterior.",
                        RlKlBayesTexts.Measure.KL_FROM,
                        RlKlBayesTexts.Arm.DPG_BASELINE,
                        new Threshold(REACHED)),
                measured(
                        e,
                        "texts-baseline",
                        "With the baseline DPG comes nearer to the posterior.",
                        RlKlBayesTexts.Measure.KL_FROM,
                        RlKlBayesTexts.Arm.DPG_BASELINE,
                        RlKlBayesTexts.Arm.DPG),
                measured(
                        e,
                        "texts-baseline-weights",
                        "With the baseline the weights of DPG vary less.",
                        RlKlBayesTexts.Measure.WEIGHTS,
                        RlKlBayesTexts.Arm.DPG_BASELINE,
                        RlKlBayesTexts.Arm.DPG),
                texts(
                        e,
                        "texts-moment",
                        "DPG brings the share of texts with an \"a\" to a half, within 5 points.",
                        missed,
                        RlKlBayesTexts.Arm.LETTER_DPG,
                        RlKlBayesTexts.missed(RlKlBayesTexts.Arm.LETTER_DPG),
                        Direction.LESS,
                        new Threshold(MISSED)),
                texts(
                        e,
                        "texts-moment-reward",
                        "Rewarding the \"a\", with the KL in the reward, misses that by more.",
                        missed,
                        RlKlBayesTexts.Arm.LETTER_KL_RL,
                        RlKlBayesTexts.missed(RlKlBayesTexts.Arm.LETTER_KL_RL),
                        Direction.MORE,
                        new Threshold(MISSED)),
                texts(
                        e,
                        "texts-moment-collapse",
                        "Rewarding the \"a\" without the KL misses that by more.",
                        missed,
                        RlKlBayesTexts.Arm.LETTER_REINFORCE,
                        RlKlBayesTexts.missed(RlKlBayesTexts.Arm.LETTER_REINFORCE),
                        Direction.MORE,
                        new Threshold(MISSED)),
                texts(
                        e,
                        "texts-moment-fitted",
                        "No reward brings KL-regularised RL there: that of the fitted lambda misses it too.",
                        missed,
                        RlKlBayesTexts.Arm.LETTER_FITTED,
                        RlKlBayesTexts.missed(RlKlBayesTexts.Arm.LETTER_FITTED),
                        Direction.MORE,
                        new Threshold(MISSED)),
                texts(
                        e,
                        "texts-seeking",
                        "A policy of independent letters seeks modes under KL-regularised RL: it has less entropy than"
                                + " the posterior.",
                        entropy,
                        RlKlBayesTexts.Arm.PLACE_KL_RL,
                        RlKlBayesTexts.Measure.ENTROPY.of(RlKlBayesTexts.Arm.PLACE_KL_RL),
                        Direction.LESS,
                        new Claim.Arm("posterior", RlKlBayesTexts.PLACE_POSTERIOR_ENTROPY)),
                texts(
                        e,
                        "texts-covering",
                        "A policy of independent letters covers all mass under DPG: it has more entropy than the"
                                + " posterior.",
                        entropy,
                        RlKlBayesTexts.Arm.PLACE_DPG,
                        RlKlBayesTexts.Measure.ENTROPY.of(RlKlBayesTexts.Arm.PLACE_DPG),
                        Direction.MORE,
                        new Claim.Arm("posterior", RlKlBayesTexts.PLACE_POSTERIOR_ENTROPY)),
                measured(
                        e,
                        "texts-uncovered",
                        "Of what a policy of independent letters cannot be, DPG leaves less of the posterior uncovered"
                                + " than KL-regularised RL.",
                        RlKlBayesTexts.Measure.KL_FROM,
                        RlKlBayesTexts.Arm.PLACE_DPG,
                        RlKlBayesTexts.Arm.PLACE_KL_RL));
    }

    private static Claim measured(
            Experiment e,
            String name,
            String statement,
            RlKlBayesTexts.Measure measure,
            RlKlBayesTexts.Arm arm,
            RlKlBayesTexts.Arm against) {
        return measured(e, name, statement, measure, arm, new Claim.Arm(against.title, measure.of(against)));
    }

    private static Claim measured(
            Experiment e,
            String name,
            String statement,
            RlKlBayesTexts.Measure measure,
            RlKlBayesTexts.Arm arm,
            Against against) {
        return texts(e, name, statement, measure.title, arm, measure.of(arm), Direction.LESS, against);
    }

    private static Claim texts(
            Experiment e,
            String name,
            String statement,
            String measure,
            RlKlBayesTexts.Arm arm,
            String number,
            Direction direction,
            Against against) {
        return new Claim(
                "rl-kl-bayes",
                name,
                "A decoder: " + decapitalised(statement),
                e,
                measure,
                "",
                new Claim.Arm(arm.title, number),
                direction,
                against,
                0);
    }
}
