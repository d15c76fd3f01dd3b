package dev.kedge.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.kedge.nn.Parameters;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.nn.lm.DecoderConfig;
import dev.kedge.nn.lm.DecoderConfig.Positions.Rotary;
import dev.kedge.nn.lm.DecoderLayout;
import dev.kedge.tensor.Bytes;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.InPlace;
import dev.kedge.tensor.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SplittableRandom;

/// What every contestant gets: a folder with the model's sizes (`config.json`), its weights in the order of
/// [DecoderLayout] (`weights.bin`, float32) and one batch of tokens with the targets behind them (`tokens.bin`, int64).
///
/// @param config a decoder of Llama's kind, head tied to the embedding
/// @param batch  rows of the batch
/// @param length tokens of a row
record Workload(DecoderConfig config, int batch, int length, Path folder) {
    private static final ObjectMapper JSON = new ObjectMapper();

    long tokens() {
        return (long) batch * length;
    }

    /// Writes the folder from a model.
    static Workload write(Path folder, Decoder model, int batch, int length) {
        DecoderConfig c = model.config();
        ObjectNode sizes = JSON.createObjectNode();
        sizes.put("vocabulary_size", c.vocabularySize()).put("hidden_size", c.hiddenSize());
        sizes.put("intermediate_size", c.intermediateSize()).put("layers", c.layers());
        sizes.put("heads", c.heads()).put("kv_heads", c.kvHeads()).put("head_size", c.headSize());
        sizes.put("max_positions", c.maxPositions()).put("norm_epsilon", c.normEpsilon());
        sizes.put("theta", ((Rotary) c.positions()).theta()).put("batch", batch).put("length", length);
        float[] weights = model.parameters().flat().toFloats();
        ByteBuffer bytes = ByteBuffer.allocate(4 * weights.length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(weights);
        ByteBuffer ids = ByteBuffer.allocate(16 * batch * length).order(ByteOrder.LITTLE_ENDIAN);
        SplittableRandom random = new SplittableRandom(1);
        for (int i = 0; i < 2 * batch * length; i++) {
            ids.putLong(random.nextInt(c.vocabularySize()));
        }
        try {
            Files.writeString(folder.resolve("config.json"), JSON.writeValueAsString(sizes));
            Files.write(folder.resolve("weights.bin"), bytes.array());
            Files.write(folder.resolve("tokens.bin"), ids.array());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return new Workload(c, batch, length, folder);
    }

    static Workload read(Path folder) {
        try {
            JsonNode s = JSON.readTree(folder.resolve("config.json").toFile());
            DecoderConfig config = DecoderConfig.llama(
                    s.get("vocabulary_size").asInt(),
                    s.get("hidden_size").asInt(),
                    s.get("intermediate_size").asInt(),
                    s.get("layers").asInt(),
                    s.get("heads").asInt(),
                    s.get("kv_heads").asInt(),
                    s.get("max_positions").asInt(),
                    s.get("norm_epsilon").asDouble(),
                    s.get("theta").asDouble(),
                    true);
            return new Workload(config, s.get("batch").asInt(), s.get("length").asInt(), folder);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// The model, with parameters of its own.
    Decoder decoder() {
        Parameters parameters = Parameters.zeros(DecoderLayout.shapes(config), DType.FLOAT32, Device.CPU);
        try (Tensor weights = Bytes.read(DType.FLOAT32, bytes("weights.bin"), parameters.count())) {
            InPlace.copy_(parameters.flat(), weights);
        }
        return new Decoder(config, parameters);
    }

    /// The inputs [batch, length] or, behind them, the targets: int64.
    long[] ids(boolean targets) {
        long[] all = bytes("tokens.bin").toArray(java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED);
        int half = all.length / 2;
        return java.util.Arrays.copyOfRange(all, targets ? half : 0, targets ? all.length : half);
    }

    private MemorySegment bytes(String file) {
        try {
            return MemorySegment.ofArray(Files.readAllBytes(folder.resolve(file)));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Weights that take part in matrix products for every token: the projections of all layers and the head.
    long linearWeights() {
        long perLayer = DecoderLayout.shapes(config).entrySet().stream()
                .filter(e -> e.getKey().startsWith("layers.0.") && e.getValue().length == 2)
                .mapToLong(e -> e.getValue()[0] * e.getValue()[1])
                .sum();
        return config.layers() * perLayer + (long) config.vocabularySize() * config.hiddenSize();
    }

    /// Floating point operations of the linear layers in a step of training: two a weight and token forward, four back.
    double linearFlops() {
        return 6.0 * linearWeights() * tokens();
    }

    /// Those of attention's two products, forward and back, counting the causal half only.
    double attentionFlops() {
        double width = (double) config.heads() * config.headSize();
        return 12.0 * config.layers() * batch * Math.pow(length, 2) * width / 2;
    }
}
