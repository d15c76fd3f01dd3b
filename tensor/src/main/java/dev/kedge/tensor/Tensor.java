package dev.kedge.tensor;

import static dev.kedge.tensor.Memory.filled;
import static dev.kedge.tensor.Op.binary;
import static dev.kedge.tensor.Op.joined;
import static dev.kedge.tensor.Op.number;
import static dev.kedge.tensor.Op.scalar;
import static dev.kedge.tensor.Op.ternary;
import static dev.kedge.tensor.Op.unary;

import java.util.Arrays;
import java.util.List;
import org.bytedeco.pytorch.BoolOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.TensorArrayRefOptional;
import org.bytedeco.pytorch.global.torch;

/// An array of numbers in native memory, with gradients: LibTorch's tensor under Java names.
///
/// A tensor belongs to the innermost open [Scope] of its thread and is freed with it; see there. Operands broadcast
/// as the engine's do. Every operation throws [IllegalArgumentException], naming itself and the shapes, when shapes
/// or types do not fit, and [IllegalStateException] when a tensor was closed.
///
/// One class, because these are the operations that equations chain from left to right. The rarer ones are functions of
/// tensors, by family: `Functional`, `Elementwise`, `Linalg`, `Ordering`, `Indexing`, `Shapes`; `Creation` and `Bytes`
/// make tensors too; `InPlace` and `Fused` change them, and what they have ends in `_`.
public final class Tensor extends Scope.Owned {
    Tensor(org.bytedeco.pytorch.Tensor handle) {
        super(handle);
    }

    static Tensor[] all(org.bytedeco.pytorch.Tensor... handles) {
        return Arrays.stream(handles).map(Tensor::new).toArray(Tensor[]::new);
    }

    /// Takes this tensor out of its scope: it lives until somebody closes it, as parameters and caches do.
    ///
    /// @return this tensor
    public Tensor unscoped() {
        leave();
        return this;
    }

    // --- making ---

    /// A vector of float64.
    public static Tensor of(double... values) {
        return of(values, values.length);
    }

    /// A float64 tensor of the given shape, row by row.
    public static Tensor of(double[] values, long... shape) {
        return new Tensor(filled(
                DType.FLOAT64, values.length, shape, t -> t.data_ptr_double().put(values)));
    }

    /// A float64 matrix; rows of different lengths are refused.
    public static Tensor of(double[][] rows) {
        int columns = Memory.columns(Arrays.stream(rows).mapToInt(row -> row.length));
        return of(Arrays.stream(rows).flatMapToDouble(Arrays::stream).toArray(), rows.length, columns);
    }

    /// A float32 tensor of the given shape, row by row.
    public static Tensor of(float[] values, long... shape) {
        return new Tensor(filled(
                DType.FLOAT32, values.length, shape, t -> t.data_ptr_float().put(values)));
    }

    /// An int64 tensor of the given shape, row by row.
    public static Tensor of(long[] values, long... shape) {
        return new Tensor(
                filled(DType.INT64, values.length, shape, t -> t.data_ptr_long().put(values)));
    }

    /// An int64 tensor of the given shape, row by row.
    public static Tensor of(int[] values, long... shape) {
        return of(Arrays.stream(values).asLongStream().toArray(), shape);
    }

    /// A boolean tensor of the given shape, row by row.
    public static Tensor mask(boolean[] values, long... shape) {
        return new Tensor(Memory.ofBooleans(values, shape));
    }

    /// A boolean matrix; rows of different lengths are refused.
    public static Tensor mask(boolean[][] rows) {
        int columns = Memory.columns(Arrays.stream(rows).mapToInt(row -> row.length));
        return mask(Memory.flat(rows, columns), rows.length, columns);
    }

    /// A 0-dimensional float64 tensor.
    public static Tensor scalarOf(double value) {
        return of(new double[] {value}, new long[0]);
    }

    /// Joins along an existing dimension.
    public static Tensor cat(List<Tensor> parts, int dim) {
        return new Tensor(joined("cat", parts.toArray(Tensor[]::new), v -> torch.cat(v, dim)));
    }

    /// Joins along a new dimension.
    public static Tensor stack(List<Tensor> parts, int dim) {
        return new Tensor(joined("stack", parts.toArray(Tensor[]::new), v -> torch.stack(v, dim)));
    }

    /// Zeros of this shape, type and place.
    public Tensor zerosLike() {
        return new Tensor(unary("zerosLike", this, torch::zeros_like));
    }

    /// Ones of this shape, type and place.
    public Tensor onesLike() {
        return new Tensor(unary("onesLike", this, torch::ones_like));
    }

    // --- reading ---

    /// The lengths of all dimensions; empty for a scalar.
    public long[] shape() {
        return Op.shape(handle("shape"));
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
        return Memory.toDoubles(this);
    }

    /// The elements of a matrix as double: what [#of(double[][])] makes a tensor of.
    public double[][] toRows() {
        return Memory.rows(toDoubles(), (int) size(0), (int) size(1));
    }

    /// All elements as float, row by row.
    public float[] toFloats() {
        return Memory.toFloats(this);
    }

    /// All elements as long, row by row.
    public long[] toLongs() {
        return Memory.toLongs(this);
    }

    /// All elements, true where they are not 0, row by row.
    public boolean[] toBooleans() {
        return Memory.toBooleans(this);
    }

    // --- gradients ---

    /// Asks for gradients with respect to this leaf.
    ///
    /// @return this tensor
    public Tensor requiresGrad() {
        unary("requiresGrad", this, t -> t.set_requires_grad(true));
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
        return new Tensor(unary("detach", this, t -> t.detach()));
    }

    // --- arithmetic ---

    /// This + other.
    public Tensor plus(Tensor other) {
        return new Tensor(binary("plus", this, other, (a, b) -> a.add(b)));
    }

    /// This + value, in this type where it is floating.
    public Tensor plus(double value) {
        return new Tensor(number("plus", this, value, (a, b) -> a.add(b), (a, s) -> a.add(s)));
    }

    /// This - other.
    public Tensor minus(Tensor other) {
        return new Tensor(binary("minus", this, other, (a, b) -> a.sub(b)));
    }

    /// This - value.
    public Tensor minus(double value) {
        return new Tensor(number("minus", this, value, (a, b) -> a.sub(b), (a, s) -> a.sub(s)));
    }

    /// This · other, element by element.
    public Tensor times(Tensor other) {
        return new Tensor(binary("times", this, other, (a, b) -> a.mul(b)));
    }

    /// This · value.
    public Tensor times(double value) {
        return new Tensor(number("times", this, value, (a, b) -> a.mul(b), (a, s) -> a.mul(s)));
    }

    /// This / other, element by element; integers give float32.
    public Tensor div(Tensor other) {
        return new Tensor(binary("div", this, other, (a, b) -> a.div(b)));
    }

    /// This / value.
    public Tensor div(double value) {
        return new Tensor(number("div", this, value, (a, b) -> a.div(b), (a, s) -> a.div(s)));
    }

    /// -x.
    public Tensor neg() {
        return new Tensor(unary("neg", this, t -> t.neg()));
    }

    /// |x|.
    public Tensor abs() {
        return new Tensor(unary("abs", this, t -> t.abs()));
    }

    /// x².
    public Tensor square() {
        return new Tensor(unary("square", this, t -> t.square()));
    }

    /// √x; NaN below 0.
    public Tensor sqrt() {
        return new Tensor(unary("sqrt", this, t -> t.sqrt()));
    }

    /// eˣ.
    public Tensor exp() {
        return new Tensor(unary("exp", this, t -> t.exp()));
    }

    /// The natural logarithm; -∞ at 0, NaN below.
    public Tensor log() {
        return new Tensor(unary("log", this, t -> t.log()));
    }

    // --- comparing and choosing ---

    /// Whether the elements of a pair are equal: boolean.
    public Tensor eq(Tensor other) {
        return new Tensor(binary("eq", this, other, (a, b) -> a.eq(b)));
    }

    /// Whether x = value: boolean.
    public Tensor eq(double value) {
        return new Tensor(scalar("eq", this, value, (a, s) -> a.eq(s)));
    }

    /// Whether x ≠ value: boolean.
    public Tensor ne(double value) {
        return new Tensor(scalar("ne", this, value, (a, s) -> a.ne(s)));
    }

    /// Whether this < other: boolean.
    public Tensor lt(Tensor other) {
        return new Tensor(binary("lt", this, other, (a, b) -> a.lt(b)));
    }

    /// Whether x < value: boolean.
    public Tensor lt(double value) {
        return new Tensor(scalar("lt", this, value, (a, s) -> a.lt(s)));
    }

    /// Whether this ≤ other: boolean.
    public Tensor le(Tensor other) {
        return new Tensor(binary("le", this, other, (a, b) -> a.le(b)));
    }

    /// Whether x ≤ value: boolean.
    public Tensor le(double value) {
        return new Tensor(scalar("le", this, value, (a, s) -> a.le(s)));
    }

    /// Whether this > other: boolean.
    public Tensor gt(Tensor other) {
        return new Tensor(binary("gt", this, other, (a, b) -> a.gt(b)));
    }

    /// Whether x > value: boolean.
    public Tensor gt(double value) {
        return new Tensor(scalar("gt", this, value, (a, s) -> a.gt(s)));
    }

    /// Whether this ≥ other: boolean.
    public Tensor ge(Tensor other) {
        return new Tensor(binary("ge", this, other, (a, b) -> a.ge(b)));
    }

    /// Whether x ≥ value: boolean.
    public Tensor ge(double value) {
        return new Tensor(scalar("ge", this, value, (a, s) -> a.ge(s)));
    }

    /// Whether both are not 0: boolean.
    public Tensor and(Tensor other) {
        return new Tensor(binary("and", this, other, (a, b) -> a.logical_and(b)));
    }

    /// Whether either is not 0: boolean.
    public Tensor or(Tensor other) {
        return new Tensor(binary("or", this, other, (a, b) -> a.logical_or(b)));
    }

    /// Whether x is 0: boolean.
    public Tensor not() {
        return new Tensor(unary("not", this, t -> t.logical_not()));
    }

    /// Whether x is neither infinite nor NaN: boolean.
    public Tensor isFinite() {
        return new Tensor(unary("isFinite", this, torch::isfinite));
    }

    /// Whether no element is 0; true of none.
    public boolean allTrue() {
        try (var all = unary("allTrue", this, t -> t.all())) {
            return all.item_bool();
        }
    }

    /// Whether some element is not 0.
    public boolean anyTrue() {
        try (var any = unary("anyTrue", this, t -> t.any())) {
            return any.item_bool();
        }
    }

    /// This where `mask` is true, `value` elsewhere. Neither value nor gradient of what is not selected counts, NaN
    /// included.
    public Tensor whereElse(Tensor mask, double value) {
        return new Tensor(binary("whereElse", this, mask, (a, m) -> {
            try (Scalar other = new Scalar(value)) {
                return torch.where(m, a, other);
            }
        }));
    }

    /// This where `mask` is true, `other` elsewhere.
    public Tensor whereElse(Tensor mask, Tensor other) {
        return new Tensor(ternary("whereElse", this, mask, other, (a, m, b) -> torch.where(m, a, b)));
    }

    // --- reducing ---

    /// The sum of all elements, a scalar; booleans and integers give int64.
    public Tensor sum() {
        return new Tensor(unary("sum", this, t -> t.sum()));
    }

    /// The sum along a dimension, which disappears.
    public Tensor sum(int dim) {
        return sum(dim, false);
    }

    /// The sum along a dimension, which stays with length 1 if `keepDim`.
    public Tensor sum(int dim, boolean keepDim) {
        return new Tensor(unary("sum", this, t -> t.sum(new long[] {dim}, keepDim, Op.NoType.VALUE)));
    }

    /// The mean of all elements, a scalar; NaN of none.
    public Tensor mean() {
        return new Tensor(unary("mean", this, t -> t.mean()));
    }

    /// The mean along a dimension, which disappears.
    public Tensor mean(int dim) {
        return mean(dim, false);
    }

    /// The mean along a dimension, which stays with length 1 if `keepDim`.
    public Tensor mean(int dim, boolean keepDim) {
        return new Tensor(unary("mean", this, t -> t.mean(new long[] {dim}, keepDim, Op.NoType.VALUE)));
    }

    /// The running sums along a dimension.
    public Tensor cumsum(int dim) {
        return new Tensor(unary("cumsum", this, t -> t.cumsum(dim)));
    }

    /// The largest elements along a dimension.
    public Tensor amax(int dim, boolean keepDim) {
        return new Tensor(unary("amax", this, t -> t.amax(new long[] {dim}, keepDim)));
    }

    /// The smallest elements along a dimension.
    public Tensor amin(int dim, boolean keepDim) {
        return new Tensor(unary("amin", this, t -> t.amin(new long[] {dim}, keepDim)));
    }

    /// log Σ exp along a dimension, which disappears; does not overflow.
    public Tensor logSumExp(int dim) {
        return new Tensor(unary("logSumExp", this, t -> t.logsumexp(dim)));
    }

    /// exp(x) / Σ exp(x) along a dimension.
    public Tensor softmax(int dim) {
        return new Tensor(unary("softmax", this, t -> t.softmax(dim)));
    }

    /// x - log Σ exp(x) along a dimension.
    public Tensor logSoftmax(int dim) {
        return new Tensor(unary("logSoftmax", this, t -> t.log_softmax(dim)));
    }

    // --- shapes and indexing ---

    /// The same elements in another shape, a view where the layout allows; one length may be -1.
    public Tensor reshape(long... shape) {
        return new Tensor(unary("reshape to " + Arrays.toString(shape), this, t -> t.reshape(shape)));
    }

    /// The same memory in another shape; refused where the layout does not allow it.
    public Tensor view(long... shape) {
        return new Tensor(unary("view", this, t -> t.view(shape)));
    }

    /// A view of a matrix, transposed.
    public Tensor t() {
        return new Tensor(unary("t", this, t -> t.t()));
    }

    /// A view with a dimension of length 1 put in before `dim`.
    public Tensor unsqueeze(int dim) {
        return new Tensor(unary("unsqueeze", this, t -> t.unsqueeze(dim)));
    }

    /// A view without the dimension `dim`, if its length is 1.
    public Tensor squeeze(int dim) {
        return new Tensor(unary("squeeze", this, t -> t.squeeze(dim)));
    }

    /// A view in which dimensions of length 1 are repeated; -1 keeps a length.
    public Tensor expand(long... shape) {
        return new Tensor(unary("expand to " + Arrays.toString(shape), this, t -> t.expand(shape)));
    }

    /// A view of `length` entries of a dimension from `start` on.
    public Tensor narrow(int dim, long start, long length) {
        return new Tensor(unary("narrow", this, t -> t.narrow(dim, start, length)));
    }

    /// A view of one entry of a dimension, which disappears.
    public Tensor select(int dim, long index) {
        return new Tensor(unary("select", this, t -> t.select(dim, index)));
    }

    /// The entries of a dimension at `index` `[N]`, int64.
    public Tensor indexSelect(int dim, Tensor index) {
        return new Tensor(binary("indexSelect", this, index, (a, i) -> a.index_select(dim, i)));
    }

    /// Along `dim`, the elements at `index`, of the result's shape, int64.
    public Tensor gather(int dim, Tensor index) {
        return new Tensor(binary("gather", this, index, (a, i) -> a.gather(dim, i)));
    }

    // --- products ---

    /// The matrix product over the last two dimensions; those before broadcast.
    public Tensor matmul(Tensor other) {
        return new Tensor(binary("matmul", this, other, (a, b) -> a.matmul(b)));
    }

    // --- types, places, copies ---

    /// The elements converted to another type; towards integers by cutting off the fraction.
    public Tensor to(DType dtype) {
        return new Tensor(unary("to " + dtype, this, t -> t.to(dtype.scalarType)));
    }

    /// The elements on another device; this very tensor where it is on the processor and shall be.
    public Tensor to(Device device) {
        if (device.isCpu() && handle("to").is_cpu()) {
            return this;
        }
        return new Tensor(unary("to " + device, this, t -> {
            try (var d = new org.bytedeco.pytorch.Device(device.name())) {
                return t.to(d, t.scalar_type());
            }
        }));
    }

    /// A copy in new memory. Gradients flow through it.
    public Tensor copy() {
        return new Tensor(unary("copy", this, t -> t.clone()));
    }

    @Override
    public String toString() {
        if (!isOpen()) {
            return "Tensor(closed)";
        }
        String values = numel() <= 20 ? " " + Arrays.toString(toDoubles()) : "";
        return "Tensor(" + Op.typeAndShape(handle("toString")) + values + ")";
    }
}
