package dev.kedge.tensor;

import static dev.kedge.tensor.Op.binary;
import static dev.kedge.tensor.Op.made;
import static dev.kedge.tensor.Op.unary;

import java.util.Arrays;
import java.util.stream.Stream;
import org.bytedeco.pytorch.BoolOptional;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;

/// The layers' arithmetic as functions of tensors. Optional tensors may be null here, as nowhere else.
public final class Functional {
    private Functional() {}

    /// `x Wᵀ + b`.
    ///
    /// @param x      [..., in]
    /// @param weight [out, in]
    /// @param bias   `[out]`, or null
    public static Tensor linear(Tensor x, Tensor weight, Tensor bias) {
        if (bias == null) {
            return new Tensor(binary("linear", x, weight, (a, w) -> isRow(a) ? rowProduct(a, w) : torch.linear(a, w)));
        }
        return new Tensor(made(
                "linear",
                () -> {
                    try (var b = new TensorOptional(bias.handle("linear"))) {
                        return torch.linear(x.handle("linear"), weight.handle("linear"), b);
                    }
                },
                x,
                weight,
                bias));
    }

    /// Whether this is a single row on the processor, as in decoding one sequence.
    private static boolean isRow(org.bytedeco.pytorch.Tensor x) {
        return x.dim() == 2 && x.size(0) == 1 && x.is_cpu();
    }

    /// A matrix-vector product: the kernel for matrices takes two to four times as long on a single row.
    private static org.bytedeco.pytorch.Tensor rowProduct(
            org.bytedeco.pytorch.Tensor row, org.bytedeco.pytorch.Tensor weight) {
        try (var vector = row.view(-1);
                var product = weight.mv(vector)) {
            return product.unsqueeze(0);
        }
    }

    /// σ(x) = 1 / (1 + e⁻ˣ).
    public static Tensor sigmoid(Tensor x) {
        return new Tensor(unary("sigmoid", x, t -> t.sigmoid()));
    }

    /// log σ(x), finite for every finite x.
    public static Tensor logSigmoid(Tensor x) {
        return new Tensor(unary("logSigmoid", x, torch::log_sigmoid));
    }

    /// log(1 + exp(x)), exact to rounding for every finite x.
    public static Tensor softplus(Tensor x) {
        try (Tensor zero = x.zerosLike()) {
            return new Tensor(binary("softplus", x, zero, (a, b) -> a.logaddexp(b)));
        }
    }

    /// max(x, 0).
    public static Tensor relu(Tensor x) {
        return new Tensor(unary("relu", x, t -> t.relu()));
    }

    /// x σ(x).
    public static Tensor silu(Tensor x) {
        return new Tensor(unary("silu", x, torch::silu));
    }

    /// The Gaussian error linear unit: exact, or by the tanh approximation.
    public static Tensor gelu(Tensor x, boolean tanhApproximation) {
        return new Tensor(unary("gelu", x, t -> torch.gelu(t, tanhApproximation ? "tanh" : "none")));
    }

    /// The rows of `table` `[V, H]` at `ids` int64 of any shape [...]: [..., H].
    public static Tensor embedding(Tensor table, Tensor ids) {
        return new Tensor(binary("embedding", table, ids, torch::embedding));
    }

    /// Root-mean-square norm over the last dimension, times `weight` `[H]`: `x / √(mean(x²) + ε) · w`.
    public static Tensor rmsNorm(Tensor x, Tensor weight, double epsilon) {
        return new Tensor(binary(
                "rmsNorm",
                x,
                weight,
                (a, w) -> a.is_cpu() ? composedRmsNorm(a, w, epsilon) : fusedRmsNorm(a, w, epsilon)));
    }

    /// The processor has no fused kernel, and the engine's composite is twice as slow: its mean alone costs three sums.
    private static org.bytedeco.pytorch.Tensor composedRmsNorm(
            org.bytedeco.pytorch.Tensor x, org.bytedeco.pytorch.Tensor weight, double epsilon) {
        int code = x.scalar_type().value;
        double size = x.size(-1);
        try (var squares = x.square();
                var sum = squares.sum(new long[] {-1}, true, Op.NoType.VALUE);
                var shifted = sum.add(Constants.of(code, size * epsilon));
                var inverse = shifted.rsqrt();
                var scale = inverse.mul(Constants.of(code, Math.sqrt(size)));
                var normed = x.mul(scale)) {
            return normed.mul(weight);
        }
    }

    private static org.bytedeco.pytorch.Tensor fusedRmsNorm(
            org.bytedeco.pytorch.Tensor x, org.bytedeco.pytorch.Tensor weight, double epsilon) {
        try (var w = new TensorOptional(weight);
                var e = new DoubleOptional(epsilon)) {
            return torch.rms_norm(x, new long[] {x.size(-1)}, w, e);
        }
    }

    /// Layer norm over the last dimension.
    ///
    /// @param bias `[H]`, or null
    public static Tensor layerNorm(Tensor x, Tensor weight, Tensor bias, double epsilon) {
        return new Tensor(made(
                "layerNorm",
                () -> {
                    try (var w = optional("layerNorm", weight);
                            var b = optional("layerNorm", bias)) {
                        return torch.layer_norm(x.handle("layerNorm"), new long[] {x.size(-1)}, w, b, epsilon, true);
                    }
                },
                x,
                weight));
    }

    /// Scaled dot-product attention, the engine's fused kernel where one fits.
    ///
    /// @param q    [B, heads, Tq, d]
    /// @param k    [B, kvHeads, Tk, d], where kvHeads divides heads (grouped queries); `v` likewise
    /// @param mask boolean, true = may attend, or floating, added to the scores; broadcast to [B, heads, Tq, Tk];
    /// or
    ///             null
    /// @param causal whether position t sees positions up to t only (Tq = Tk); no mask then
    /// @return [B, heads, Tq, d]; a query whose mask hides every key gets what the kernel makes of it
    /// @throws IllegalArgumentException if causal and a mask are asked for at once, or shapes do not fit
    public static Tensor attention(Tensor q, Tensor k, Tensor v, Tensor mask, boolean causal) {
        return new Tensor(made(
                "attention",
                () -> {
                    if (causal && mask != null) {
                        throw new IllegalArgumentException("causal attention takes no mask");
                    }
                    var queries = q.handle("attention");
                    var keys = k.handle("attention");
                    boolean grouped = queries.dim() == 4 && keys.dim() == 4 && queries.size(1) != keys.size(1);
                    try (var m = optional("attention", mask);
                            var scale = new DoubleOptional()) {
                        return torch.scaled_dot_product_attention(
                                queries, keys, v.handle("attention"), m, 0.0, causal, scale, grouped);
                    }
                },
                q,
                k,
                v));
    }

    /// 2-d convolution.
    ///
    /// @param x      [B, in, H, W]
    /// @param weight [out, in, kh, kw]
    /// @param bias   `[out]`, or null
    public static Tensor conv2d(Tensor x, Tensor weight, Tensor bias, long stride, long padding) {
        return new Tensor(made(
                "conv2d",
                () -> {
                    try (var b = optional("conv2d", bias)) {
                        return torch.conv2d(
                                x.handle("conv2d"),
                                weight.handle("conv2d"),
                                b,
                                new long[] {stride, stride},
                                new long[] {padding, padding},
                                new long[] {1, 1},
                                1);
                    }
                },
                x,
                weight));
    }

    /// Transposed 2-d convolution; `weight` is [in, out, kh, kw].
    public static Tensor convTranspose2d(
            Tensor x, Tensor weight, Tensor bias, long stride, long padding, long outputPadding) {
        return new Tensor(made(
                "convTranspose2d",
                () -> {
                    try (var b = optional("convTranspose2d", bias)) {
                        return torch.conv_transpose2d(
                                x.handle("convTranspose2d"),
                                weight.handle("convTranspose2d"),
                                b,
                                new long[] {stride, stride},
                                new long[] {padding, padding},
                                new long[] {outputPadding, outputPadding},
                                1,
                                1,
                                1);
                    }
                },
                x,
                weight));
    }

    /// Maximum over windows of `size` by `size`, side by side: `[B, C, H, W]` to [B, C, H/size, W/size].
    public static Tensor maxPool2d(Tensor x, long size) {
        return new Tensor(unary("maxPool2d", x, t -> torch.max_pool2d(t, size, size)));
    }

    /// Mean over windows of `size` by `size`, side by side.
    public static Tensor avgPool2d(Tensor x, long size) {
        return new Tensor(unary("avgPool2d", x, t -> torch.avg_pool2d(t, size, size)));
    }

    /// The Jacobian-vector products of `output` with `gradient` at `inputs`, without touching anybody's `grad`.
    ///
    /// @param gradient of the shape of output, or null for a scalar output
    public static Tensor[] gradients(Tensor output, Tensor gradient, Tensor... inputs) {
        try (var outputs = new org.bytedeco.pytorch.TensorVector();
                var wanted = new org.bytedeco.pytorch.TensorVector();
                var seeds = new org.bytedeco.pytorch.TensorVector();
                var retain = new BoolOptional(true)) {
            outputs.push_back(output.handle("gradients"));
            Arrays.stream(inputs).forEach(input -> wanted.push_back(input.handle("gradients")));
            if (gradient != null) {
                seeds.push_back(gradient.handle("gradients"));
            }
            try (var found = torch.grad(outputs, wanted, seeds, retain, false, false)) {
                Tensor[] made = new Tensor[inputs.length];
                for (int i = 0; i < made.length; i++) {
                    made[i] = new Tensor(new org.bytedeco.pytorch.Tensor(found.get(i)));
                }
                return made;
            }
        } catch (RuntimeException e) {
            Stream<Tensor> operands = Stream.concat(Stream.of(output), Arrays.stream(inputs));
            throw Op.failure("gradients", e, operands.toArray(Tensor[]::new));
        }
    }

    private static TensorOptional optional(String operation, Tensor tensor) {
        return tensor == null ? new TensorOptional() : new TensorOptional(tensor.handle(operation));
    }
}
