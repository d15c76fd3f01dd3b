package dev.kedge.recipe.policy;

import dev.kedge.config.Kind;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.objective.divergence.SampledKl;
import dev.kedge.objective.policy.Oreal;
import dev.kedge.objective.policy.TokenRewardModel.Weights;

/// Behaviour cloning of the correct completions among the n to a question, each token alike: what
/// [OrealMethod] is without advantages, negatives and token weights (arXiv:2502.06781). A completion is correct where
/// it has the whole reward.
///
/// @param kl strength of the KL to the start, nats a token, >= 0
@Kind("cloning")
public record CloningMethod(double kl) implements PolicyMethod {
    public CloningMethod {
        Range.requireFinite("kl", kl);
    }

    @Override
    public String title() {
        return "Best-of-n cloning";
    }

    @Override
    public Learner learner(Decoder start) {
        return batch -> {
            OrealMethod.Outcomes outcomes = OrealMethod.Outcomes.of(batch, OrealMethod.Kept.ALL);
            return microBatch -> {
                Oreal.Answers answers = outcomes.of(microBatch);
                return Oreal.plainCloning(
                        answers,
                        Weights.ones(answers.logProbs()),
                        new Oreal.Strengths(1, 0, kl),
                        SampledKl::k3,
                        outcomes.tokens());
            };
        };
    }
}
