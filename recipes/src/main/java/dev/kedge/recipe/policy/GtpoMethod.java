package dev.kedge.recipe.policy;

import dev.kedge.config.Kind;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.objective.Loss;
import dev.kedge.objective.policy.GroupRelative;
import dev.kedge.objective.policy.Gtpo;
import dev.kedge.objective.policy.Rollout;
import dev.kedge.tensor.Elementwise;
import dev.kedge.tensor.InPlace;
import dev.kedge.tensor.Tensor;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/// [Gtpo]: tokens that good and bad answers share at their ends are not punished, and answers of high entropy not
/// learnt from. Where truncated completions are masked, they have their part in the mean of their group and no tokens.
///
/// Entropies are those that the tokens were drawn with, at the temperature of the sampler: the present policy's, on
/// policy, which is all that the paper does.
///
/// @param gamma          what a nat of mean entropy takes off the advantage, in the unit of the rewards, finite and
///                       >= 0; the authors' is 0.1 for rewards up to 20
/// @param threshold      mean entropy above which a completion is not learnt from, nats, > 0; `.inf` filters
///                       none, the authors' code has 0.7. Absent: ln 2, unless the first rollouts are above it
///                       on average; then none
/// @param positiveWeight what a conflict token of a good completion weighs, finite and > 0, customarily 2
/// @param conflicts      what becomes of conflict tokens
@Kind("gtpo")
public record GtpoMethod(double gamma, Optional<Double> threshold, double positiveWeight, Conflicts conflicts)
        implements PolicyMethod {
    /// What becomes of tokens that completions of opposite advantages share.
    public enum Conflicts {
        /// They are protected, and a completion counts the less the longer its run of them: the authors' code.
        COUNTED,
        /// They are protected: the paper's formula.
        UNCOUNTED,
        /// Nothing.
        IGNORED
    }

    public GtpoMethod {
        Range.requireFinite("gamma", gamma);
        threshold.ifPresent(nats -> {
            if (!(nats > 0)) {
                throw new IllegalArgumentException("threshold must be > 0, was " + nats);
            }
        });
        if (!(positiveWeight > 0 && positiveWeight < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("positive_weight must be finite and > 0, was " + positiveWeight);
        }
    }

    @Override
    public String title() {
        return "GTPO"
                + (threshold.isPresent() && threshold.get() == Double.POSITIVE_INFINITY ? " without filter" : "")
                + switch (conflicts) {
                    case COUNTED -> "";
                    case UNCOUNTED -> ", uncounted";
                    case IGNORED -> " without conflicts";
                };
    }

    @Override
    public Learner learner(Decoder start) {
        Tensor initial = Tensor.of(Double.NaN).unscoped();
        return Learner.remembering(
                () -> Map.of("initial_entropy", initial), initial::close, batch -> loss(batch, initial));
    }

    /// @param initial mean entropy of the first rollouts, nats, [1]; NaN before
    private Function<MicroBatch, Loss> loss(RolloutBatch batch, Tensor initial) {
        Tensor advantages = GroupRelative.centred(batch.rewards());
        Tensor lengths = Elementwise.clampMin(batch.mask().sum(1), 1).to(advantages.dtype());
        Tensor sums = batch.entropies().sum(1).to(advantages.dtype()).to(advantages.device());
        Tensor entropies = sums.div(lengths);
        if (Double.isNaN(initial.toDoubles()[0])) {
            InPlace.copy_(initial, Tensor.of(entropies.mean().item()));
        }
        double above = threshold.orElseGet(() -> Gtpo.threshold(initial.toDoubles()[0]));
        Tensor shaped = Gtpo.shaped(advantages.reshape(-1), entropies, gamma, above);
        return microBatch -> {
            Rollout rollout = microBatch.rollout();
            Tensor groups = microBatch
                    .of(advantages.reshape(-1))
                    .reshape(-1, batch.rollouts().group());
            Gtpo.Conflicts found = Gtpo.conflicts(microBatch.tokens(), microBatch.mask(), groups, positiveWeight);
            return switch (conflicts) {
                case COUNTED -> Gtpo.gtpo(rollout, microBatch.of(shaped), found, batch.completions());
                case UNCOUNTED -> Gtpo.uncounted(rollout, microBatch.of(shaped), found, batch.completions());
                case IGNORED -> {
                    Tensor ones = microBatch.mask().to(found.weights().dtype());
                    yield Gtpo.uncounted(
                            rollout,
                            microBatch.of(shaped),
                            new Gtpo.Conflicts(ones, found.counts()),
                            batch.completions());
                }
            };
        };
    }
}
