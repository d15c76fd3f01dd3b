package dev.kedge.recipe.variational;

import dev.kedge.config.Kind;

/// How a policy is brought to a target ([DpgTarget]): by which divergence, from whose samples. Every one is a weight of
/// the log-probability of a sample: `-(1/B) Σ w·log π`.
public sealed interface DpgInference {
    /// REINFORCE on the policy's own samples, the divergence from the prior in the reward: the reverse KL to the
    /// target. Where the target is [DpgTarget.Best], reward maximisation.
    @Kind("policy_gradient")
    record PolicyGradient(Baseline baseline) implements DpgInference {}

    /// Distributional policy gradient: the forward KL from the target, by importance weights of a proposal's samples.
    ///
    /// @param baseline  whether `Z·π/q` is taken from the weights
    /// @param divideByZ whether weights are divided by the running Z, lest the learning rate depend on the target's
    ///                  scale
    /// @param proposal  when the policy takes its place
    @Kind("dpg")
    record Dpg(boolean baseline, boolean divideByZ, Proposal proposal) implements DpgInference {}

    /// What is taken from a reward.
    enum Baseline {
        NONE,
        /// The mean over the step's samples: biased by one part in their number.
        BATCH_MEAN,
        /// The mean over the others.
        LEAVE_ONE_OUT
    }

    /// KL-adaptive proposals: every so many steps the policy takes the proposal's place if it is nearer to the target.
    ///
    /// @param criterion what is estimated
    /// @param every     steps between estimates, >= 1
    /// @param samples   of the proposal for an estimate, >= 2
    /// @param best      whether the policy must also be nearer than any proposal was
    record Proposal(Criterion criterion, int every, int samples, boolean best) {
        public Proposal {
            if (every < 1 || samples < 2) {
                throw new IllegalArgumentException(
                        "every >= 1 and samples >= 2 expected, were " + every + " and " + samples);
            }
        }
    }

    /// By what a policy is nearer than the proposal.
    enum Criterion {
        /// It always takes its place.
        INTERVAL,
        /// Total variation.
        TVD,
        /// `KL(p||.)`.
        KLD
    }
}
