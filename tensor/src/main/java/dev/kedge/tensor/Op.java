package dev.kedge.tensor;

import java.util.Arrays;
import java.util.Locale;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.T_TensorTensor_T;
import org.bytedeco.pytorch.Tensor;

/// Calls the engine and turns what it throws into an exception that names the operation and every operand's shape.
final class Op {
    private Op() {}

    interface Unary {
        Tensor apply(Tensor a);
    }

    interface Binary {
        Tensor apply(Tensor a, Tensor b);
    }

    interface WithScalar {
        Tensor apply(Tensor a, Scalar s);
    }

    interface Pair {
        T_TensorTensor_T apply(Tensor a);
    }

    interface Nullary {
        Tensor get();
    }

    static dev.kedge.tensor.Tensor unary(String name, dev.kedge.tensor.Tensor a, Unary op) {
        Tensor result;
        try {
            result = op.apply(a.handle(name));
        } catch (RuntimeException e) {
            throw failure(name, e, a);
        }
        return new dev.kedge.tensor.Tensor(result);
    }

    static dev.kedge.tensor.Tensor binary(
            String name, dev.kedge.tensor.Tensor a, dev.kedge.tensor.Tensor b, Binary op) {
        Tensor result;
        try {
            result = op.apply(a.handle(name), b.handle(name));
        } catch (RuntimeException e) {
            throw failure(name, e, a, b);
        }
        return new dev.kedge.tensor.Tensor(result);
    }

    static dev.kedge.tensor.Tensor scalar(String name, dev.kedge.tensor.Tensor a, double value, WithScalar op) {
        Tensor result;
        try (Scalar scalar = number(value)) {
            result = op.apply(a.handle(name), scalar);
        } catch (RuntimeException e) {
            throw failure(name + " " + value, e, a);
        }
        return new dev.kedge.tensor.Tensor(result);
    }

    /// Two results of one operation, such as values and indices.
    static dev.kedge.tensor.Tensor[] pair(String name, dev.kedge.tensor.Tensor a, Pair op) {
        try (T_TensorTensor_T both = op.apply(a.handle(name))) {
            return new dev.kedge.tensor.Tensor[] {
                new dev.kedge.tensor.Tensor(new Tensor(both.get0())),
                new dev.kedge.tensor.Tensor(new Tensor(both.get1()))
            };
        } catch (RuntimeException e) {
            throw failure(name, e, a);
        }
    }

    static dev.kedge.tensor.Tensor made(String name, Nullary op, dev.kedge.tensor.Tensor... operands) {
        Tensor result;
        try {
            result = op.get();
        } catch (RuntimeException e) {
            throw failure(name, e, operands);
        }
        return new dev.kedge.tensor.Tensor(result);
    }

    /// With a number as second operand of an operation that LibTorch has for two tensors. For float32 and float64 the
    /// number goes in as a tensor of that type: as a Scalar it would be made a float64 tensor and then converted
    /// anew at each call, which costs more than the operation itself. Other types keep Scalar's own rules.
    static dev.kedge.tensor.Tensor number(
            String name, dev.kedge.tensor.Tensor a, double value, Binary typed, WithScalar untyped) {
        Tensor result;
        try {
            Tensor handle = a.handle(name);
            int code = handle.scalar_type().value;
            if (Constants.has(code)) {
                result = typed.apply(handle, Constants.of(code, value));
            } else {
                try (Scalar scalar = number(value)) {
                    result = untyped.apply(handle, scalar);
                }
            }
        } catch (RuntimeException e) {
            throw failure(name + " " + value, e, a);
        }
        return new dev.kedge.tensor.Tensor(result);
    }

    /// [#number] in place.
    static dev.kedge.tensor.Tensor numberInPlace(
            String name, dev.kedge.tensor.Tensor a, double value, Binary typed, WithScalar untyped) {
        try {
            Tensor handle = a.handle(name);
            int code = handle.scalar_type().value;
            if (Constants.has(code)) {
                typed.apply(handle, Constants.of(code, value));
            } else {
                try (Scalar scalar = number(value)) {
                    untyped.apply(handle, scalar);
                }
            }
        } catch (RuntimeException e) {
            throw failure(name + " " + value, e, a);
        }
        return a;
    }

    static dev.kedge.tensor.Tensor inPlace(String name, dev.kedge.tensor.Tensor a, Unary op) {
        try {
            op.apply(a.handle(name));
        } catch (RuntimeException e) {
            throw failure(name, e, a);
        }
        return a;
    }

    /// Changes `a` in place; the engine hands back the same object, so it is not wrapped again.
    static dev.kedge.tensor.Tensor inPlace(
            String name, dev.kedge.tensor.Tensor a, dev.kedge.tensor.Tensor b, Binary op) {
        try {
            op.apply(a.handle(name), b.handle(name));
        } catch (RuntimeException e) {
            throw failure(name, e, a, b);
        }
        return a;
    }

    static dev.kedge.tensor.Tensor inPlace(String name, dev.kedge.tensor.Tensor a, double value, WithScalar op) {
        try (Scalar scalar = number(value)) {
            op.apply(a.handle(name), scalar);
        } catch (RuntimeException e) {
            throw failure(name + " " + value, e, a);
        }
        return a;
    }

    /// A whole number stays one, so that operations on integers give integers.
    private static Scalar number(double value) {
        boolean whole = value == Math.rint(value) && Math.abs(value) < 1L << 53;
        return whole && !(value == 0 && 1 / value < 0) ? new Scalar((long) value) : new Scalar(value);
    }

    static RuntimeException failure(String name, RuntimeException cause, dev.kedge.tensor.Tensor... operands) {
        if (cause instanceof IllegalStateException) {
            return cause; // a closed tensor, already named
        }
        String shapes = Stream.of(operands).map(Op::describe).collect(Collectors.joining(" and "));
        if (Stream.of(operands).anyMatch(Objects::isNull)) {
            return new NullPointerException(name + " of " + shapes + ": an operand is null");
        }
        return new IllegalArgumentException(name + " of " + shapes + ": " + firstLine(cause), cause);
    }

    private static String describe(dev.kedge.tensor.Tensor t) {
        if (t == null) {
            return "null";
        }
        return t.isOpen() ? t.dtype().name().toLowerCase(Locale.ROOT) + Arrays.toString(t.shape()) : "closed";
    }

    /// LibTorch appends a native stack to its message.
    private static String firstLine(RuntimeException e) {
        String message = String.valueOf(e.getMessage());
        int end = message.indexOf('\n');
        return end < 0 ? message : message.substring(0, end);
    }
}
