package dev.kedge.lab.claim;

import dev.kedge.lab.claim.Claim.Arm;
import dev.kedge.lab.claim.Claim.Threshold;
import dev.kedge.lab.plot.PairedSample;
import dev.kedge.lab.plot.Quantity;
import dev.kedge.statistics.Bootstrap;
import dev.kedge.statistics.Estimate;
import java.util.List;
import java.util.OptionalDouble;

/// A claim with what was found.
///
/// @param margins of each seed: by how much it is as claimed
/// @param effect  their mean with its 95 % BCa bootstrap interval
/// @param verdict what follows from the interval
public record Finding(Claim claim, Measurement measurement, double[] margins, Estimate effect, Verdict verdict) {
    static final Bootstrap BOOTSTRAP = new Bootstrap(10_000, 0.95, 0);

    /// Finds what a measurement says.
    ///
    /// @throws IllegalArgumentException if it is of another experiment, or has fewer than [Experiment#FEWEST] seeds
    public static Finding of(Claim claim, Measurement measurement) {
        if (!measurement.experiment().name().equals(claim.experiment().name())) {
            throw new IllegalArgumentException(claim.name() + " is about the experiment "
                    + claim.experiment().name() + ", not "
                    + measurement.experiment().name());
        }
        if (measurement.outcomes().size() < Experiment.FEWEST) {
            throw new IllegalArgumentException(claim.name() + ": at least " + Experiment.FEWEST
                    + " seeds are needed, got " + measurement.outcomes().size());
        }
        var margins = measurement.outcomes().stream().mapToDouble(claim::margin).toArray();
        var effect = BOOTSTRAP.bca(margins);
        return new Finding(claim, measurement, margins, effect, Verdict.of(effect, claim.asked()));
    }

    public int seeds() {
        return margins.length;
    }

    /// The effect with its sign, so that a small negative one is not taken for support, and its interval:
    /// "+0.21 nats (0.18 to 0.24)".
    public String effectInWords() {
        return (effect.value() > 0 ? "+" : "") + Quantity.text(effect.value(), claim.unit()) + " ("
                + Quantity.interval(effect, claim.unit()) + ")";
    }

    /// The values of an arm by seed.
    double[] values(Arm arm) {
        return measurement.outcomes().stream()
                .mapToDouble(o -> o.number(arm.number()))
                .toArray();
    }

    /// What is compared, in words: "entropy (nats): forward KL against reverse KL".
    public String comparison() {
        var against =
                switch (claim.against()) {
                    case Arm arm -> " against " + arm.name();
                    case Threshold _ -> "";
                };
        return measure() + ": " + claim.method().name() + against;
    }

    private String measure() {
        return claim.measure() + (claim.unit().isEmpty() ? "" : " (" + claim.unit() + ")");
    }

    /// The seeds' values, to be drawn.
    PairedSample sample() {
        var method = new PairedSample.Arm(claim.method().name(), values(claim.method()));
        return switch (claim.against()) {
            case Arm arm ->
                new PairedSample(
                        measure(),
                        List.of(method, new PairedSample.Arm(arm.name(), values(arm))),
                        OptionalDouble.empty(),
                        margins,
                        effect,
                        claim.asked());
            case Threshold threshold ->
                new PairedSample(
                        measure(),
                        List.of(method),
                        OptionalDouble.of(threshold.value()),
                        margins,
                        effect,
                        claim.asked());
        };
    }
}
