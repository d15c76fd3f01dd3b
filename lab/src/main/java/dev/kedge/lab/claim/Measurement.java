package dev.kedge.lab.claim;

import java.util.List;

/// An experiment with what its seeds gave.
///
/// @param outcomes of the seeds 1, 2, ..., in this order
/// @param seconds  that all took together, on one processor each
public record Measurement(Experiment experiment, List<Outcome> outcomes, double seconds) {
    public Measurement {
        outcomes = List.copyOf(outcomes);
    }
}
