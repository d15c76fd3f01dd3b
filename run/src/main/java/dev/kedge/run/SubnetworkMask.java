package dev.kedge.run;

import dev.kedge.config.ConfigException;
import dev.kedge.config.Kind;
import dev.kedge.data.fetch.Fetched;
import dev.kedge.nn.Parameters;
import dev.kedge.nn.file.InvalidFileException;
import dev.kedge.nn.file.ModelFolder;
import dev.kedge.nn.file.Safetensors;
import dev.kedge.nn.sparsity.WeightUpdate;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/// Which weights a training moves: a subnetwork alone (arXiv:2505.11711). Gradients of the others are 0 before they are
/// clipped, and neither steps nor weight decay reach them.
public sealed interface SubnetworkMask {
    /// The weights that another training changed.
    ///
    /// @param from      the model before it, a folder or file
    /// @param to        the model after it
    /// @param tolerance a change by no more counts as none; >= 0, customarily 1e-5
    /// @param dtype     both are rounded to it first: bfloat16, as models are kept, or float32
    @Kind("changed")
    record Changed(Path from, Path to, double tolerance, DType dtype) implements SubnetworkMask {
        public Changed {
            if (!(tolerance >= 0 && tolerance < Double.POSITIVE_INFINITY)) {
                throw new IllegalArgumentException("tolerance must be >= 0 and finite, was " + tolerance);
            }
            if (dtype != DType.BFLOAT16 && dtype != DType.FLOAT32) {
                throw new IllegalArgumentException("dtype must be bfloat16 or float32, was " + dtype);
            }
        }

        @Override
        public Map<String, Tensor> read() {
            return WeightUpdate.between(weights(from), weights(to), dtype).mask(tolerance);
        }

        private static Map<String, Tensor> weights(Path model) {
            return ModelFolder.load(Fetched.resolve(model), DType.FLOAT32, Device.CPU)
                    .parameters();
        }

        @Override
        public String words() {
            return "what changed by more than " + tolerance + " in " + dtype + " from " + from + " to " + to;
        }
    }

    /// Booleans of each parameter's name and shape in a safetensors file, as `./kedge diff --mask FILE` writes it.
    @Kind("file")
    record File(Path path) implements SubnetworkMask {
        /// Writes such a file.
        ///
        /// @param mask boolean, of all parameters in their order, flat
        /// @param like their names and shapes
        public static void write(Path file, Tensor mask, Map<String, Tensor> like) {
            Map<String, Tensor> masks = new LinkedHashMap<>();
            long offset = 0;
            for (var entry : like.entrySet()) {
                long count = entry.getValue().numel();
                masks.put(
                        entry.getKey(),
                        mask.narrow(0, offset, count).reshape(entry.getValue().shape()));
                offset += count;
            }
            Safetensors.write(file, masks, Map.of());
        }

        @Override
        public Map<String, Tensor> read() {
            if (!Files.isRegularFile(path)) {
                throw new InvalidFileException(path, "there is no such mask file");
            }
            return Safetensors.read(path);
        }

        @Override
        public String words() {
            return "the mask of " + path;
        }
    }

    /// The mask by the name of the parameter, boolean.
    ///
    /// @throws InvalidFileException if a file is damaged, missing or not supported
    /// @throws IllegalArgumentException if two models have not the same parameters
    Map<String, Tensor> read();

    /// What it is, for messages.
    String words();

    /// Restricts a model's parameters to it.
    ///
    /// @throws ConfigException if the mask is not of these parameters, or holds none of the weights
    default void on(Parameters parameters) {
        try (Scope _ = new Scope()) {
            Map<String, Tensor> masks = read();
            if (masks.values().stream().noneMatch(Tensor::anyTrue)) {
                throw new ConfigException("mask: " + words() + " holds no weight, so that nothing would be learnt; a"
                        + " smaller tolerance, dtype float32 or a longer training would be right");
            }
            parameters.restrictTo(masks);
        } catch (IllegalArgumentException e) {
            throw new ConfigException("mask: " + words() + " does not fit: " + e.getMessage());
        }
    }
}
