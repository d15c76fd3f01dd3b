package dev.kedge.recipe.policy;

import dev.kedge.config.Kind;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.objective.Loss;
import dev.kedge.objective.policy.Entropy;
import dev.kedge.objective.policy.ReferenceKl;
import dev.kedge.objective.policy.Spine;
import dev.kedge.objective.policy.Spine.Forking;
import dev.kedge.tensor.Creation;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Elementwise;
import dev.kedge.tensor.Gradients;
import dev.kedge.tensor.InPlace;
import dev.kedge.tensor.Tensor;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/// [Spine]: votes in place of rewards, as in [TtrlMethod], learnt only at the tokens where completions fork, whose
/// entropies are held inside a band. A truncated completion votes where an answer can be read off it.
///
/// @param selection    which tokens are forks
/// @param clip         dimensionless, in (0, 1), customarily 0.2
/// @param lowStrength  of the band's floor, per nat, >= 0; the paper does not publish its own
/// @param highStrength of the band's ceiling, likewise
/// @param memory       how much of the band is that of earlier steps, in [0, 1]: 0, as in the paper, gives each
///                     completion the band of its own entropies, which fall together; 1 holds all to the mean band of
///                     the first step; in between the mean band is a moving average
/// @param anchor       strength of the KL to the start at the forks, >= 0; at 0 no reference is asked
@Kind("spine")
public record SpineMethod(
        Selection selection, double clip, double lowStrength, double highStrength, double memory, double anchor)
        implements PolicyMethod {
    public SpineMethod {
        Range.requireShare("clip", clip);
        Range.requireFinite("low_strength", lowStrength);
        Range.requireFinite("high_strength", highStrength);
        Range.requireProbability("memory", memory);
        Range.requireFinite("anchor", anchor);
    }

    /// Which tokens are forks, and the band of their entropies.
    public sealed interface Selection {
        /// [Spine#topShare].
        ///
        /// @param share of a completion's tokens, in (0, 1], customarily 0.2
        /// @param low   quantile at the band's floor, customarily 0.1
        /// @param high  quantile at its ceiling, customarily 0.5
        @Kind("top_share")
        record TopShare(double share, double low, double high) implements Selection {
            public TopShare {
                if (!(share > 0 && share <= 1)) {
                    throw new IllegalArgumentException("share must be in (0, 1], was " + share);
                }
                if (!(0 <= low && low <= high && high <= 1)) {
                    throw new IllegalArgumentException("0 <= low <= high <= 1 expected, were " + low + " and " + high);
                }
            }
        }

        /// [Spine#otsu].
        ///
        /// @param bins of a completion's histogram, >= 2, customarily 100
        @Kind("otsu")
        record Otsu(int bins) implements Selection {
            public Otsu {
                if (bins < 2) {
                    throw new IllegalArgumentException("bins must be >= 2, was " + bins);
                }
            }
        }

        /// @param entropies nats, `[B, T]`
        private Forking of(Tensor entropies, Tensor mask) {
            return switch (this) {
                case TopShare(double share, double low, double high) ->
                    Spine.topShare(entropies, mask, share, low, high);
                case Otsu(int bins) -> Spine.otsu(entropies, mask, bins);
            };
        }
    }

    @Override
    public String title() {
        return lowStrength == 0 && highStrength == 0 ? "SPINE without band" : "SPINE";
    }

    @Override
    public Learner learner(Decoder start) {
        if (memory == 0) {
            return batch -> loss(batch, null);
        }
        Tensor band = Creation.full(-1, DType.FLOAT64, start.device(), 2).unscoped();
        return Learner.remembering(() -> Map.of("band", band), band::close, batch -> {
            follow(batch, band);
            return loss(batch, band);
        });
    }

    /// @param band floor and ceiling of all completions, [2]; null: each has its own
    private Function<MicroBatch, Loss> loss(RolloutBatch batch, Tensor band) {
        Tensor advantages = Spine.advantages(TtrlMethod.votes(batch.rollouts()));
        long forks = anchor == 0
                ? 0
                : (long) selection
                        .of(batch.presentEntropies(), batch.mask())
                        .count()
                        .sum()
                        .item();
        return microBatch -> {
            // Floor, ceiling and hinges come from the very same numbers: on a bound itself there is no gradient.
            Tensor entropies = Entropy.ofLogits(microBatch.logits(), microBatch.mask());
            Forking forking = selection.of(entropies, microBatch.mask());
            if (band != null) {
                Tensor ones = forking.low().onesLike();
                forking = new Forking(forking.selected(), ones.times(band.select(0, 0)), ones.times(band.select(0, 1)));
            }
            Loss loss = Spine.policy(microBatch.rollout(), microBatch.of(advantages), forking, clip, batch.tokens())
                    .plus(Spine.band(entropies, forking, lowStrength, highStrength, batch.tokens()));
            if (anchor == 0) {
                return loss;
            }
            Tensor kl = ReferenceKl.exact(microBatch.logits(), microBatch.logits(batch.reference()), microBatch.mask());
            return loss.plus(Spine.anchor(kl, forking, anchor, Math.max(1, forks)));
        };
    }

    /// Moves the mean band of earlier steps on.
    ///
    /// @param band floor and ceiling, nats; below 0 before the first step
    private void follow(RolloutBatch batch, Tensor band) {
        try (var _ = Gradients.off()) {
            Tensor mask = batch.mask();
            Forking forking = selection.of(batch.presentEntropies(), mask);
            Tensor now = Tensor.stack(List.of(mean(forking.low(), mask), mean(forking.high(), mask)), 0)
                    .to(DType.FLOAT64);
            boolean first = band.select(0, 0).item() < 0;
            InPlace.copy_(band, first ? now : band.times(memory).plus(now.times(1 - memory)));
        }
    }

    /// Over the completions that have tokens.
    private static Tensor mean(Tensor values, Tensor mask) {
        Tensor counted = mask.sum(1).gt(0);
        return values.whereElse(counted, 0).sum().div(Elementwise.clampMin(counted.sum(), 1));
    }
}
