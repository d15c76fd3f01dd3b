package dev.kedge.tensor;

import static dev.kedge.tensor.Op.binary;
import static dev.kedge.tensor.Op.inPlace;
import static dev.kedge.tensor.Op.made;
import static dev.kedge.tensor.Op.number;
import static dev.kedge.tensor.Op.numberInPlace;
import static dev.kedge.tensor.Op.pair;
import static dev.kedge.tensor.Op.scalar;
import static dev.kedge.tensor.Op.unary;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.bytedeco.pytorch.BoolOptional;
import org.bytedeco.pytorch.LongOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarOptional;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.TensorArrayRefOptional;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/// An array of numbers in native memory, with gradients: LibTorch's tensor under Java names.
///
/// A tensor belongs to the innermost open [Scope] of its thread and is freed with it; see there. Operands broadcast
/// as the engine's do. Every operation throws [IllegalArgumentException], naming itself and the shapes, when shapes
/// or types do not fit, and [IllegalStateException] when a tensor was closed. Methods that end in `_` change the
/// tensor in place.
public final class Tensor implements AutoCloseable {
    private org.bytedeco.pytorch.Tensor handle;
    Scope owner;

    Tensor(org.bytedeco.pytorch.Tensor handle) {
        this.handle = handle;
        this.owner = Scope.adopt(this);
    }

    org.bytedeco.pytorch.Tensor handle(String operation) {
        if (handle == null) {
            throw new IllegalStateException(operation + ": this tensor was closed, by itself or with its scope");
        }
        return handle;
    }

    void free() {
        if (handle != null) {
            handle.close();
            handle = null;
            Scope.freed();
        }
    }

    /// Frees the native memory now. Closing twice does nothing.
    @Override
    public void close() {
        owner = null;
        free();
    }

    /// Takes this tensor out of its scope: it lives until somebody closes it, as parameters and caches do.
    ///
    /// @return this tensor
    public Tensor unscoped() {
        owner = null;
        return this;
    }

    /// Whether neither [#close] nor the closing of its scope has freed this tensor.
    public boolean isOpen() {
        return handle != null;
    }

    // --- making ---

    /// A vector of float64.
    public static Tensor of(double... values) {
        return of(values, values.length);
    }

    /// A float64 tensor of the given shape, row by row.
    public static Tensor of(double[] values, long... shape) {
        return filled(
                DType.FLOAT64, values.length, shape, t -> t.data_ptr_double().put(values));
    }

    /// A float64 matrix; rows of different lengths are refused.
    public static Tensor of(double[][] rows) {
        int columns = rows.length == 0 ? 0 : rows[0].length;
        for (double[] row : rows) {
            if (row.length != columns) {
                throw new IllegalArgumentException("rows of " + columns + " and " + row.length + " values");
            }
        }
        return of(Arrays.stream(rows).flatMapToDouble(Arrays::stream).toArray(), rows.length, columns);
    }

    /// A float32 tensor of the given shape, row by row.
    public static Tensor of(float[] values, long... shape) {
        return filled(
                DType.FLOAT32, values.length, shape, t -> t.data_ptr_float().put(values));
    }

    /// An int64 tensor of the given shape, row by row.
    public static Tensor of(long[] values, long... shape) {
        return filled(DType.INT64, values.length, shape, t -> t.data_ptr_long().put(values));
    }

    /// An int64 tensor of the given shape, row by row.
    public static Tensor of(int[] values, long... shape) {
        return of(Arrays.stream(values).asLongStream().toArray(), shape);
    }

    /// A boolean tensor of the given shape, row by row.
    public static Tensor mask(boolean[] values, long... shape) {
        byte[] bytes = new byte[values.length];
        for (int i = 0; i < values.length; i++) {
            bytes[i] = (byte) (values[i] ? 1 : 0);
        }
        return filled(
                DType.BOOL, bytes.length, shape, t -> new org.bytedeco.javacpp.BytePointer(t.data_ptr()).put(bytes));
    }

    /// A boolean matrix; rows of different lengths are refused.
    public static Tensor mask(boolean[][] rows) {
        int columns = rows.length == 0 ? 0 : rows[0].length;
        boolean[] flat = new boolean[rows.length * columns];
        for (int i = 0; i < rows.length; i++) {
            if (rows[i].length != columns) {
                throw new IllegalArgumentException("rows of " + columns + " and " + rows[i].length + " values");
            }
            System.arraycopy(rows[i], 0, flat, i * columns, columns);
        }
        return mask(flat, rows.length, columns);
    }

    /// A tensor of the given shape on the processor whose memory is a copy of `source`: row by row, little-endian.
    ///
    /// @throws IllegalArgumentException if `source` has not exactly as many bytes as the shape needs
    public static Tensor fromBytes(DType dtype, MemorySegment source, long... shape) {
        Tensor made = empty(dtype, Device.CPU, shape);
        try {
            if (made.numel() * dtype.bytes() != source.byteSize()) {
                throw new IllegalArgumentException("fromBytes: " + source.byteSize() + " bytes do not fill "
                        + dtype.name().toLowerCase() + Arrays.toString(shape));
            }
            bytesOf(made.handle).copyFrom(source);
        } catch (RuntimeException e) {
            made.close();
            throw e;
        }
        return made;
    }

    /// A 0-dimensional float64 tensor.
    public static Tensor scalarOf(double value) {
        return of(new double[] {value}, new long[0]);
    }

    /// A tensor of zeros.
    public static Tensor zeros(DType dtype, Device device, long... shape) {
        return full(0, dtype, device, shape);
    }

    /// A tensor of ones.
    public static Tensor ones(DType dtype, Device device, long... shape) {
        return full(1, dtype, device, shape);
    }

    /// A tensor filled with one value.
    public static Tensor full(double value, DType dtype, Device device, long... shape) {
        Natives.ready();
        return made("full " + Arrays.toString(shape), () -> {
            try (Scalar fill = new Scalar(value)) {
                return torch.full(shape, fill, options(dtype, device));
            }
        });
    }

    /// Memory whose contents are whatever they were.
    public static Tensor empty(DType dtype, Device device, long... shape) {
        Natives.ready();
        return made("empty " + Arrays.toString(shape), () -> {
            return torch.empty(shape, options(dtype, device), null);
        });
    }

    /// The integers from `start` to `end`, exclusive: int64.
    public static Tensor arange(long start, long end, Device device) {
        Natives.ready();
        return made("arange", () -> {
            try (Scalar from = new Scalar(start);
                    Scalar to = new Scalar(end)) {
                return torch.arange(from, to, options(DType.INT64, device));
            }
        });
    }

    /// Joins along an existing dimension.
    public static Tensor cat(List<Tensor> parts, int dim) {
        return joined("cat", parts, v -> torch.cat(v, dim));
    }

    /// Joins along a new dimension.
    public static Tensor stack(List<Tensor> parts, int dim) {
        return joined("stack", parts, v -> torch.stack(v, dim));
    }

    /// Zeros of this shape, type and place.
    public Tensor zerosLike() {
        return unary("zerosLike", this, torch::zeros_like);
    }

    /// Ones of this shape, type and place.
    public Tensor onesLike() {
        return unary("onesLike", this, torch::ones_like);
    }

    // --- reading ---

    /// The lengths of all dimensions; empty for a scalar.
    public long[] shape() {
        var t = handle("shape");
        long[] shape = new long[(int) t.dim()];
        for (int i = 0; i < shape.length; i++) {
            shape[i] = t.size(i);
        }
        return shape;
    }

    /// The length of a dimension; negative dimensions count from the end.
    public long size(int dim) {
        try {
            return handle("size").size(dim);
        } catch (RuntimeException e) {
            throw Op.failure("size(" + dim + ")", e, this);
        }
    }

    /// The number of dimensions.
    public int dim() {
        return (int) handle("dim").dim();
    }

    /// The number of elements.
    public long numel() {
        return handle("numel").numel();
    }

    /// The type of the elements.
    public DType dtype() {
        return DType.of(handle("dtype").scalar_type().value);
    }

    /// Where the elements lie.
    public Device device() {
        var t = handle("device");
        if (t.is_cpu()) {
            return Device.CPU;
        }
        try (var device = t.device();
                var name = device.str()) {
            return new Device(name.getString());
        }
    }

    /// The only element.
    public double item() {
        try {
            return handle("item").item_double();
        } catch (RuntimeException e) {
            throw Op.failure("item", e, this);
        }
    }

    /// All elements as double, row by row.
    public double[] toDoubles() {
        double[] values = new double[length("toDoubles")];
        return read("toDoubles", DType.FLOAT64, values.length, values, t -> t.data_ptr_double()
                .get(values));
    }

    /// The elements of a matrix as double: what [#of(double[][])] makes a tensor of.
    public double[][] toRows() {
        int rows = (int) size(0);
        int columns = (int) size(1);
        double[] flat = toDoubles();
        double[][] values = new double[rows][];
        Arrays.setAll(values, r -> Arrays.copyOfRange(flat, r * columns, (r + 1) * columns));
        return values;
    }

    /// All elements as float, row by row.
    public float[] toFloats() {
        float[] values = new float[length("toFloats")];
        return read("toFloats", DType.FLOAT32, values.length, values, t -> t.data_ptr_float()
                .get(values));
    }

    /// All elements as long, row by row.
    public long[] toLongs() {
        long[] values = new long[length("toLongs")];
        return read("toLongs", DType.INT64, values.length, values, t -> t.data_ptr_long()
                .get(values));
    }

    /// All elements, true where they are not 0, row by row.
    public boolean[] toBooleans() {
        byte[] bytes = new byte[length("toBooleans")];
        read("toBooleans", DType.BOOL, bytes.length, bytes, t -> new org.bytedeco.javacpp.BytePointer(t.data_ptr())
                .get(bytes));
        boolean[] values = new boolean[bytes.length];
        for (int i = 0; i < values.length; i++) {
            values[i] = bytes[i] != 0;
        }
        return values;
    }

    /// Copies all elements, in their own type, row by row and little-endian, to the start of `target`.
    ///
    /// @throws IndexOutOfBoundsException if `target` is too small
    public void toBytes(MemorySegment target) {
        try (var local = handle("toBytes").cpu();
                var dense = local.contiguous()) {
            MemorySegment bytes = bytesOf(dense);
            MemorySegment.copy(bytes, 0, target, 0, bytes.byteSize());
        }
    }

    // --- gradients ---

    /// Asks for gradients with respect to this leaf.
    ///
    /// @return this tensor
    public Tensor requiresGrad() {
        try {
            handle("requiresGrad").set_requires_grad(true);
        } catch (RuntimeException e) {
            throw Op.failure("requiresGrad", e, this);
        }
        return this;
    }

    /// Whether gradients are recorded through this tensor.
    public boolean hasGradientGraph() {
        return handle("hasGradientGraph").requires_grad();
    }

    /// Adds the gradient of this scalar to the `grad` of every leaf.
    public void backward() {
        try {
            handle("backward").backward();
        } catch (RuntimeException e) {
            throw Op.failure("backward", e, this);
        }
    }

    /// Adds the product of `gradient`, of this tensor's shape, with the Jacobian to the `grad` of every leaf.
    public void backward(Tensor gradient) {
        try (var keep = new BoolOptional();
                var inputs = new TensorArrayRefOptional()) {
            handle("backward").backward(gradient.handle("backward"), keep, false, inputs);
        } catch (RuntimeException e) {
            throw Op.failure("backward", e, this, gradient);
        }
    }

    /// What [#backward] has gathered here, a view; null before the first backward.
    public Tensor grad() {
        try (var gradient = handle("grad").grad()) { // a reference into this tensor, to be copied before that goes
            return gradient.defined() ? new Tensor(new org.bytedeco.pytorch.Tensor(gradient)) : null;
        }
    }

    /// Lets `gradient` be the place where gradients gather.
    public void setGrad(Tensor gradient) {
        try {
            var place = handle("setGrad");
            var gathered = gradient.handle("setGrad");
            // The engine believes a mutable reference, whatever is put there.
            if (dtype() != gradient.dtype() || !Arrays.equals(shape(), gradient.shape())) {
                throw new IllegalArgumentException("a gradient has the shape and type of its tensor");
            }
            place.mutable_grad().put(gathered);
        } catch (RuntimeException e) {
            throw Op.failure("setGrad", e, this, gradient);
        }
    }

    /// The same memory without the graph.
    public Tensor detach() {
        return unary("detach", this, t -> t.detach());
    }

    // --- arithmetic ---

    /// This + other.
    public Tensor plus(Tensor other) {
        return binary("plus", this, other, (a, b) -> a.add(b));
    }

    /// This + value, in this type where it is floating.
    public Tensor plus(double value) {
        return number("plus", this, value, (a, b) -> a.add(b), (a, s) -> a.add(s));
    }

    /// This - other.
    public Tensor minus(Tensor other) {
        return binary("minus", this, other, (a, b) -> a.sub(b));
    }

    /// This - value.
    public Tensor minus(double value) {
        return number("minus", this, value, (a, b) -> a.sub(b), (a, s) -> a.sub(s));
    }

    /// This · other, element by element.
    public Tensor times(Tensor other) {
        return binary("times", this, other, (a, b) -> a.mul(b));
    }

    /// This · value.
    public Tensor times(double value) {
        return number("times", this, value, (a, b) -> a.mul(b), (a, s) -> a.mul(s));
    }

    /// This / other, element by element; integers give float32.
    public Tensor div(Tensor other) {
        return binary("div", this, other, (a, b) -> a.div(b));
    }

    /// This / value.
    public Tensor div(double value) {
        return number("div", this, value, (a, b) -> a.div(b), (a, s) -> a.div(s));
    }

    /// This to the power of `exponent`.
    public Tensor pow(double exponent) {
        return scalar("pow", this, exponent, (a, s) -> a.pow(s));
    }

    /// This - divisor · ⌊this / divisor⌋: of the sign of the divisor.
    public Tensor remainder(double divisor) {
        return scalar("remainder", this, divisor, (a, s) -> a.remainder(s));
    }

    /// -x.
    public Tensor neg() {
        return unary("neg", this, t -> t.neg());
    }

    /// |x|.
    public Tensor abs() {
        return unary("abs", this, t -> t.abs());
    }

    /// -1, 0 or 1.
    public Tensor sign() {
        return unary("sign", this, t -> t.sign());
    }

    /// x².
    public Tensor square() {
        return unary("square", this, t -> t.square());
    }

    /// √x; NaN below 0.
    public Tensor sqrt() {
        return unary("sqrt", this, t -> t.sqrt());
    }

    /// 1/√x.
    public Tensor rsqrt() {
        return unary("rsqrt", this, t -> t.rsqrt());
    }

    /// eˣ.
    public Tensor exp() {
        return unary("exp", this, t -> t.exp());
    }

    /// eˣ - 1, exact to rounding near 0.
    public Tensor expm1() {
        return unary("expm1", this, t -> t.expm1());
    }

    /// The natural logarithm; -∞ at 0, NaN below.
    public Tensor log() {
        return unary("log", this, t -> t.log());
    }

    /// log(1 + x), exact to rounding near 0.
    public Tensor log1p() {
        return unary("log1p", this, t -> t.log1p());
    }

    /// sin x, x in radians.
    public Tensor sin() {
        return unary("sin", this, t -> t.sin());
    }

    /// cos x, x in radians.
    public Tensor cos() {
        return unary("cos", this, t -> t.cos());
    }

    /// tanh x.
    public Tensor tanh() {
        return unary("tanh", this, t -> t.tanh());
    }

    /// The error function, 2/√π ∫₀ˣ e^(-t²) dt.
    public Tensor erf() {
        return unary("erf", this, t -> t.erf());
    }

    /// log |Γ(x)|.
    public Tensor lgamma() {
        return unary("lgamma", this, t -> t.lgamma());
    }

    /// The largest integer not above x.
    public Tensor floor() {
        return unary("floor", this, t -> t.floor());
    }

    /// The nearest integer; halves go to the even one.
    public Tensor round() {
        return unary("round", this, t -> t.round());
    }

    /// σ(x) = 1 / (1 + e⁻ˣ).
    public Tensor sigmoid() {
        return unary("sigmoid", this, t -> t.sigmoid());
    }

    /// log σ(x), finite for every finite x.
    public Tensor logSigmoid() {
        return unary("logSigmoid", this, torch::log_sigmoid);
    }

    /// log(1 + exp(x)), exact to rounding for every finite x.
    public Tensor softplus() {
        try (Tensor zero = zerosLike()) {
            return binary("softplus", this, zero, (a, b) -> a.logaddexp(b));
        }
    }

    /// max(x, 0).
    public Tensor relu() {
        return unary("relu", this, t -> t.relu());
    }

    /// x σ(x).
    public Tensor silu() {
        return unary("silu", this, torch::silu);
    }

    /// The Gaussian error linear unit: exact, or by the tanh approximation.
    public Tensor gelu(boolean tanhApproximation) {
        return unary("gelu", this, t -> torch.gelu(t, tanhApproximation ? "tanh" : "none"));
    }

    /// log(exp(this) + exp(other)), element by element.
    public Tensor logAddExp(Tensor other) {
        return binary("logAddExp", this, other, (a, b) -> a.logaddexp(b));
    }

    /// The smaller of each pair; NaN if either is.
    public Tensor minimum(Tensor other) {
        return binary("minimum", this, other, (a, b) -> a.minimum(b));
    }

    /// The larger of each pair; NaN if either is.
    public Tensor maximum(Tensor other) {
        return binary("maximum", this, other, (a, b) -> a.maximum(b));
    }

    /// max(x, low).
    public Tensor clampMin(double low) {
        return scalar("clampMin", this, low, (a, s) -> a.clamp_min(s));
    }

    /// min(x, high).
    public Tensor clampMax(double high) {
        return scalar("clampMax", this, high, (a, s) -> a.clamp_max(s));
    }

    /// min(max(x, low), high); the gradient passes where low ≤ x ≤ high.
    public Tensor clamp(double low, double high) {
        return unary("clamp", this, t -> {
            try (var lowest = new Scalar(low);
                    var highest = new Scalar(high);
                    var min = new ScalarOptional(lowest);
                    var max = new ScalarOptional(highest)) {
                return t.clamp(min, max);
            }
        });
    }

    // --- comparing and choosing ---

    /// Whether the elements of a pair are equal: boolean.
    public Tensor eq(Tensor other) {
        return binary("eq", this, other, (a, b) -> a.eq(b));
    }

    /// Whether x = value: boolean.
    public Tensor eq(double value) {
        return scalar("eq", this, value, (a, s) -> a.eq(s));
    }

    /// Whether x ≠ value: boolean.
    public Tensor ne(double value) {
        return scalar("ne", this, value, (a, s) -> a.ne(s));
    }

    /// Whether this < other: boolean.
    public Tensor lt(Tensor other) {
        return binary("lt", this, other, (a, b) -> a.lt(b));
    }

    /// Whether x < value: boolean.
    public Tensor lt(double value) {
        return scalar("lt", this, value, (a, s) -> a.lt(s));
    }

    /// Whether this ≤ other: boolean.
    public Tensor le(Tensor other) {
        return binary("le", this, other, (a, b) -> a.le(b));
    }

    /// Whether x ≤ value: boolean.
    public Tensor le(double value) {
        return scalar("le", this, value, (a, s) -> a.le(s));
    }

    /// Whether this > other: boolean.
    public Tensor gt(Tensor other) {
        return binary("gt", this, other, (a, b) -> a.gt(b));
    }

    /// Whether x > value: boolean.
    public Tensor gt(double value) {
        return scalar("gt", this, value, (a, s) -> a.gt(s));
    }

    /// Whether this ≥ other: boolean.
    public Tensor ge(Tensor other) {
        return binary("ge", this, other, (a, b) -> a.ge(b));
    }

    /// Whether x ≥ value: boolean.
    public Tensor ge(double value) {
        return scalar("ge", this, value, (a, s) -> a.ge(s));
    }

    /// Whether both are not 0: boolean.
    public Tensor and(Tensor other) {
        return binary("and", this, other, (a, b) -> a.logical_and(b));
    }

    /// Whether either is not 0: boolean.
    public Tensor or(Tensor other) {
        return binary("or", this, other, (a, b) -> a.logical_or(b));
    }

    /// Whether x is 0: boolean.
    public Tensor not() {
        return unary("not", this, t -> t.logical_not());
    }

    /// Whether x is neither infinite nor NaN: boolean.
    public Tensor isFinite() {
        return unary("isFinite", this, torch::isfinite);
    }

    /// Whether no element is 0; true of none.
    public boolean allTrue() {
        try (Tensor all = unary("allTrue", this, t -> t.all())) {
            return all.item() != 0;
        }
    }

    /// Whether some element is not 0.
    public boolean anyTrue() {
        try (Tensor any = unary("anyTrue", this, t -> t.any())) {
            return any.item() != 0;
        }
    }

    /// This where `mask` is true, `value` elsewhere. Neither value nor gradient of what is not selected counts, NaN
    /// included.
    public Tensor whereElse(Tensor mask, double value) {
        return made(
                "whereElse",
                () -> {
                    try (Scalar other = new Scalar(value)) {
                        return torch.where(mask.handle("whereElse"), handle("whereElse"), other);
                    }
                },
                this,
                mask);
    }

    /// This where `mask` is true, `other` elsewhere.
    public Tensor whereElse(Tensor mask, Tensor other) {
        return made(
                "whereElse",
                () -> torch.where(mask.handle("whereElse"), handle("whereElse"), other.handle("whereElse")),
                this,
                mask,
                other);
    }

    /// The elements where `mask` is true, as a vector.
    public Tensor maskedSelect(Tensor mask) {
        return binary("maskedSelect", this, mask, (a, m) -> a.masked_select(m));
    }

    // --- reducing ---

    /// The sum of all elements, a scalar; booleans and integers give int64.
    public Tensor sum() {
        return unary("sum", this, t -> t.sum());
    }

    /// The sum along a dimension, which disappears.
    public Tensor sum(int dim) {
        return sum(dim, false);
    }

    /// The sum along a dimension, which stays with length 1 if `keepDim`.
    public Tensor sum(int dim, boolean keepDim) {
        return unary("sum", this, t -> t.sum(new long[] {dim}, keepDim, NoType.VALUE));
    }

    /// The mean of all elements, a scalar; NaN of none.
    public Tensor mean() {
        return unary("mean", this, t -> t.mean());
    }

    /// The mean along a dimension, which disappears.
    public Tensor mean(int dim) {
        return mean(dim, false);
    }

    /// The mean along a dimension, which stays with length 1 if `keepDim`.
    public Tensor mean(int dim, boolean keepDim) {
        return unary("mean", this, t -> t.mean(new long[] {dim}, keepDim, NoType.VALUE));
    }

    /// The running sums along a dimension.
    public Tensor cumsum(int dim) {
        return unary("cumsum", this, t -> t.cumsum(dim));
    }

    /// The largest elements along a dimension.
    public Tensor amax(int dim, boolean keepDim) {
        return unary("amax", this, t -> t.amax(new long[] {dim}, keepDim));
    }

    /// The smallest elements along a dimension.
    public Tensor amin(int dim, boolean keepDim) {
        return unary("amin", this, t -> t.amin(new long[] {dim}, keepDim));
    }

    /// The index of the largest element along a dimension: int64.
    public Tensor argmax(int dim) {
        return unary("argmax", this, t -> {
            try (var d = new LongOptional(dim)) {
                return t.argmax(d, false);
            }
        });
    }

    /// log Σ exp along a dimension, which disappears; does not overflow.
    public Tensor logSumExp(int dim) {
        return unary("logSumExp", this, t -> t.logsumexp(dim));
    }

    /// exp(x) / Σ exp(x) along a dimension.
    public Tensor softmax(int dim) {
        return unary("softmax", this, t -> t.softmax(dim));
    }

    /// x - log Σ exp(x) along a dimension.
    public Tensor logSoftmax(int dim) {
        return unary("logSoftmax", this, t -> t.log_softmax(dim));
    }

    /// The Euclidean norm of all elements.
    public Tensor norm() {
        return unary("norm", this, t -> t.norm());
    }

    /// The k largest along the last dimension, largest first: values and indices.
    public Tensor[] topK(long k) {
        return pair("topK", this, t -> t.topk(k));
    }

    /// Sorted along a dimension: values and indices. Equal elements keep their order.
    public Tensor[] sort(int dim, boolean descending) {
        return pair("sort", this, t -> {
            try (var stable = new BoolOptional(true)) {
                return t.sort(stable, dim, descending);
            }
        });
    }

    // --- shapes and indexing ---

    /// The same elements in another shape, a view where the layout allows; one length may be -1.
    public Tensor reshape(long... shape) {
        return unary("reshape to " + Arrays.toString(shape), this, t -> t.reshape(shape));
    }

    /// The same memory in another shape; refused where the layout does not allow it.
    public Tensor view(long... shape) {
        return unary("view", this, t -> t.view(shape));
    }

    /// A view with two dimensions swapped.
    public Tensor transpose(int a, int b) {
        return unary("transpose", this, t -> t.transpose(a, b));
    }

    /// A view of a matrix, transposed.
    public Tensor t() {
        return unary("t", this, t -> t.t());
    }

    /// A view with the dimensions in another order.
    public Tensor permute(long... dims) {
        return unary("permute", this, t -> t.permute(dims));
    }

    /// A view with a dimension of length 1 put in before `dim`.
    public Tensor unsqueeze(int dim) {
        return unary("unsqueeze", this, t -> t.unsqueeze(dim));
    }

    /// A view without the dimension `dim`, if its length is 1.
    public Tensor squeeze(int dim) {
        return unary("squeeze", this, t -> t.squeeze(dim));
    }

    /// A view in which dimensions of length 1 are repeated; -1 keeps a length.
    public Tensor expand(long... shape) {
        return unary("expand to " + Arrays.toString(shape), this, t -> t.expand(shape));
    }

    /// The same elements row by row in memory; no copy where they are already.
    public Tensor contiguous() {
        return unary("contiguous", this, t -> t.contiguous());
    }

    /// A view of `length` entries of a dimension from `start` on.
    public Tensor narrow(int dim, long start, long length) {
        return unary("narrow", this, t -> t.narrow(dim, start, length));
    }

    /// A view of one entry of a dimension, which disappears.
    public Tensor select(int dim, long index) {
        return unary("select", this, t -> t.select(dim, index));
    }

    /// The entries of a dimension at `index` [N], int64.
    public Tensor indexSelect(int dim, Tensor index) {
        return binary("indexSelect", this, index, (a, i) -> a.index_select(dim, i));
    }

    /// Along `dim`, the elements at `index`, of the result's shape, int64.
    public Tensor gather(int dim, Tensor index) {
        return binary("gather", this, index, (a, i) -> a.gather(dim, i));
    }

    /// A copy in which `source` stands at `index` along `dim`.
    public Tensor scatter(int dim, Tensor index, Tensor source) {
        return made(
                "scatter",
                () -> handle("scatter").scatter(dim, index.handle("scatter"), source.handle("scatter")),
                this,
                index,
                source);
    }

    /// A copy to which the rows of `source` [N, ...] are added at `index` [N] along a dimension.
    public Tensor indexAdd(int dim, Tensor index, Tensor source) {
        return made(
                "indexAdd",
                () -> handle("indexAdd").index_add(dim, index.handle("indexAdd"), source.handle("indexAdd")),
                this,
                index,
                source);
    }

    /// The places of the elements that are not 0: int64, [N, dim].
    public Tensor nonzero() {
        return unary("nonzero", this, torch::nonzero);
    }

    /// The lower triangle of a matrix, from the `diagonal`-th down; 0 elsewhere.
    public Tensor tril(long diagonal) {
        return unary("tril", this, t -> t.tril(diagonal));
    }

    /// Views of consecutive runs of a dimension, of the given lengths; their gradients are joined in one pass.
    public Tensor[] split(int dim, long... lengths) {
        try (TensorVector parts = torch.split(handle("split"), lengths, dim)) {
            Tensor[] made = new Tensor[lengths.length];
            for (int i = 0; i < made.length; i++) {
                made[i] = new Tensor(new org.bytedeco.pytorch.Tensor(parts.get(i)));
            }
            return made;
        } catch (RuntimeException e) {
            throw Op.failure("split into " + Arrays.toString(lengths), e, this);
        }
    }

    /// The entries of a dimension moved on by `shift`, cyclically.
    public Tensor roll(int dim, long shift) {
        return unary("roll", this, t -> t.roll(new long[] {shift}, dim));
    }

    // --- products ---

    /// This + `a` times `b`, element by element, in one pass.
    public Tensor plusProduct(Tensor a, Tensor b) {
        return made(
                "plusProduct",
                () -> handle("plusProduct").addcmul(a.handle("plusProduct"), b.handle("plusProduct")),
                this,
                a,
                b);
    }

    /// This [N, M] + `a` [N, K] times `b` [K, M], in one pass.
    public Tensor plusMatmul(Tensor a, Tensor b) {
        return made(
                "plusMatmul",
                () -> handle("plusMatmul").addmm(a.handle("plusMatmul"), b.handle("plusMatmul")),
                this,
                a,
                b);
    }

    /// The matrix product over the last two dimensions; those before broadcast.
    public Tensor matmul(Tensor other) {
        return binary("matmul", this, other, (a, b) -> a.matmul(b));
    }

    // --- types, places, copies ---

    /// The elements converted to another type; towards integers by cutting off the fraction.
    public Tensor to(DType dtype) {
        return unary("to " + dtype, this, t -> t.to(dtype.scalarType));
    }

    /// The elements on another device; this very tensor where it is on the processor and shall be.
    public Tensor to(Device device) {
        if (device.isCpu() && handle("to").is_cpu()) {
            return this;
        }
        return unary("to " + device, this, t -> {
            try (var d = new org.bytedeco.pytorch.Device(device.name())) {
                return t.to(d, t.scalar_type());
            }
        });
    }

    /// A copy in new memory. Gradients flow through it.
    public Tensor copy() {
        return unary("copy", this, t -> t.clone());
    }

    // --- in place ---

    /// Adds `other`.
    public Tensor plus_(Tensor other) {
        return inPlace("plus_", this, other, (a, b) -> a.add_(b));
    }

    /// Subtracts `other`.
    public Tensor minus_(Tensor other) {
        return inPlace("minus_", this, other, (a, b) -> a.sub_(b));
    }

    /// Multiplies by `other`.
    public Tensor times_(Tensor other) {
        return inPlace("times_", this, other, (a, b) -> a.mul_(b));
    }

    /// Multiplies by `value`.
    public Tensor times_(double value) {
        return numberInPlace("times_", this, value, (a, b) -> a.mul_(b), (a, s) -> a.mul_(s));
    }

    /// Adds `value`.
    public Tensor plus_(double value) {
        return numberInPlace("plus_", this, value, (a, b) -> a.add_(b), (a, s) -> a.add_(s));
    }

    /// Adds `value` times `other`.
    public Tensor plus_(Tensor other, double value) {
        try (Scalar s = new Scalar(value)) {
            handle("plus_").add_(other.handle("plus_"), s);
        } catch (RuntimeException e) {
            throw Op.failure("plus_", e, this, other);
        }
        return this;
    }

    /// Sets every element to `value`.
    public Tensor fill_(double value) {
        return inPlace("fill_", this, value, (a, s) -> a.fill_(s));
    }

    /// Adds the rows of `source` [N, ...] at `index` [N] along a dimension.
    public Tensor indexAdd_(int dim, Tensor index, Tensor source) {
        try {
            handle("indexAdd_").index_add_(dim, index.handle("indexAdd_"), source.handle("indexAdd_"));
        } catch (RuntimeException e) {
            throw Op.failure("indexAdd_", e, this, index, source);
        }
        return this;
    }

    /// Adds `source` at `index` along `dim`, as in [#gather] reversed.
    public Tensor scatterAdd_(int dim, Tensor index, Tensor source) {
        try {
            handle("scatterAdd_").scatter_add_(dim, index.handle("scatterAdd_"), source.handle("scatterAdd_"));
        } catch (RuntimeException e) {
            throw Op.failure("scatterAdd_", e, this, index, source);
        }
        return this;
    }

    /// Replaces every x by eˣ.
    public Tensor exp_() {
        return inPlace("exp_", this, t -> t.exp_());
    }

    /// Adds `a` [N, K] times `b` [K, M] to this [N, M].
    public Tensor plusMatmul_(Tensor a, Tensor b) {
        try {
            handle("plusMatmul_").addmm_(a.handle("plusMatmul_"), b.handle("plusMatmul_"));
        } catch (RuntimeException e) {
            throw Op.failure("plusMatmul_", e, this, a, b);
        }
        return this;
    }

    /// Takes over the values of `other`, converted to this type and place.
    public Tensor copy_(Tensor other) {
        return inPlace("copy_", this, other, (a, b) -> a.copy_(b));
    }

    @Override
    public String toString() {
        if (handle == null) {
            return "Tensor(closed)";
        }
        String values = numel() <= 20 ? " " + Arrays.toString(toDoubles()) : "";
        return "Tensor(" + dtype().name().toLowerCase(Locale.ROOT) + Arrays.toString(shape()) + values + ")";
    }

    // --- native memory ---

    /// Apart, so that this class initialises where the natives are missing and can say so.
    static final class NoType {
        static final ScalarTypeOptional VALUE = new ScalarTypeOptional();
    }

    interface Transfer {
        void run(org.bytedeco.pytorch.Tensor tensor);
    }

    interface OverAll {
        org.bytedeco.pytorch.Tensor apply(TensorVector parts);
    }

    private record Kind(DType dtype, String device) {}

    /// One for each type and device, kept for good.
    private static final Map<Kind, TensorOptions> OPTIONS = new ConcurrentHashMap<>();

    static TensorOptions options(DType dtype, Device device) {
        return OPTIONS.computeIfAbsent(new Kind(dtype, device.name()), Tensor::makeOptions);
    }

    private static TensorOptions makeOptions(Kind kind) {
        try (var d = new org.bytedeco.pytorch.Device(kind.device());
                var wanted = new org.bytedeco.pytorch.DeviceOptional(d);
                var type = new ScalarTypeOptional(kind.dtype().scalarType);
                var plain = new TensorOptions();
                var typed = plain.dtype(type)) {
            return typed.device(wanted);
        }
    }

    private static Tensor filled(DType dtype, long length, long[] shape, Transfer transfer) {
        double numel = 1; // exact wherever it equals a length
        boolean negative = false;
        for (long size : shape) {
            numel *= size;
            negative |= size < 0;
        }
        if (numel != length || negative) {
            throw new IllegalArgumentException(length + " values do not fill shape " + Arrays.toString(shape));
        }
        Tensor made = empty(dtype, Device.CPU, shape);
        if (length > 0) {
            transfer.run(made.handle("of"));
        }
        return made;
    }

    private static MemorySegment bytesOf(org.bytedeco.pytorch.Tensor dense) {
        long length = dense.numel() * dense.element_size();
        return length == 0
                ? MemorySegment.NULL
                : MemorySegment.ofAddress(dense.data_ptr().address()).reinterpret(length);
    }

    private int length(String name) {
        long numel = handle(name).numel();
        if (numel > Integer.MAX_VALUE) {
            throw new IllegalArgumentException(name + ": " + numel + " elements do not fit into an array");
        }
        return (int) numel;
    }

    private <A> A read(String name, DType dtype, int length, A array, Transfer transfer) {
        if (length > 0) {
            try (var typed = handle(name).to(dtype.scalarType);
                    var local = typed.cpu();
                    var dense = local.contiguous()) {
                transfer.run(dense);
            } catch (RuntimeException e) {
                throw Op.failure(name, e, this);
            }
        }
        return array;
    }

    private static Tensor joined(String name, List<Tensor> parts, OverAll op) {
        Tensor[] operands = parts.toArray(Tensor[]::new);
        if (operands.length == 0) {
            throw new IllegalArgumentException(name + " of no tensors");
        }
        return made(
                name,
                () -> {
                    try (TensorVector vector = new TensorVector()) {
                        for (Tensor part : operands) {
                            vector.push_back(part.handle(name));
                        }
                        return op.apply(vector);
                    }
                },
                operands);
    }
}
