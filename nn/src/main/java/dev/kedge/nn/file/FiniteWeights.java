package dev.kedge.nn.file;

import static dev.kedge.nn.file.InvalidFileException.quoted;

import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.nio.file.Path;

/// Weights are finite: what a broken training left behind is refused where it is read, not found in what it says.
final class FiniteWeights {
    private FiniteWeights() {}

    /// The same tensor.
    ///
    /// @throws InvalidFileException naming it, if a number of it is NaN or infinite
    static Tensor required(Path file, String name, Tensor weights) {
        if (weights.dtype().isFloatingPoint()) {
            try (Scope _ = new Scope()) {
                long finite = Math.round(weights.isFinite().sum().item());
                if (finite != weights.numel()) {
                    throw new InvalidFileException(
                            file,
                            "tensor " + quoted(name) + ": " + (weights.numel() - finite) + " of " + weights.numel()
                                    + " weights are NaN or infinite; only finite ones can be used");
                }
            }
        }
        return weights;
    }
}
