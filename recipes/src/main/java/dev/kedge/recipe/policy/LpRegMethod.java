package dev.kedge.recipe.policy;

import dev.kedge.config.Kind;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.objective.policy.Grpo;
import dev.kedge.objective.policy.LpReg;
import dev.kedge.tensor.Gradients;
import dev.kedge.tensor.InPlace;
import dev.kedge.tensor.Tensor;
import java.util.Map;

/// [LpReg]: GRPO that keeps improbable tokens from being pushed out where the proxy, a policy without its noise, means
/// them. The threshold below which a token counts as improbable is one of the whole step. A truncated completion is
/// what the verifier says of it.
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
        /// The policy that drew the completions, as in the paper: the pull slows the loss of a token.
        @Kind("sampler")
        record Sampler() implements Source {}

        /// The policy as it is now: the same where every draw serves one step.
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
            case Source.Present() -> step -> plan(step, step.policy());
            case Source.Start() -> step -> plan(step, step.reference());
            case Source.Sampler(), Source.Average(double _) -> new Remembered(start.copy());
        };
    }

    /// @param model what the proxy is made of
    private PolicyMethod.PartLoss plan(RolloutBatch step, Decoder model) {
        Tensor advantages = Grpo.advantages(step.rewards()).to(step.policy().device());
        Tensor candidates = pull instanceof Pull.Exact
                ? step.mask()
                : step.mask().and(advantages.lt(0).unsqueeze(1));
        double threshold = LpReg.threshold(step.logProbs(), candidates, share);
        return part -> {
            Tensor logits = model == step.policy() ? part.logits().detach() : part.logits(model);
            Tensor proxy = LpReg.proxyLogProbs(logits, part.tokens(), part.mask(), kappa)
                    .minus(ROUNDING);
            return switch (pull) {
                case Pull.Sampled(double cap) ->
                    LpReg.lpReg(
                            part.rollout(),
                            part.of(advantages),
                            new LpReg.Pull(proxy, threshold, beta, cap),
                            clipLow,
                            clipHigh,
                            step.tokens());
                case Pull.Exact() ->
                    LpReg.published(
                            part.rollout(),
                            part.of(advantages),
                            proxy,
                            LpReg.kl(part.logits(), logits, part.mask(), kappa),
                            threshold,
                            beta,
                            1 + clipHigh,
                            step.tokens());
            };
        };
    }

    /// With a policy of the past.
    private final class Remembered implements Learner {
        private final Decoder past;

        private Remembered(Decoder past) {
            this.past = past;
        }

        @Override
        public PolicyMethod.PartLoss plan(RolloutBatch step) {
            if (source instanceof Source.Average(double decay)) {
                follow(step.policy(), 1 - decay);
            } else if (step.isOnPolicy()) {
                follow(step.policy(), 1);
                return LpRegMethod.this.plan(step, step.policy());
            }
            return LpRegMethod.this.plan(step, past);
        }

        private void follow(Decoder policy, double share) {
            try (var _ = Gradients.off()) {
                Tensor mine = past.parameters().flat();
                InPlace.copy_(
                        mine,
                        mine.times(1 - share).plus(policy.parameters().flat().times(share)));
            }
        }

        @Override
        public Map<String, Tensor> state() {
            return past.parameters().named();
        }

        @Override
        public void close() {
            past.close();
        }
    }
}
