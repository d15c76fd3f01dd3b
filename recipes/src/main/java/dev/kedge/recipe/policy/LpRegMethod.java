package dev.kedge.recipe.policy;

import dev.kedge.config.Kind;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.objective.Loss;
import dev.kedge.objective.policy.Grpo;
import dev.kedge.objective.policy.LpReg;
import dev.kedge.tensor.Gradients;
import dev.kedge.tensor.InPlace;
import dev.kedge.tensor.Tensor;
import java.util.function.Function;

/// [LpReg]: GRPO that keeps improbable tokens from being pushed out where the proxy, a policy without its noise, means
/// them. The threshold below which a token counts as improbable is one of the whole batch.
///
/// @param source   what the proxy is made of
/// @param kappa    probability below which a token is noise, as a share of the likeliest one's, in [0, 1],
///                 customarily 0.02
/// @param pull     how tokens are pulled up
/// @param share    of the tokens considered, in [0, 1]: 0.01 in the paper, whose steps have millions of them
/// @param beta     strength of the pull, >= 0, customarily 1
/// @param clipLow  ratios are bounded by `1 - clipLow` and `1 + clipHigh`, customarily 1; >= 0
/// @param clipHigh customarily 9; >= 0
@Kind("lp_reg")
public record LpRegMethod(
        Source source, double kappa, Pull pull, double share, double beta, double clipLow, double clipHigh)
        implements PolicyMethod {
    /// Log-probabilities of one distribution by two routes differ by less than this, nats: a proxy that filters nothing
    /// is not above the policy that it is made of.
    private static final double ROUNDING = 1e-5;

    public LpRegMethod {
        Range.requireProbability("kappa", kappa);
        Range.requireProbability("share", share);
        Range.requireFinite("beta", beta);
        Range.requireFinite("clip_low", clipLow);
        Range.requireFinite("clip_high", clipHigh);
    }

    /// What the proxy is made of.
    public sealed interface Source {
        /// The policy that wrote the completions, as in the paper: the pull slows the loss of a token.
        @Kind("sampler")
        record Sampler() implements Source {}

        /// The policy as it is now: the same where rollouts serve one step.
        @Kind("present")
        record Present() implements Source {}

        /// The policy that all began with: the pull brings tokens back.
        @Kind("start")
        record Start() implements Source {}

        /// A moving average of the policies, `decay·average + (1 - decay)·policy` at every step, the start at first.
        ///
        /// @param decay in [0, 1)
        @Kind("average")
        record Average(double decay) implements Source {
            public Average {
                if (!(decay >= 0 && decay < 1)) {
                    throw new IllegalArgumentException("decay must be in [0, 1), was " + decay);
                }
            }
        }
    }

    /// How tokens are pulled up.
    public sealed interface Pull {
        /// The authors' code: k3 at the token itself; the share is of tokens with a negative advantage.
        ///
        /// @param cap nats, > 0; the authors' is 10. Beyond it the pull has no gradient
        @Kind("sampled")
        record Sampled(double cap) implements Pull {
            public Sampled {
                if (!(cap > 0)) {
                    throw new IllegalArgumentException("cap must be > 0, was " + cap);
                }
            }
        }

        /// The paper's Eq. (6): the divergence over the vocabulary; the share is of all tokens, and ratios are bounded
        /// from above alone.
        @Kind("exact")
        record Exact() implements Pull {}
    }

    @Override
    public String title() {
        return switch (source) {
            case Source.Sampler() -> "Lp-Reg";
            case Source.Present() -> "Lp-Reg to the present";
            case Source.Start() -> "Lp-Reg to the start";
            case Source.Average(double _) -> "Lp-Reg to an average";
        };
    }

    @Override
    public Learner learner(Decoder start) {
        return switch (source) {
            case Source.Present() -> batch -> loss(batch, batch.policy());
            case Source.Start() -> batch -> loss(batch, batch.reference());
            case Source.Sampler() -> {
                Decoder past = start.copy();
                yield remembering(past, batch -> {
                    if (batch.isOnPolicy()) {
                        follow(past, batch.policy(), 1);
                    }
                    return loss(batch, batch.isOnPolicy() ? batch.policy() : past);
                });
            }
            case Source.Average(double decay) -> {
                Decoder past = start.copy();
                yield remembering(past, batch -> {
                    follow(past, batch.policy(), 1 - decay);
                    return loss(batch, past);
                });
            }
        };
    }

    private static Learner remembering(Decoder past, Learner learner) {
        return Learner.remembering(() -> past.parameters().named(), past::close, learner);
    }

    private static void follow(Decoder past, Decoder policy, double share) {
        try (var _ = Gradients.off()) {
            Tensor mine = past.parameters().flat();
            InPlace.copy_(
                    mine, mine.times(1 - share).plus(policy.parameters().flat().times(share)));
        }
    }

    /// @param model what the proxy is made of
    private Function<MicroBatch, Loss> loss(RolloutBatch batch, Decoder model) {
        Tensor advantages = Grpo.advantages(batch.rewards()).to(batch.policy().device());
        Tensor candidates = pull instanceof Pull.Exact
                ? batch.mask()
                : batch.mask().and(advantages.lt(0).unsqueeze(1));
        double threshold = LpReg.threshold(batch.logProbs(), candidates, share);
        return microBatch -> {
            Tensor logits = model == batch.policy() ? microBatch.logits().detach() : microBatch.logits(model);
            Tensor proxy = LpReg.proxyLogProbs(logits, microBatch.tokens(), microBatch.mask(), kappa)
                    .minus(ROUNDING);
            return switch (pull) {
                case Pull.Sampled(double cap) ->
                    LpReg.lpReg(
                            microBatch.rollout(),
                            microBatch.of(advantages),
                            new LpReg.Pull(proxy, threshold, beta, cap),
                            clipLow,
                            clipHigh,
                            batch.tokens());
                case Pull.Exact() ->
                    LpReg.published(
                            microBatch.rollout(),
                            microBatch.of(advantages),
                            proxy,
                            LpReg.kl(microBatch.logits(), logits, microBatch.mask(), kappa),
                            threshold,
                            beta,
                            1 + clipHigh,
                            batch.tokens());
            };
        };
    }
}
