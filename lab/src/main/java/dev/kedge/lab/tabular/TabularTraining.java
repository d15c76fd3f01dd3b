package dev.kedge.lab.tabular;

import dev.kedge.nn.Parameters;
import dev.kedge.nn.optim.AdamW;
import dev.kedge.nn.optim.Extragradient;
import dev.kedge.nn.optim.Schedule;
import dev.kedge.objective.Loss;
import dev.kedge.objective.preference.PreferenceLogProbs;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.util.Arrays;
import java.util.Map;
import java.util.function.Supplier;

/// Training of a policy that is a table of logits `[X, n]`, in float64, from the reference on.
///
/// @param steps        of AdamW without weight decay
/// @param learningRate of the first step; it falls linearly to 0, so that training comes to rest
public record TabularTraining(int steps, double learningRate) {
    /// What a step minimises.
    @FunctionalInterface
    public interface Objective {
        /// @param logProbs the policy's, normalised, nats, `[X, n]`; gradient flows
        /// @param step     counted from 0
        /// @return a scalar
        Tensor loss(Tensor logProbs, int step);
    }

    /// What a step minimises against an opponent.
    @FunctionalInterface
    public interface OpponentObjective {
        /// @param opponent what another policy plays, without gradient: log-probabilities as above
        Tensor loss(Tensor logProbs, Tensor opponent, int step);
    }

    /// A loss on pairs, such as `(lp, pairs) -> Dpo.dpo(lp, 0.1, pairs)`.
    @FunctionalInterface
    public interface PairLoss {
        Loss of(PreferenceLogProbs lp, long pairsInStep);
    }

    /// The policy after training, log-probabilities `[X, n]`; all NaN where a loss was not finite.
    ///
    /// @param logStart the policy before: the reference's log-probabilities, `[X, n]`
    public double[][] train(double[][] logStart, Objective objective) {
        var schedule = new Schedule(Schedule.Shape.LINEAR, learningRate, 0, steps, 0);
        try (var _ = new Scope();
                var parameters = Parameters.copyOf(Map.of("logits", Tensor.of(logStart)), DType.FLOAT64, Device.CPU);
                var optimizer = new AdamW(parameters, AdamW.Config.DEFAULT)) {
            for (int step = 0; step < steps; step++) {
                try (var _ = new Scope()) {
                    Tensor loss = objective.loss(parameters.get("logits").logSoftmax(1), step);
                    if (!Double.isFinite(loss.item())) {
                        return diverged(logStart);
                    }
                    loss.backward();
                    optimizer.step(schedule.at(step));
                }
            }
            return parameters.get("logits").detach().logSoftmax(1).toRows();
        }
    }

    /// Half as many [Extragradient] steps, which take as many gradients: against the policy that the first gradient of
    /// a step would lead to goes the step itself.
    ///
    /// @return as [#train]
    public double[][] extragradient(double[][] logStart, OpponentObjective objective) {
        int updates = steps / 2;
        var schedule = new Schedule(Schedule.Shape.LINEAR, learningRate, 0, updates, 0);
        try (var _ = new Scope();
                var parameters = Parameters.copyOf(Map.of("logits", Tensor.of(logStart)), DType.FLOAT64, Device.CPU);
                var optimizer = new AdamW(parameters, AdamW.Config.DEFAULT);
                var extragradient = new Extragradient(parameters, optimizer)) {
            Supplier<Tensor> policy = () -> parameters.get("logits").logSoftmax(1);
            for (int update = 0; update < updates; update++) {
                int step = update;
                try (var _ = new Scope()) {
                    extragradient.step(
                            () -> policy.get().detach(),
                            opponent ->
                                    objective.loss(policy.get(), opponent, step).backward(),
                            schedule.at(update));
                }
            }
            double[][] trained = policy.get().detach().toRows();
            boolean finite =
                    Arrays.stream(trained).flatMapToDouble(Arrays::stream).allMatch(Double::isFinite);
            return finite ? trained : diverged(logStart);
        }
    }

    /// Every step goes through all pairs at once: what remains between two methods is their objectives.
    public double[][] onPairs(Bandit task, Bandit.Pairs pairs, PairLoss loss) {
        try (var _ = new Scope()) {
            Tensor chosen = Tensor.of(pairs.chosen(), pairs.count());
            Tensor rejected = Tensor.of(pairs.rejected(), pairs.count());
            Tensor ref = Tensor.of(task.logRef()).reshape(-1);
            Tensor refChosen = ref.indexSelect(0, chosen);
            Tensor refRejected = ref.indexSelect(0, rejected);
            return train(task.logRef(), (logProbs, _) -> {
                Tensor flat = logProbs.reshape(-1);
                var lp = new PreferenceLogProbs(
                        flat.indexSelect(0, chosen), flat.indexSelect(0, rejected), refChosen, refRejected);
                return loss.of(lp, pairs.count()).value();
            });
        }
    }

    private static double[][] diverged(double[][] like) {
        return Arrays.stream(like)
                .map(row -> Arrays.stream(row).map(_ -> Double.NaN).toArray())
                .toArray(double[][]::new);
    }
}
