package dev.kedge.reproduction.rlklbayes;

import static dev.kedge.lab.claim.Measure.measure;
import static dev.kedge.reproduction.rlklbayes.RlKlBayesTexts.Arm.DPG;
import static dev.kedge.reproduction.rlklbayes.RlKlBayesTexts.Arm.DPG_BASELINE;
import static dev.kedge.reproduction.rlklbayes.RlKlBayesTexts.Arm.KL_RL;
import static dev.kedge.reproduction.rlklbayes.RlKlBayesTexts.Arm.LETTER_DPG;
import static dev.kedge.reproduction.rlklbayes.RlKlBayesTexts.Arm.LETTER_FITTED;
import static dev.kedge.reproduction.rlklbayes.RlKlBayesTexts.Arm.LETTER_KL_RL;
import static dev.kedge.reproduction.rlklbayes.RlKlBayesTexts.Arm.LETTER_REINFORCE;
import static dev.kedge.reproduction.rlklbayes.RlKlBayesTexts.Arm.PLACE_DPG;
import static dev.kedge.reproduction.rlklbayes.RlKlBayesTexts.Arm.PLACE_KL_RL;
import static dev.kedge.reproduction.rlklbayes.RlKlBayesTexts.Arm.REINFORCE;
import static dev.kedge.reproduction.rlklbayes.RlKlBayesTexts.Measure.ENTROPY;
import static dev.kedge.reproduction.rlklbayes.RlKlBayesTexts.Measure.KL_FROM;
import static dev.kedge.reproduction.rlklbayes.RlKlBayesTexts.Measure.KL_TO;
import static dev.kedge.reproduction.rlklbayes.RlKlBayesTexts.Measure.WEIGHTS;
import static dev.kedge.reproduction.rlklbayes.RlKlBayesTexts.PLACE_POSTERIOR_ENTROPY;

import dev.kedge.lab.claim.Claim;
import dev.kedge.lab.claim.Experiment;
import java.util.List;

/// The claims about a decoder, and the thresholds, which are the same for a table of logits.
final class RlKlBayesTextClaims {
    /// A policy whose divergence from the posterior is below this many nats has reached it.
    static final double REACHED = 0.02;

    /// Collapsed: less than this share of what it is measured by.
    static final double COLLAPSED = 0.05;

    /// Not collapsed: at least this share of the posterior's entropy.
    static final double KEPT = 0.95;

    /// A share of texts this far from the one asked for misses it.
    private static final double MISSED = 0.05;

    private RlKlBayesTextClaims() {}

    static List<Claim> claims(Experiment e) {
        var missed = measure(e, "distance from the share asked for", "");
        return List.of(
                measure(e, "different texts as a share of the prior's", "")
                        .claim("texts-collapse")
                        .says("A decoder: reward maximisation collapses: of its samples less than 5 % as many are "
                                + "different as of the prior's.")
                        .less(REINFORCE.distinctShare(), COLLAPSED),
                measure(e, "entropy as a share of the posterior's", "")
                        .claim("texts-no-collapse")
                        .says("A decoder: with the KL in the reward the policy keeps the posterior's entropy.")
                        .more(KL_RL.entropyShare(), KEPT),
                measure(e, KL_TO.title, "")
                        .claim("texts-variational")
                        .says("A decoder: KL-regularised RL reaches the posterior.")
                        .less(KL_TO.arm(KL_RL), REACHED),
                measure(e, KL_FROM.title, "")
                        .claim("texts-dpg")
                        .says("A decoder: distributional policy gradients reach the posterior too.")
                        .less(KL_FROM.arm(DPG), REACHED),
                measure(e, KL_FROM.title, "")
                        .claim("texts-dpg-baseline")
                        .says("A decoder: distributional policy gradients with the baseline reach the posterior.")
                        .less(KL_FROM.arm(DPG_BASELINE), REACHED),
                measure(e, KL_FROM.title, "")
                        .claim("texts-baseline")
                        .says("A decoder: with the baseline DPG comes nearer to the posterior.")
                        .less(KL_FROM.arm(DPG_BASELINE), KL_FROM.arm(DPG)),
                measure(e, WEIGHTS.title, "")
                        .claim("texts-baseline-weights")
                        .says("A decoder: with the baseline the weights of DPG vary less.")
                        .less(WEIGHTS.arm(DPG_BASELINE), WEIGHTS.arm(DPG)),
                missed.claim("texts-moment")
                        .says("A decoder: DPG brings the share of texts with an \"a\" to a half, within 5 points.")
                        .less(LETTER_DPG.missed(), MISSED),
                missed.claim("texts-moment-reward")
                        .says("A decoder: rewarding the \"a\", with the KL in the reward, misses that by more.")
                        .more(LETTER_KL_RL.missed(), MISSED),
                missed.claim("texts-moment-collapse")
                        .says("A decoder: rewarding the \"a\" without the KL misses that by more.")
                        .more(LETTER_REINFORCE.missed(), MISSED),
                missed.claim("texts-moment-fitted")
                        .says("A decoder: no reward brings KL-regularised RL there: that of the fitted lambda misses "
                                + "it too.")
                        .more(LETTER_FITTED.missed(), MISSED),
                measure(e, ENTROPY.title, "")
                        .claim("texts-seeking")
                        .says("A decoder: a policy of independent letters seeks modes under KL-regularised RL: it "
                                + "has less entropy than the posterior.")
                        .less(ENTROPY.arm(PLACE_KL_RL), new Claim.Arm("posterior", PLACE_POSTERIOR_ENTROPY)),
                measure(e, ENTROPY.title, "")
                        .claim("texts-covering")
                        .says("A decoder: a policy of independent letters covers all mass under DPG: it has more "
                                + "entropy than the posterior.")
                        .more(ENTROPY.arm(PLACE_DPG), new Claim.Arm("posterior", PLACE_POSTERIOR_ENTROPY)),
                measure(e, KL_FROM.title, "")
                        .claim("texts-uncovered")
                        .says("A decoder: of what a policy of independent letters cannot be, DPG leaves less of the "
                                + "posterior uncovered than KL-regularised RL.")
                        .less(KL_FROM.arm(PLACE_DPG), KL_FROM.arm(PLACE_KL_RL)));
    }
}
