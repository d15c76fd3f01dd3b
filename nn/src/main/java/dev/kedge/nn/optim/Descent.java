package dev.kedge.nn.optim;

import dev.kedge.nn.Parameters;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.util.function.IntConsumer;
import java.util.function.IntFunction;
import java.util.function.IntToDoubleFunction;

/// Steps of AdamW down a loss: the loop of experiments that need neither a run folder nor checkpoints.
///
/// ```java
/// Descent.at(1e-3, 400).run(policy.parameters(), step -> loss(batches.get(step)));
/// ```
///
/// @param steps how many, >= 0
/// @param rate  the learning rate of a step, counted from 0
/// @param clip  what the norm of a gradient is clipped at, > 0; infinite: not at all
public record Descent(int steps, IntToDoubleFunction rate, AdamW.Config config, double clip) {
    /// At one rate.
    public static Descent at(double rate, int steps) {
        return new Descent(steps, _ -> rate, AdamW.Config.DEFAULT, Double.POSITIVE_INFINITY);
    }

    /// At a rate that falls linearly to 0.
    public static Descent falling(double rate, int steps) {
        return along(new Schedule(Schedule.Shape.LINEAR, rate, 0, steps, 0));
    }

    /// Without weight decay and clipping.
    public static Descent along(Schedule schedule) {
        return new Descent(schedule.steps(), schedule::at, AdamW.Config.DEFAULT, Double.POSITIVE_INFINITY);
    }

    /// @param loss of a step, counted from 0: a scalar, whose gradient flows to the parameters
    public void run(Parameters parameters, IntFunction<Tensor> loss) {
        run(parameters, loss, _ -> {});
    }

    /// @param after what follows a step, outside of its [Scope]
    public void run(Parameters parameters, IntFunction<Tensor> loss, IntConsumer after) {
        try (var optimizer = new AdamW(parameters, config)) {
            for (int step = 0; step < steps; step++) {
                try (Scope _ = new Scope()) {
                    loss.apply(step).backward();
                    if (clip < Double.POSITIVE_INFINITY) {
                        parameters.clipGradient(clip);
                    }
                    optimizer.step(rate.applyAsDouble(step));
                }
                after.accept(step);
            }
        }
    }
}
