package dev.kedge.sequence;

import dev.kedge.objective.Loss;
import dev.kedge.run.StepMetrics;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Tensor;

/// What a part of a step says of its loss.
public final class LossMetrics {
    private LossMetrics() {}

    /// The part's share of the step's loss, and of the mean of every other metric over the step's examples.
    ///
    /// @param inStep examples of the whole step
    public static StepMetrics of(Loss loss, long inStep) {
        StepMetrics metrics = new StepMetrics().add("loss", loss.value().item());
        loss.metrics().forEach((name, values) -> {
            if (!name.equals("loss")) { // of each example: the share is there already
                metrics.add(name, share(values, inStep));
            }
        });
        return metrics;
    }

    /// A part's share of the mean over the step's examples.
    ///
    /// @param values one an example of the part
    public static double share(Tensor values, long inStep) {
        return values.to(DType.FLOAT64).sum().item() / inStep;
    }
}
