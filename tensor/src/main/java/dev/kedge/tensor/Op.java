package dev.kedge.tensor;

import dev.kedge.tensor.Scope.Owned;
import java.util.Arrays;
import java.util.Locale;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.T_TensorTensor_T;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;

/// Calls the engine and turns what it throws into an exception that names the operation and every operand's shape.
/// Results are native: the caller makes a tensor with an owner of them, or drops them where the engine hands back the
/// operand that it has changed.
final class Op {
    private Op() {}

    interface Unary {
        Tensor apply(Tensor a);
    }

    interface Binary {
        Tensor apply(Tensor a, Tensor b);
    }

    interface Ternary {
        Tensor apply(Tensor a, Tensor b, Tensor c);
    }

    interface WithScalar {
        Tensor apply(Tensor a, Scalar s);
    }

    interface Pair {
        T_TensorTensor_T apply(Tensor a);
    }

    interface OverAll {
        Tensor apply(TensorVector parts);
    }

    interface Nullary {
        Tensor get();
    }

    /// No element type asked for. Apart, so that the classes that need it initialise where the natives are missing and
    /// can say so.
    static final class NoType {
        static final ScalarTypeOptional VALUE = new ScalarTypeOptional();

        private NoType() {}
    }

    static Tensor unary(String name, Owned a, Unary op) {
        try {
            return op.apply(a.handle(name));
        } catch (RuntimeException e) {
            throw failure(name, e, a);
        }
    }

    static Tensor binary(String name, Owned a, Owned b, Binary op) {
        try {
            return op.apply(a.handle(name), b.handle(name));
        } catch (RuntimeException e) {
            throw failure(name, e, a, b);
        }
    }

    static Tensor ternary(String name, Owned a, Owned b, Owned c, Ternary op) {
        try {
            return op.apply(a.handle(name), b.handle(name), c.handle(name));
        } catch (RuntimeException e) {
            throw failure(name, e, a, b, c);
        }
    }

    static Tensor scalar(String name, Owned a, double value, WithScalar op) {
        try (Scalar scalar = number(value)) {
            return op.apply(a.handle(name), scalar);
        } catch (RuntimeException e) {
            throw failure(name + " " + value, e, a);
        }
    }

    /// Two results of one operation, such as values and indices.
    static Tensor[] pair(String name, Owned a, Pair op) {
        try (T_TensorTensor_T both = op.apply(a.handle(name))) {
            return new Tensor[] {new Tensor(both.get0()), new Tensor(both.get1())};
        } catch (RuntimeException e) {
            throw failure(name, e, a);
        }
    }

    /// One result of a list of operands, which must not be empty.
    static Tensor joined(String name, Owned[] parts, OverAll op) {
        if (parts.length == 0) {
            throw new IllegalArgumentException(name + " of no tensors");
        }
        try (TensorVector vector = new TensorVector()) {
            for (Owned part : parts) {
                vector.push_back(part.handle(name));
            }
            return op.apply(vector);
        } catch (RuntimeException e) {
            throw failure(name, e, parts);
        }
    }

    static Tensor made(String name, Nullary op, Owned... operands) {
        try {
            return op.get();
        } catch (RuntimeException e) {
            throw failure(name, e, operands);
        }
    }

    /// With a number as second operand of an operation that LibTorch has for two tensors. For float32 and float64 the
    /// number goes in as a tensor of that type: as a Scalar it would be made a float64 tensor and then converted
    /// anew at each call, which costs more than the operation itself. Other types keep Scalar's own rules.
    static Tensor number(String name, Owned a, double value, Binary typed, WithScalar untyped) {
        try {
            Tensor handle = a.handle(name);
            int code = handle.scalar_type().value;
            if (Constants.has(code)) {
                return typed.apply(handle, Constants.of(code, value));
            }
            try (Scalar scalar = number(value)) {
                return untyped.apply(handle, scalar);
            }
        } catch (RuntimeException e) {
            throw failure(name + " " + value, e, a);
        }
    }

    /// A whole number stays one, so that operations on integers give integers.
    private static Scalar number(double value) {
        boolean whole = value == Math.rint(value) && Math.abs(value) < 1L << 53;
        return whole && !(value == 0 && 1 / value < 0) ? new Scalar((long) value) : new Scalar(value);
    }

    static RuntimeException failure(String name, RuntimeException cause, Owned... operands) {
        if (cause instanceof IllegalStateException || cause instanceof EngineException) {
            return cause; // a closed tensor, or an operation within this one: already named
        }
        String shapes = Stream.of(operands).map(Op::describe).collect(Collectors.joining(" and "));
        if (Stream.of(operands).anyMatch(Objects::isNull)) {
            return new NullPointerException(name + " of " + shapes + ": an operand is null");
        }
        return new EngineException(name + " of " + shapes + ": " + firstLine(cause), cause);
    }

    private static String describe(Owned operand) {
        if (operand == null) {
            return "null";
        }
        return operand.isOpen() ? typeAndShape(operand.handle("shape")) : "closed";
    }

    /// Such as `float32[2, 3]`.
    static String typeAndShape(Tensor t) {
        return DType.of(t.scalar_type().value).name().toLowerCase(Locale.ROOT) + Arrays.toString(shape(t));
    }

    static long[] shape(Tensor t) {
        long[] shape = new long[(int) t.dim()];
        for (int i = 0; i < shape.length; i++) {
            shape[i] = t.size(i);
        }
        return shape;
    }

    /// LibTorch appends a native stack to its message.
    private static String firstLine(RuntimeException e) {
        String message = String.valueOf(e.getMessage());
        int end = message.indexOf('\n');
        return end < 0 ? message : message.substring(0, end);
    }
}
