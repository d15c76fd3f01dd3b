package dev.kedge.recipe.policy;

import dev.kedge.config.Kind;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.objective.Loss;
import dev.kedge.objective.policy.Reinforce;
import dev.kedge.objective.policy.Reinforce.RunningMean;
import dev.kedge.tensor.InPlace;
import dev.kedge.tensor.Tensor;
import java.util.Map;
import java.util.function.Function;

/// [Reinforce] with the mean of all rewards of earlier steps as its baseline.
@Kind("reinforce")
public record ReinforceMethod() implements PolicyMethod {
    @Override
    public String title() {
        return "REINFORCE";
    }

    @Override
    public Learner learner(Decoder start) {
        Tensor mean = Tensor.of(0.0, 0.0).unscoped();
        return Learner.remembering(() -> Map.of("mean", mean), mean::close, batch -> loss(batch, mean));
    }

    /// @param mean value and count of [RunningMean], of earlier steps; this one's rewards are added
    private static Function<MicroBatch, Loss> loss(RolloutBatch batch, Tensor mean) {
        double[] soFar = mean.toDoubles();
        RunningMean baseline = new RunningMean(soFar[0], (long) soFar[1]);
        Tensor rewards = batch.rewards();
        Tensor advantages = rewards.minus(baseline.value()).reshape(-1);
        RunningMean next = baseline.with(rewards.toDoubles());
        InPlace.copy_(mean, Tensor.of(next.value(), next.count()));
        return microBatch -> Reinforce.reinforce(microBatch.rollout(), microBatch.of(advantages), batch.completions());
    }
}
