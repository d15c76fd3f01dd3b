package dev.kedge.recipe.policy;

import dev.kedge.config.Kind;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.objective.policy.Drpo;
import dev.kedge.objective.policy.Rollout;
import dev.kedge.recipe.policy.PolicyGradientMethod.Estimator;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Gradients;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;

/// [Drpo]: right answers, the short ones most, against wrong ones, within a trust region of the policy that wrote them.
/// Right is what has the whole reward; where a verifier gives a part, that is wrong.
/// Where truncated completions are masked, they are wrong, and nothing but their share among the wrong ones remains.
///
/// @param lambda    dimensionless, > 0: the smaller, the shorter the answers; `.inf` is DisCO (arXiv:2505.12366), which
///                  does not look at lengths
/// @param tau       dimensionless, finite and > 0, customarily 10: near 0 the likeliest wrong answer counts, else all
/// @param estimator of the KL from the policy that wrote the answers; the authors' is k1
/// @param beta      strength of the trust region, per nat, finite and > 0; it matters where rollouts serve
///                  several steps
/// @param delta     nats a token that are free, finite and >= 0
@Kind("drpo")
public record DrpoMethod(double lambda, double tau, Estimator estimator, double beta, double delta)
        implements PolicyMethod {
    public DrpoMethod {
        if (!(lambda > 0)) {
            throw new IllegalArgumentException("lambda must be > 0, was " + lambda);
        }
        if (!(tau > 0 && tau < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("tau must be finite and > 0, was " + tau);
        }
        Drpo.strength(0, beta, delta);
    }

    @Override
    public String title() {
        return lambda == Double.POSITIVE_INFINITY ? "DisCO" : "DRPO, lambda " + lambda;
    }

    @Override
    public Learner learner(Decoder start) {
        return batch -> {
            Tensor right = right(batch);
            double strength = Drpo.strength(kl(batch), beta, delta);
            long longest = batch.rollouts().sampler().maxTokens();
            return microBatch -> {
                Rollout rollout = microBatch.rollout();
                Tensor rewards = microBatch
                        .of(right.reshape(-1))
                        .reshape(-1, batch.rollouts().group());
                Tensor strengths = rewards.select(1, 0).onesLike().times(strength);
                return Drpo.drpo(rollout, rewards, longest, lambda, tau, batch.questions())
                        .plus(Drpo.trustRegion(rollout, estimator.function(), strength, batch.tokens()))
                        .with("trust_region/strength", strengths);
            };
        };
    }

    /// 1 for the whole reward and a token to learn from, else 0: `[P, G]`.
    private static Tensor right(RolloutBatch batch) {
        Tensor rewards = batch.rewards();
        Tensor learnt = batch.mask().sum(1).gt(0).reshape(rewards.shape());
        return rewards.ge(1).and(learnt).to(DType.FLOAT64);
    }

    /// KL of the batch from the policy that wrote it, nats a token.
    private double kl(RolloutBatch batch) {
        if (batch.isOnPolicy()) {
            return 0;
        }
        try (Scope _ = new Scope();
                var _ = Gradients.off()) {
            Tensor each = estimator.function().apply(batch.oldLogProbs(), batch.logProbs()); // masked: 0 in both
            return each.to(DType.FLOAT64).sum().item() / batch.tokens();
        }
    }
}
