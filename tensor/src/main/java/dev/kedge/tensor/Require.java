package dev.kedge.tensor;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/// The preconditions of objectives, checked on their first lines. Each throws [IllegalArgumentException] in one
/// sentence with the offending value; a tensor that is null is said to be missing. None reads a tensor's contents, so
/// none waits for a device.
public final class Require {
    private Require() {}

    /// A finite number above 0, such as a temperature or the strength of a regulariser.
    public static void positive(String name, double value) {
        if (!(value > 0 && value < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException(name + " must be finite and > 0, was " + value);
        }
    }

    /// Finite numbers above 0, at least one.
    public static void positive(String name, List<Double> values) {
        if (values.isEmpty() || values.stream().anyMatch(v -> !(v > 0 && v < Double.POSITIVE_INFINITY))) {
            throw new IllegalArgumentException(name + " must be finite numbers > 0, at least one, were " + values);
        }
    }

    /// A number strictly between two others.
    public static void between(String name, double value, double low, double high) {
        if (!(low < value && value < high)) {
            throw new IllegalArgumentException(name + " must be inside (" + low + ", " + high + "), was " + value);
        }
    }

    /// A number from `low`, inclusive, to `high`, exclusive, such as a probability of flipped labels.
    public static void from(String name, double value, double low, double high) {
        if (!(low <= value && value < high)) {
            throw new IllegalArgumentException(name + " must be in [" + low + ", " + high + "), was " + value);
        }
    }

    /// A denominator counted over the whole step: at least 1, and at least what this part of the step holds.
    ///
    /// @param inStep examples, pairs or tokens of the whole optimizer step
    /// @param here   those of this call
    public static void denominator(String name, long inStep, long here) {
        if (inStep < Math.max(1, here)) {
            throw new IllegalArgumentException(name + " counts the whole step and must be >= " + Math.max(1, here)
                    + ", what this part holds; was " + inStep);
        }
    }

    /// A tensor of so many dimensions; `layout` names them, such as `[B, T]`.
    public static void dims(String name, Tensor tensor, int dims, String layout) {
        if (tensor == null || tensor.dim() != dims) {
            throw new IllegalArgumentException(name + " must be " + layout + ", was " + shape(tensor));
        }
    }

    /// A tensor of the shape of another.
    public static void sameShape(String name, Tensor tensor, String otherName, Tensor other) {
        if (tensor == null || !Arrays.equals(tensor.shape(), other.shape())) {
            throw new IllegalArgumentException(
                    name + " must have the shape of " + otherName + ", " + shape(other) + ", was " + shape(tensor));
        }
    }

    private static String shape(Tensor tensor) {
        return tensor == null ? "missing" : Arrays.toString(tensor.shape());
    }

    /// A boolean mask, true = counts, of the shape of another tensor.
    public static void mask(String name, Tensor mask, String otherName, Tensor other) {
        if (mask != null && mask.dtype() != DType.BOOL) {
            throw new IllegalArgumentException(
                    name + " must be boolean, was " + mask.dtype().name().toLowerCase(Locale.ROOT));
        }
        sameShape(name, mask, otherName, other);
    }
}
