package dev.kedge.reproduction.rlklbayes;

import static dev.kedge.lab.claim.Measure.measure;
import static dev.kedge.reproduction.rlklbayes.RlKlBayesTabular.Arm.DPG;
import static dev.kedge.reproduction.rlklbayes.RlKlBayesTabular.Arm.DPG_BASELINE;
import static dev.kedge.reproduction.rlklbayes.RlKlBayesTabular.Arm.KL_RL;
import static dev.kedge.reproduction.rlklbayes.RlKlBayesTabular.Arm.REINFORCE;
import static dev.kedge.reproduction.rlklbayes.RlKlBayesTabular.Measure.BOUND_SHARE;
import static dev.kedge.reproduction.rlklbayes.RlKlBayesTabular.Measure.ENTROPY_SHARE;
import static dev.kedge.reproduction.rlklbayes.RlKlBayesTabular.Measure.IDENTITY;
import static dev.kedge.reproduction.rlklbayes.RlKlBayesTabular.Measure.KL_FROM;
import static dev.kedge.reproduction.rlklbayes.RlKlBayesTabular.Measure.KL_TO;
import static dev.kedge.reproduction.rlklbayes.RlKlBayesTabular.Measure.VARIANCE;

import dev.kedge.lab.claim.Claim;
import dev.kedge.lab.claim.Experiment;
import java.util.ArrayList;
import java.util.List;

/// The claims of "RL with KL penalties is better viewed as Bayesian inference" (Korbak et al. 2022, arXiv:2205.11275).
/// It has no numbers of its own: thresholds are ours, and the same for all arms of an experiment.
public final class RlKlBayesClaims {
    private RlKlBayesClaims() {}

    public static List<Claim> claims() {
        return claims(RlKlBayesTabular.Scale.PUBLISHED, RlKlBayesTexts.Scale.PUBLISHED);
    }

    public static List<Claim> claims(RlKlBayesTabular.Scale tabular, RlKlBayesTexts.Scale texts) {
        List<Claim> claims = new ArrayList<>(tabular(RlKlBayesTabular.experiment(tabular)));
        claims.addAll(RlKlBayesTextClaims.claims(RlKlBayesTexts.experiment(texts)));
        return List.copyOf(claims);
    }

    private static List<Claim> tabular(Experiment e) {
        return List.of(
                measure(e, ENTROPY_SHARE.title, "")
                        .claim("collapse")
                        .says("A table of logits: reward maximisation without KL collapses: hardly any of the "
                                + "posterior's entropy is left.")
                        .less(ENTROPY_SHARE.arm(REINFORCE), RlKlBayesTextClaims.COLLAPSED),
                measure(e, ENTROPY_SHARE.title, "")
                        .claim("no-collapse")
                        .says("A table of logits: with the KL in the reward the policy keeps the posterior's entropy.")
                        .more(ENTROPY_SHARE.arm(KL_RL), RlKlBayesTextClaims.KEPT),
                measure(e, "distance from beta log Z", "")
                        .claim("evidence")
                        .says("At the posterior the KL-regularised objective is beta log Z.")
                        .less(
                                new Claim.Arm("posterior", "distance of the posterior's objective from beta log Z"),
                                1e-12),
                measure(e, IDENTITY.title, "")
                        .claim("identity")
                        .says("A table of logits: the objective of a trained policy is beta log Z less beta "
                                + "KL(policy || posterior).")
                        .less(IDENTITY.arm(KL_RL), 1e-12),
                measure(e, BOUND_SHARE.title, "")
                        .claim("bound")
                        .says("A table of logits: KL-regularised RL reaches 99 % of the bound beta log Z.")
                        .more(BOUND_SHARE.arm(KL_RL), 0.99),
                measure(e, KL_TO.title, "")
                        .claim("variational")
                        .says("A table of logits: KL-regularised RL reaches the posterior.")
                        .less(KL_TO.arm(KL_RL), RlKlBayesTextClaims.REACHED),
                measure(e, KL_FROM.title, "")
                        .claim("dpg")
                        .says("A table of logits: distributional policy gradients reach the posterior too.")
                        .less(KL_FROM.arm(DPG), RlKlBayesTextClaims.REACHED),
                measure(e, KL_FROM.title, "")
                        .claim("baseline")
                        .says("A table of logits: with the baseline DPG comes nearer to the posterior.")
                        .less(KL_FROM.arm(DPG_BASELINE), KL_FROM.arm(DPG)),
                measure(e, VARIANCE.title, "")
                        .claim("baseline-variance")
                        .says("A table of logits: near the posterior the baseline takes most of the variance from "
                                + "DPG's gradient.")
                        .less(VARIANCE.arm(DPG_BASELINE), VARIANCE.arm(DPG)),
                measure(e, KL_FROM.title, "")
                        .claim("covering")
                        .says("A table of logits: the forward KL leaves less of the posterior uncovered than "
                                + "KL-regularised RL.")
                        .less(KL_FROM.arm(DPG), KL_FROM.arm(KL_RL)));
    }
}
