package dev.kedge.recipe.policy;

import dev.kedge.config.Kind;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.objective.policy.Reinforce;
import dev.kedge.objective.policy.Reinforce.RunningMean;
import dev.kedge.tensor.InPlace;
import dev.kedge.tensor.Tensor;
import java.util.Map;

/// [Reinforce] with the mean of all rewards of earlier steps as its baseline. A truncated completion is what the
/// verifier says of it.
@Kind("reinforce")
public record ReinforceMethod() implements PolicyMethod {
    @Override
    public String title() {
        return "REINFORCE";
    }

    @Override
    public Learner learner(Decoder start) {
        return new Remembering(Tensor.of(0.0, 0.0).unscoped());
    }

    /// @param mean value and count of [RunningMean]
    private record Remembering(Tensor mean) implements Learner {
        @Override
        public PolicyMethod.PartLoss plan(RolloutBatch step) {
            double[] soFar = mean.toDoubles();
            RunningMean baseline = new RunningMean(soFar[0], (long) soFar[1]);
            Tensor rewards = step.rewards();
            Tensor advantages = rewards.minus(baseline.value()).reshape(-1);
            RunningMean next = baseline.with(rewards.toDoubles());
            InPlace.copy_(mean, Tensor.of(next.value(), next.count()));
            return part -> Reinforce.reinforce(part.rollout(), part.of(advantages), step.completions());
        }

        @Override
        public Map<String, Tensor> state() {
            return Map.of("mean", mean);
        }

        @Override
        public void close() {
            mean.close();
        }
    }
}
