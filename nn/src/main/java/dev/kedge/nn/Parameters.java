package dev.kedge.nn;

import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Gradients;
import dev.kedge.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// A model's named parameters as windows on one flat buffer, so that the optimiser, clipping and all-reduce are single
/// calls. Belongs to whoever made it, not to a scope, until closed.
public final class Parameters implements AutoCloseable {
    private final Tensor flat;
    private final Map<String, Tensor> named;
    private Tensor gradient;

    private Parameters(Tensor flat, Map<String, Tensor> named) {
        this.flat = flat;
        this.named = named;
    }

    /// Zeros of the given shapes.
    public static Parameters zeros(Map<String, long[]> shapes, DType dtype, Device device) {
        long total = 0;
        for (long[] shape : shapes.values()) {
            total += numel(shape);
        }
        Tensor flat = Tensor.zeros(dtype, device, total).unscoped();
        Map<String, Tensor> named = new LinkedHashMap<>();
        long offset = 0;
        for (var entry : shapes.entrySet()) {
            named.put(entry.getKey(), window(flat, offset, entry.getValue()));
            offset += numel(entry.getValue());
        }
        return new Parameters(flat, Collections.unmodifiableMap(named));
    }

    /// A copy of the given tensors, in their order.
    public static Parameters copyOf(Map<String, Tensor> tensors, DType dtype, Device device) {
        Map<String, long[]> shapes = new LinkedHashMap<>();
        tensors.forEach((name, tensor) -> shapes.put(name, tensor.shape()));
        Parameters copy = zeros(shapes, dtype, device);
        try (var _ = Gradients.off()) {
            tensors.forEach((name, tensor) -> copy.get(name).copy_(tensor));
        }
        return copy;
    }

    /// A frozen copy, such as a reference model's.
    public Parameters copy() {
        return copyOf(named, flat.dtype(), flat.device());
    }

    /// @throws IllegalArgumentException if there is none of this name
    public Tensor get(String name) {
        Tensor tensor = named.get(name);
        if (tensor == null) {
            throw new IllegalArgumentException("no parameter " + name);
        }
        return tensor;
    }

    /// Name to window, in order.
    public Map<String, Tensor> named() {
        return named;
    }

    /// All values: [count].
    public Tensor flat() {
        return flat;
    }

    public long count() {
        return flat.numel();
    }

    /// Asks for gradients, which gather in one flat buffer. Does nothing the second time.
    ///
    /// @return this
    public Parameters trainable() {
        if (gradient == null) {
            gradient = flat.zerosLike().unscoped();
            List<Tensor> windows = new ArrayList<>();
            long offset = 0;
            for (Tensor tensor : named.values()) {
                tensor.requiresGrad();
                Tensor window = window(gradient, offset, tensor.shape());
                tensor.setGrad(window);
                window.close();
                offset += tensor.numel();
            }
        }
        return this;
    }

    /// The gradients of all values: [count].
    ///
    /// @throws IllegalStateException before [#trainable]
    public Tensor gradient() {
        if (gradient == null) {
            throw new IllegalStateException("these parameters are frozen: call trainable() first");
        }
        return gradient;
    }

    public void zeroGradient() {
        gradient().fill_(0);
    }

    /// The Euclidean norm of the gradient; scales the gradient down to `maxNorm` where it is longer.
    ///
    /// @param maxNorm > 0; infinity only measures
    public double clipGradient(double maxNorm) {
        if (!(maxNorm > 0)) {
            throw new IllegalArgumentException("maxNorm must be > 0, was " + maxNorm);
        }
        try (Tensor length = gradient().norm()) {
            double norm = length.item();
            if (norm > maxNorm) {
                gradient.times_(maxNorm / norm);
            }
            return norm;
        }
    }

    @Override
    public void close() {
        named.values().forEach(Tensor::close);
        flat.close();
        if (gradient != null) {
            gradient.close();
        }
    }

    private static Tensor window(Tensor flat, long offset, long[] shape) {
        try (Tensor run = flat.narrow(0, offset, numel(shape));
                Tensor shaped = run.view(shape)) {
            return shaped.detach().unscoped();
        }
    }

    private static long numel(long[] shape) {
        return Arrays.stream(shape).reduce(1, Math::multiplyExact);
    }
}
