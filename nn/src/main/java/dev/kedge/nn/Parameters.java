package dev.kedge.nn;

import com.sun.management.OperatingSystemMXBean;
import dev.kedge.tensor.Creation;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Gradients;
import dev.kedge.tensor.InPlace;
import dev.kedge.tensor.Linalg;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// A model's named parameters as windows on one flat buffer, so that the optimiser, clipping and all-reduce are single
/// calls. Belongs to whoever made it, not to a scope, until closed.
public final class Parameters implements AutoCloseable {
    private final Tensor flat;
    private final Map<String, Tensor> named;
    private Tensor gradient;
    private Tensor mask;

    private Parameters(Tensor flat, Map<String, Tensor> named) {
        this.flat = flat;
        this.named = named;
    }

    /// Zeros of the given shapes.
    public static Parameters zeros(Map<String, long[]> shapes, DType dtype, Device device) {
        long total = 0;
        for (long[] shape : shapes.values()) {
            total = Math.addExact(total, numel(shape));
        }
        requireMemory(total, dtype, device);
        Tensor flat = Creation.zeros(dtype, device, total).unscoped();
        Map<String, Tensor> named = new LinkedHashMap<>();
        long offset = 0;
        for (var entry : shapes.entrySet()) {
            named.put(entry.getKey(), window(flat, offset, entry.getValue()));
            offset += numel(entry.getValue());
        }
        return new Parameters(flat, Collections.unmodifiableMap(named));
    }

    /// Asked for more than there is, the system promises it, and kills the process once it is used.
    private static void requireMemory(long count, DType dtype, Device device) {
        double bytes = (double) count * dtype.bytes();
        if (bytes < 1L << 30 || !device.isCpu()) {
            return;
        }
        var system = ManagementFactory.getOperatingSystemMXBean();
        if (system instanceof OperatingSystemMXBean memory && bytes > memory.getTotalMemorySize()) {
            throw new IllegalArgumentException(String.format(
                    Locale.ROOT,
                    "%,d parameters need %.1f GB, this machine has %.1f GB: fewer layers, or narrower ones",
                    count,
                    bytes / 1e9,
                    memory.getTotalMemorySize() / 1e9));
        }
    }

    /// A copy of the given tensors, in their order.
    public static Parameters copyOf(Map<String, Tensor> tensors, DType dtype, Device device) {
        Map<String, long[]> shapes = new LinkedHashMap<>();
        tensors.forEach((name, tensor) -> shapes.put(name, tensor.shape()));
        Parameters copy = zeros(shapes, dtype, device);
        try (var _ = Gradients.off()) {
            tensors.forEach((name, tensor) -> InPlace.copy_(copy.get(name), tensor));
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
        InPlace.fill_(gradient(), 0);
    }

    /// From now on only the weights where a mask is true are learnt, whoever moves them: gradients of the others are 0
    /// before their norm is taken, and optimisers leave these weights as they are to the bit, decay or not
    /// (arXiv:2505.11711).
    ///
    /// @param masks boolean, of the names and shapes of the parameters; copied
    /// @return this
    /// @throws IllegalArgumentException naming a parameter whose mask is missing or of another shape or type, or a
    ///     mask that is of no parameter
    public Parameters restrictTo(Map<String, Tensor> masks) {
        masks.keySet().stream().filter(name -> !named.containsKey(name)).forEach(name -> {
            throw new IllegalArgumentException("the mask's " + name + " is no parameter");
        });
        named.forEach((name, tensor) -> {
            Tensor part = masks.get(name);
            if (part == null || part.dtype() != DType.BOOL || !Arrays.equals(part.shape(), tensor.shape())) {
                throw new IllegalArgumentException("the mask of " + name + " must be boolean "
                        + Arrays.toString(tensor.shape()) + ", is "
                        + (part == null ? "missing" : part.dtype() + " " + Arrays.toString(part.shape())));
            }
        });
        if (mask != null) {
            mask.close();
        }
        try (Scope _ = new Scope()) {
            mask = Tensor.cat(
                            named.keySet().stream()
                                    .map(name -> masks.get(name).reshape(-1))
                                    .toList(),
                            0)
                    .to(flat.device())
                    .unscoped();
        }
        return this;
    }

    /// Which weights are learnt, where that are not all: boolean, [count].
    public Optional<Tensor> mask() {
        return Optional.ofNullable(mask);
    }

    /// Sets the gradients of weights that are not to be learnt to 0, NaN or not.
    public void maskGradient() {
        if (mask != null) {
            try (Tensor masked = gradient().whereElse(mask, 0)) {
                InPlace.copy_(gradient(), masked);
            }
        }
    }

    /// The Euclidean norm of the gradient, of the weights that are learnt; scales the gradient down to `maxNorm`
    /// where it is longer.
    ///
    /// @param maxNorm > 0; infinity only measures
    public double clipGradient(double maxNorm) {
        if (!(maxNorm > 0)) {
            throw new IllegalArgumentException("maxNorm must be > 0, was " + maxNorm);
        }
        maskGradient();
        try (Tensor length = Linalg.norm(gradient())) {
            double norm = length.item();
            if (norm > maxNorm) {
                InPlace.times_(gradient, maxNorm / norm);
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
        if (mask != null) {
            mask.close();
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
