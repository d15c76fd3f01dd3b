package dev.kedge.nn.file;

import dev.kedge.nn.lm.DecoderConfig;
import dev.kedge.nn.lm.DecoderLayout;
import dev.kedge.tensor.Bytes;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Shapes;
import dev.kedge.tensor.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/// A llama2.c model file: seven little-endian int32 (dim, hidden_dim, n_layers, n_heads, n_kv_heads, vocab_size,
/// max_seq_len; vocab_size negative where the head is not the embedding), then float32 weights, [out, in], each kind
/// for all layers: embedding, attention norms, wq, wk, wv, wo, MLP norms, w1 (gate), w2 (down), w3 (up), last norm,
/// cosines and sines of the rotation, head.
///
/// The file turns neighbouring entries (2i, 2i+1) of a head; rows of wq and wk are put in the order that halves (i, i +
/// headSize/2) need, so the queries and keys are the same numbers in another order and all scores are the same. The
/// tables are passed over: their base is 10000.
final class LlamaCFile {
    private static final int HEADER = 28;
    private static final int MAGIC = 0x616b3432;
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final MemorySegment bytes;
    private final DecoderConfig config;
    private long at = HEADER;

    private LlamaCFile(Path path, MemorySegment bytes) {
        this.bytes = bytes;
        this.config = header(path, bytes);
        long length = length(path, config);
        if (length != bytes.byteSize()) {
            throw new InvalidFileException(path, "has " + bytes.byteSize() + " bytes, its header promises " + length);
        }
    }

    /// A model: what the header says, and its parameters.
    record Model(DecoderConfig config, SequencedMap<String, Tensor> parameters) {}

    interface Use<T> {
        T apply(MemorySegment bytes);
    }

    /// Reads a model, converted to `dtype`.
    ///
    /// @throws InvalidFileException if the header is out of range or the length is another than it promises
    static Model read(Path path, DType dtype, Device device) {
        return mapped(path, bytes -> {
            LlamaCFile file = new LlamaCFile(path, bytes);
            return new Model(file.config, file.parameters(dtype, device));
        });
    }

    /// Checks header and length.
    ///
    /// @throws InvalidFileException if they are not a model's
    static DecoderConfig check(Path path) {
        return mapped(path, bytes -> new LlamaCFile(path, bytes).config);
    }

    private static <T> T mapped(Path path, Use<T> use) {
        try (Arena arena = Arena.ofConfined();
                FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            return use.apply(channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena));
        } catch (IOException e) {
            throw new UncheckedIOException(path + ": cannot be read: " + e, e);
        }
    }

    private static DecoderConfig header(Path path, MemorySegment bytes) {
        if (bytes.byteSize() < HEADER) {
            throw new InvalidFileException(path, "too short for a llama2.c model: " + bytes.byteSize() + " bytes");
        }
        int[] h = bytes.asSlice(0, HEADER).toArray(INT);
        if (h[0] == MAGIC) {
            throw new InvalidFileException(
                    path,
                    "version " + h[1]
                            + " of the llama2.c format is not supported; supported is the first, without magic");
        }
        checkSizes(path, h);
        return DecoderConfig.llama(Math.abs(h[5]), h[0], h[1], h[2], h[3], h[4], h[6], 1e-5, 10000, h[5] > 0);
    }

    private static void checkSizes(Path path, int[] h) {
        String[] names = {"dim", "hidden_dim", "n_layers", "n_heads", "n_kv_heads", "vocab_size", "max_seq_len"};
        for (int i = 0; i < names.length; i++) {
            if (h[i] == 0 || h[i] == Integer.MIN_VALUE || (h[i] < 0 && i != 5)) {
                throw new InvalidFileException(path, "header: " + names[i] + " is " + h[i] + ", must be positive");
            }
        }
        if (h[0] % h[3] != 0 || h[0] / h[3] % 2 != 0 || h[3] % h[4] != 0) {
            throw new InvalidFileException(
                    path,
                    "header: dim " + h[0] + ", n_heads " + h[3] + ", n_kv_heads " + h[4]
                            + ": n_heads must divide dim into an even head size, n_kv_heads must divide n_heads");
        }
    }

    private static long length(Path path, DecoderConfig c) {
        try {
            long h = c.hiddenSize();
            long keys = (long) c.kvHeads() * c.headSize();
            long mlp = Math.multiplyExact(3, Math.multiplyExact(h, c.intermediateSize()));
            long attention =
                    Math.multiplyExact(2, Math.addExact(Math.multiplyExact(h, h), Math.multiplyExact(h, keys)));
            long layer = Math.addExact(Math.addExact(mlp, attention), 2 * h);
            long all = Math.addExact(
                    Math.multiplyExact(c.layers(), layer), Math.multiplyExact((long) c.vocabularySize(), h));
            all = Math.addExact(all, h + (long) c.maxPositions() * c.headSize());
            if (!c.tiedHead()) {
                all = Math.addExact(all, (long) c.vocabularySize() * h);
            }
            return Math.addExact(HEADER, Math.multiplyExact(4, all));
        } catch (ArithmeticException _) {
            throw new InvalidFileException(path, "header: sizes overflow");
        }
    }

    private SequencedMap<String, Tensor> parameters(DType dtype, Device device) {
        DecoderConfig c = config;
        long h = c.hiddenSize();
        long keys = (long) c.kvHeads() * c.headSize();
        Map<String, Tensor> all = new HashMap<>();
        try (Scope scope = new Scope()) {
            all.put("embedding.weight", next(c.vocabularySize(), h));
            List<Tensor> attentionNorm = layers(h);
            List<Tensor> q = layers(h, h);
            List<Tensor> k = layers(keys, h);
            List<Tensor> v = layers(keys, h);
            List<Tensor> output = layers(h, h);
            List<Tensor> mlpNorm = layers(h);
            List<Tensor> gate = layers(c.intermediateSize(), h);
            List<Tensor> down = layers(h, c.intermediateSize());
            List<Tensor> up = layers(c.intermediateSize(), h);
            for (int n = 0; n < c.layers(); n++) {
                String layer = "layers." + n + ".";
                all.put(layer + "attentionNorm.weight", attentionNorm.get(n));
                Tensor queries = toHalves(q.get(n), c.heads());
                all.put(
                        layer + "attention.qkv.weight",
                        Tensor.cat(List.of(queries, toHalves(k.get(n), c.kvHeads()), v.get(n)), 0));
                all.put(layer + "attention.output.weight", output.get(n));
                all.put(layer + "mlpNorm.weight", mlpNorm.get(n));
                all.put(layer + "mlp.gateUp.weight", Tensor.cat(List.of(gate.get(n), up.get(n)), 0));
                all.put(layer + "mlp.down.weight", down.get(n));
            }
            all.put("norm.weight", next(h));
            at += 4L * c.maxPositions() * c.headSize();
            if (!c.tiedHead()) {
                all.put("head.weight", next(c.vocabularySize(), h));
            }
            SequencedMap<String, Tensor> ordered = new LinkedHashMap<>();
            for (String name : DecoderLayout.shapes(c).sequencedKeySet()) {
                ordered.put(name, scope.keep(all.get(name).to(dtype).to(device)));
            }
            return ordered;
        }
    }

    private List<Tensor> layers(long... shape) {
        List<Tensor> tensors = new ArrayList<>();
        for (int n = 0; n < config.layers(); n++) {
            tensors.add(next(shape));
        }
        return tensors;
    }

    private Tensor next(long... shape) {
        long length = 4;
        for (long size : shape) {
            length *= size;
        }
        at += length;
        return Bytes.read(DType.FLOAT32, bytes.asSlice(at - length, length), shape);
    }

    /// Rows 2i and 2i+1 of each head become rows i and i + headSize/2.
    private static Tensor toHalves(Tensor weight, int heads) {
        long[] shape = weight.shape();
        long pairs = shape[0] / heads / 2;
        return Shapes.transpose(weight.reshape(heads, pairs, 2, shape[1]), 1, 2).reshape(shape);
    }
}
