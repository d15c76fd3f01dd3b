package dev.kedge.tensor;

import static dev.kedge.tensor.Op.binary;
import static dev.kedge.tensor.Op.scalar;
import static dev.kedge.tensor.Op.ternary;
import static dev.kedge.tensor.Op.unary;

import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarOptional;

/// Functions of each element that equations need more rarely than those of [Tensor].
public final class Elementwise {
    private Elementwise() {}

    /// sin x, x in radians.
    public static Tensor sin(Tensor x) {
        return new Tensor(unary("sin", x, t -> t.sin()));
    }

    /// cos x, x in radians.
    public static Tensor cos(Tensor x) {
        return new Tensor(unary("cos", x, t -> t.cos()));
    }

    /// tanh x.
    public static Tensor tanh(Tensor x) {
        return new Tensor(unary("tanh", x, t -> t.tanh()));
    }

    /// The error function, 2/√π ∫₀ˣ e^(-t²) dt.
    public static Tensor erf(Tensor x) {
        return new Tensor(unary("erf", x, t -> t.erf()));
    }

    /// log |Γ(x)|.
    public static Tensor lgamma(Tensor x) {
        return new Tensor(unary("lgamma", x, t -> t.lgamma()));
    }

    /// eˣ - 1, exact to rounding near 0.
    public static Tensor expm1(Tensor x) {
        return new Tensor(unary("expm1", x, t -> t.expm1()));
    }

    /// log(1 + x), exact to rounding near 0.
    public static Tensor log1p(Tensor x) {
        return new Tensor(unary("log1p", x, t -> t.log1p()));
    }

    /// log(exp(x) + exp(other)).
    public static Tensor logAddExp(Tensor x, Tensor other) {
        return new Tensor(binary("logAddExp", x, other, (a, b) -> a.logaddexp(b)));
    }

    /// x to the power of `exponent`.
    public static Tensor pow(Tensor x, double exponent) {
        return new Tensor(scalar("pow", x, exponent, (a, s) -> a.pow(s)));
    }

    /// 1/√x.
    public static Tensor rsqrt(Tensor x) {
        return new Tensor(unary("rsqrt", x, t -> t.rsqrt()));
    }

    /// The largest integer not above x.
    public static Tensor floor(Tensor x) {
        return new Tensor(unary("floor", x, t -> t.floor()));
    }

    /// The nearest integer; halves go to the even one.
    public static Tensor round(Tensor x) {
        return new Tensor(unary("round", x, t -> t.round()));
    }

    /// -1, 0 or 1.
    public static Tensor sign(Tensor x) {
        return new Tensor(unary("sign", x, t -> t.sign()));
    }

    /// x - divisor · ⌊x / divisor⌋: of the sign of the divisor.
    public static Tensor remainder(Tensor x, double divisor) {
        return new Tensor(scalar("remainder", x, divisor, (a, s) -> a.remainder(s)));
    }

    /// The smaller of each pair; NaN if either is.
    public static Tensor minimum(Tensor x, Tensor other) {
        return new Tensor(binary("minimum", x, other, (a, b) -> a.minimum(b)));
    }

    /// The larger of each pair; NaN if either is.
    public static Tensor maximum(Tensor x, Tensor other) {
        return new Tensor(binary("maximum", x, other, (a, b) -> a.maximum(b)));
    }

    /// min(max(x, low), high); the gradient passes where low ≤ x ≤ high.
    public static Tensor clamp(Tensor x, double low, double high) {
        return new Tensor(unary("clamp", x, t -> {
            try (var lowest = new Scalar(low);
                    var highest = new Scalar(high);
                    var min = new ScalarOptional(lowest);
                    var max = new ScalarOptional(highest)) {
                return t.clamp(min, max);
            }
        }));
    }

    /// max(x, low).
    public static Tensor clampMin(Tensor x, double low) {
        return new Tensor(scalar("clampMin", x, low, (a, s) -> a.clamp_min(s)));
    }

    /// min(x, high).
    public static Tensor clampMax(Tensor x, double high) {
        return new Tensor(scalar("clampMax", x, high, (a, s) -> a.clamp_max(s)));
    }

    /// x + `a` times `b`, element by element, in one pass.
    public static Tensor plusProduct(Tensor x, Tensor a, Tensor b) {
        return new Tensor(ternary("plusProduct", x, a, b, (t, y, z) -> t.addcmul(y, z)));
    }
}
