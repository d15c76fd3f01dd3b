package dev.kedge.nn.optim;

/// The learning rate over a run: linear warm-up, at step s (s + 1) / (warmup + 1) of the peak, then one of three shapes
/// down to `floor` times the peak, which is reached with the end of the last step: no step is wasted at rate 0.
///
/// @param shape  after the warm-up
/// @param peak   the highest learning rate, > 0
/// @param warmup steps of warm-up, >= 0
/// @param steps  of the whole run, > 0
/// @param floor  share of the peak that is left at the end, in [0, 1]
public record Schedule(Shape shape, double peak, int warmup, int steps, double floor) {
    /// What follows the warm-up.
    public enum Shape {
        CONSTANT,
        LINEAR,
        COSINE
    }

    public Schedule {
        if (!(peak > 0 && peak < Double.POSITIVE_INFINITY) || warmup < 0 || steps < 1 || !(floor >= 0 && floor <= 1)) {
            throw new IllegalArgumentException(
                    "finite peak > 0, warmup >= 0, steps >= 1, floor in [0, 1] expected, were " + peak + ", " + warmup
                            + ", " + steps + ", " + floor);
        }
    }

    /// The learning rate of a step, counted from 0.
    public double at(int step) {
        if (step < warmup) {
            return peak * (step + 1) / (warmup + 1);
        }
        double progress = Math.min(1, (step - warmup) / (double) Math.max(1, steps - warmup));
        double share =
                switch (shape) {
                    case CONSTANT -> 1;
                    case LINEAR -> 1 - progress;
                    case COSINE -> 0.5 * (1 + Math.cos(Math.PI * progress));
                };
        return shape == Shape.CONSTANT ? peak : peak * (floor + (1 - floor) * share);
    }
}
