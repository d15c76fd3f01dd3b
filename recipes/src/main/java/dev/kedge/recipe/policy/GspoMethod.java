package dev.kedge.recipe.policy;

import dev.kedge.config.Kind;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.objective.policy.Gspo;
import dev.kedge.tensor.Tensor;

/// [Gspo].
///
/// @param clipLow  dimensionless, >= 0, customarily 3e-4: the ratio is a mean over tokens
/// @param clipHigh dimensionless, >= 0, customarily 4e-4
@Kind("gspo")
public record GspoMethod(double clipLow, double clipHigh) implements PolicyMethod {
    public GspoMethod {
        Range.requireFinite("clip_low", clipLow);
        Range.requireFinite("clip_high", clipHigh);
    }

    @Override
    public String title() {
        return "GSPO";
    }

    @Override
    public Learner learner(Decoder start) {
        return batch -> {
            Tensor advantages = Gspo.advantages(batch.rewards());
            return microBatch ->
                    Gspo.gspo(microBatch.rollout(), microBatch.of(advantages), clipLow, clipHigh, batch.completions());
        };
    }
}
