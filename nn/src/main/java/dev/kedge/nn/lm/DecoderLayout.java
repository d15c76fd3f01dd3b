package dev.kedge.nn.lm;

import dev.kedge.nn.lm.DecoderConfig.Mlp;
import dev.kedge.nn.lm.DecoderConfig.Norm;
import dev.kedge.nn.lm.DecoderConfig.Positions;
import dev.kedge.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/// The names and shapes that a decoder's parameters have in memory, whatever file they came from.
///
/// Weights are [out, in]. `attention.qkv` holds the rows of all query heads, then all key heads, then all value heads;
/// `mlp.gateUp` those of the gate, then of the up projection.
public final class DecoderLayout {
    private DecoderLayout() {}

    /// Name to shape, in the order of the computation.
    public static SequencedMap<String, long[]> shapes(DecoderConfig c) {
        SequencedMap<String, long[]> shapes = new LinkedHashMap<>();
        boolean normBias = c.norm() == Norm.LAYER;
        long queries = (long) c.heads() * c.headSize();
        shapes.put("embedding.weight", new long[] {c.vocabularySize(), c.hiddenSize()});
        if (c.positions() instanceof Positions.Learned) {
            shapes.put("positions.weight", new long[] {c.maxPositions(), c.hiddenSize()});
        }
        for (int n = 0; n < c.layers(); n++) {
            String layer = "layers." + n + ".";
            put(shapes, layer + "attentionNorm", normBias, c.hiddenSize());
            put(
                    shapes,
                    layer + "attention.qkv",
                    c.qkvBias(),
                    Arrays.stream(qkvRows(c)).sum(),
                    c.hiddenSize());
            if (c.qkNorm()) {
                put(shapes, layer + "attention.qNorm", false, c.headSize());
                put(shapes, layer + "attention.kNorm", false, c.headSize());
            }
            put(shapes, layer + "attention.output", c.outputBias(), c.hiddenSize(), queries);
            put(shapes, layer + "mlpNorm", normBias, c.hiddenSize());
            if (c.mlp() == Mlp.GATED_SILU) {
                put(shapes, layer + "mlp.gateUp", c.mlpBias(), 2L * c.intermediateSize(), c.hiddenSize());
            } else {
                put(shapes, layer + "mlp.up", c.mlpBias(), c.intermediateSize(), c.hiddenSize());
            }
            put(shapes, layer + "mlp.down", c.mlpBias(), c.hiddenSize(), c.intermediateSize());
        }
        put(shapes, "norm", normBias, c.hiddenSize());
        if (!c.tiedHead()) {
            put(shapes, "head", false, c.vocabularySize(), c.hiddenSize());
        }
        return shapes;
    }

    private static void put(Map<String, long[]> shapes, String module, boolean bias, long... shape) {
        shapes.put(module + ".weight", shape);
        if (bias) {
            shapes.put(module + ".bias", new long[] {shape[0]});
        }
    }

    /// How many rows of `attention.qkv` are queries, keys and values.
    public static long[] qkvRows(DecoderConfig c) {
        long keys = (long) c.kvHeads() * c.headSize();
        return new long[] {(long) c.heads() * c.headSize(), keys, keys};
    }

    /// Checks that these are exactly the parameters of this decoder.
    ///
    /// @throws IllegalArgumentException if one is missing, is not of the decoder or has another shape
    public static void check(DecoderConfig config, Map<String, Tensor> parameters) {
        List<String> faults = new ArrayList<>();
        SequencedMap<String, long[]> shapes = shapes(config);
        shapes.forEach((name, shape) -> {
            Tensor tensor = parameters.get(name);
            if (tensor == null) {
                faults.add(name + " is missing");
            } else if (!Arrays.equals(tensor.shape(), shape)) {
                faults.add(name + " is " + Arrays.toString(tensor.shape()) + ", must be " + Arrays.toString(shape));
            }
        });
        parameters.keySet().stream()
                .filter(name -> !shapes.containsKey(name))
                .forEach(name -> faults.add(name + " is not a parameter of this decoder"));
        if (!faults.isEmpty()) {
            throw new IllegalArgumentException(firstOf(faults));
        }
    }

    /// The first few faults, and how many there are.
    /// The first few of many complaints, and how many there are.
    public static String firstOf(List<String> faults) {
        String first = String.join("; ", faults.subList(0, Math.min(faults.size(), 4)));
        return faults.size() <= 4 ? first : first + "; ... (" + faults.size() + " in all)";
    }
}
