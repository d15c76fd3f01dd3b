package dev.kedge.nn.lm;

import dev.kedge.nn.lm.DecoderConfig.Norm;
import dev.kedge.nn.lm.DecoderConfig.Positions;
import dev.kedge.nn.lm.DecoderConfig.Positions.Rotary;
import dev.kedge.nn.lm.DecoderConfig.Scaling;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/// A decoder in plain doubles, one sequence, one position and one head at a time, as the oracle of [Decoder]. Written
/// from the formulas: attention and sinusoids of arXiv:1706.03762, rotation of arXiv:2104.09864, RMSNorm of
/// arXiv:1910.07467, SwiGLU of arXiv:2002.05202, GELU of arXiv:1606.08415, grouped queries of arXiv:2305.13245.
final class NaiveDecoder {
    private final DecoderConfig c;
    private final Map<String, double[]> weights = new HashMap<>();

    NaiveDecoder(Decoder model) {
        c = model.config();
        model.parameters().named().forEach((name, tensor) -> weights.put(name, tensor.toDoubles()));
    }

    /// After each token: [T][V].
    double[][] logits(int[] tokens) {
        double[] head = weights.get(c.tiedHead() ? "embedding.weight" : "head.weight");
        return Arrays.stream(hidden(tokens)).map(h -> product(head, h)).toArray(double[][]::new);
    }

    /// After the last norm: [T][H].
    double[][] hidden(int[] tokens) {
        int length = tokens.length;
        double[][] x = new double[length][];
        for (int t = 0; t < length; t++) {
            x[t] = row("embedding.weight", tokens[t]);
            if (c.positions() instanceof Positions.Learned) {
                x[t] = sum(x[t], row("positions.weight", t));
            }
        }
        for (int n = 0; n < c.layers(); n++) {
            String layer = "layers." + n + ".";
            double[][] attended = attention(layer, x);
            for (int t = 0; t < length; t++) {
                double[] middle = sum(x[t], attended[t]);
                double[] read = c.parallelResidual() ? x[t] : middle;
                x[t] = sum(middle, mlp(layer, norm(layer + "mlpNorm", read)));
            }
        }
        return Arrays.stream(x).map(v -> norm("norm", v)).toArray(double[][]::new);
    }

    private double[][] attention(String layer, double[][] x) {
        int size = c.headSize();
        double[][] keys = new double[x.length][];
        double[][] values = new double[x.length][];
        double[][] out = new double[x.length][];
        for (int t = 0; t < x.length; t++) {
            double[] qkv = linear(layer + "attention.qkv", norm(layer + "attentionNorm", x[t]));
            int k = c.heads() * size;
            int v = k + c.kvHeads() * size;
            keys[t] = placed(layer + "attention.kNorm", Arrays.copyOfRange(qkv, k, v), t);
            values[t] = Arrays.copyOfRange(qkv, v, qkv.length);
            double[] queries = placed(layer + "attention.qNorm", Arrays.copyOf(qkv, k), t);
            double[] joined = new double[k];
            for (int h = 0; h < c.heads(); h++) {
                int group = h * c.kvHeads() / c.heads();
                double[] share = new double[t + 1];
                double total = 0;
                for (int s = 0; s <= t; s++) {
                    double score = 0;
                    for (int i = 0; i < size; i++) {
                        score += queries[h * size + i] * keys[s][group * size + i];
                    }
                    share[s] = Math.exp(score / Math.sqrt(size));
                    total += share[s];
                }
                for (int s = 0; s <= t; s++) {
                    for (int i = 0; i < size; i++) {
                        joined[h * size + i] += share[s] / total * values[s][group * size + i];
                    }
                }
            }
            out[t] = linear(layer + "attention.output", joined);
        }
        return out;
    }

    /// Heads normed, where the model norms them, and turned to their position.
    private double[] placed(String norm, double[] heads, int position) {
        int size = c.headSize();
        double[] placed = new double[heads.length];
        for (int from = 0; from < heads.length; from += size) {
            double[] head = Arrays.copyOfRange(heads, from, from + size);
            if (c.qkNorm()) {
                head = norm(norm, head);
            }
            if (c.positions() instanceof Rotary rotary) {
                turn(head, rotary, position);
            }
            System.arraycopy(head, 0, placed, from, size);
        }
        return placed;
    }

    private static void turn(double[] head, Rotary rotary, int position) {
        int half = rotary.rotated() / 2;
        for (int i = 0; i < half; i++) {
            double angle = position * frequency(rotary, Math.exp(-Math.log(rotary.theta()) * i / half));
            double re = head[i];
            double im = head[i + half];
            head[i] = re * Math.cos(angle) - im * Math.sin(angle);
            head[i + half] = re * Math.sin(angle) + im * Math.cos(angle);
        }
    }

    private static double frequency(Rotary rotary, double frequency) {
        if (rotary.scaling() instanceof Scaling.Linear(double factor)) {
            return frequency / factor;
        }
        if (rotary.scaling() instanceof Scaling.Llama3(double factor, double low, double high, int original)) {
            double turns = original * frequency / (2 * Math.PI); // of this pair within the original context
            double kept = Math.max(0, Math.min(1, (turns - low) / (high - low)));
            return frequency * (kept + (1 - kept) / factor);
        }
        return frequency;
    }

    private double[] mlp(String layer, double[] x) {
        int inner = c.intermediateSize();
        double[] active = new double[inner];
        switch (c.mlp()) {
            case GATED_SILU -> {
                double[] both = linear(layer + "mlp.gateUp", x);
                for (int i = 0; i < inner; i++) {
                    active[i] = both[i] / (1 + Math.exp(-both[i])) * both[inner + i];
                }
            }
            case GELU -> {
                double[] up = linear(layer + "mlp.up", x);
                for (int i = 0; i < inner; i++) {
                    active[i] = up[i] * normalCdf(up[i]);
                }
            }
            case GELU_TANH -> {
                double[] up = linear(layer + "mlp.up", x);
                for (int i = 0; i < inner; i++) {
                    double u = up[i];
                    active[i] = u / 2 * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (u + 0.044715 * u * u * u)));
                }
            }
        }
        return linear(layer + "mlp.down", active);
    }

    /// `Φ(x) = 1/2 + φ(x) (x + x³/3 + x⁵/(3·5) + ...)`.
    private static double normalCdf(double x) {
        double term = x;
        double sum = x;
        for (int n = 3; Math.abs(term) > 1e-18 * Math.abs(sum); n += 2) {
            term *= x * x / n;
            sum += term;
        }
        return 0.5 + sum * Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI);
    }

    private double[] norm(String name, double[] x) {
        boolean centred = c.norm() == Norm.LAYER;
        double mean = centred ? Arrays.stream(x).average().orElseThrow() : 0;
        double variance =
                Arrays.stream(x).map(v -> (v - mean) * (v - mean)).average().orElseThrow();
        double[] weight = weights.get(name + ".weight");
        double[] bias = weights.get(name + ".bias");
        double[] out = new double[x.length];
        for (int i = 0; i < x.length; i++) {
            out[i] = weight[i] * (x[i] - mean) / Math.sqrt(variance + c.normEpsilon()) + (bias == null ? 0 : bias[i]);
        }
        return out;
    }

    private double[] linear(String name, double[] x) {
        double[] y = product(weights.get(name + ".weight"), x);
        double[] bias = weights.get(name + ".bias");
        return bias == null ? y : sum(y, bias);
    }

    private double[] row(String name, int index) {
        return Arrays.copyOfRange(weights.get(name), index * c.hiddenSize(), (index + 1) * c.hiddenSize());
    }

    private static double[] product(double[] matrix, double[] x) {
        double[] y = new double[matrix.length / x.length];
        for (int i = 0; i < y.length; i++) {
            for (int j = 0; j < x.length; j++) {
                y[i] += matrix[i * x.length + j] * x[j];
            }
        }
        return y;
    }

    private static double[] sum(double[] a, double[] b) {
        double[] sum = a.clone();
        for (int i = 0; i < a.length; i++) {
            sum[i] += b[i];
        }
        return sum;
    }
}
