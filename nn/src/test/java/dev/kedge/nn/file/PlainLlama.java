package dev.kedge.nn.file;

import dev.kedge.nn.lm.DecoderConfig;
import dev.kedge.tensor.Tensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;

/// A Llama in plain doubles, one position after the other, as the oracle of the weights' layouts. It reads a llama2.c
/// file by itself and turns neighbours, or takes loaded parameters and turns halves.
final class PlainLlama {
    private boolean halves;
    int dim;
    int hidden;
    int layers;
    int heads;
    int kvHeads;
    int vocabulary;
    int positions;
    double[] embedding;
    double[][] attentionNorm;
    double[][] q;
    double[][] k;
    double[][] v;
    double[][] output;
    double[][] mlpNorm;
    double[][] gate;
    double[][] down;
    double[][] up;
    double[] norm;
    double[] cosines;
    double[] sines;
    double[] head;

    static PlainLlama interleaved(Path file) throws IOException {
        ByteBuffer b = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
        PlainLlama m = new PlainLlama();
        m.dim = b.getInt();
        m.hidden = b.getInt();
        m.layers = b.getInt();
        m.heads = b.getInt();
        m.kvHeads = b.getInt();
        int vocabulary = b.getInt();
        m.vocabulary = Math.abs(vocabulary);
        m.positions = b.getInt();
        int keys = m.dim / m.heads * m.kvHeads;
        m.embedding = next(b, m.vocabulary * m.dim);
        m.attentionNorm = next(b, m.layers, m.dim);
        m.q = next(b, m.layers, m.dim * m.dim);
        m.k = next(b, m.layers, keys * m.dim);
        m.v = next(b, m.layers, keys * m.dim);
        m.output = next(b, m.layers, m.dim * m.dim);
        m.mlpNorm = next(b, m.layers, m.dim);
        m.gate = next(b, m.layers, m.hidden * m.dim);
        m.down = next(b, m.layers, m.hidden * m.dim);
        m.up = next(b, m.layers, m.hidden * m.dim);
        m.norm = next(b, m.dim);
        m.cosines = next(b, m.positions * m.dim / m.heads / 2);
        m.sines = next(b, m.positions * m.dim / m.heads / 2);
        m.head = vocabulary > 0 ? m.embedding : next(b, m.vocabulary * m.dim);
        return m;
    }

    static PlainLlama halves(ModelFolder model) {
        DecoderConfig c = model.config();
        Map<String, Tensor> p = model.parameters();
        PlainLlama m = new PlainLlama();
        m.halves = true;
        m.dim = c.hiddenSize();
        m.hidden = c.intermediateSize();
        m.layers = c.layers();
        m.heads = c.heads();
        m.kvHeads = c.kvHeads();
        m.vocabulary = c.vocabularySize();
        m.embedding = p.get("embedding.weight").toDoubles();
        m.head = p.get(c.tiedHead() ? "embedding.weight" : "head.weight").toDoubles();
        m.norm = p.get("norm.weight").toDoubles();
        int keys = c.kvHeads() * c.headSize();
        m.attentionNorm = rows(p, m.layers, "attentionNorm", 0, m.dim, 1);
        m.q = rows(p, m.layers, "attention.qkv", 0, m.dim, m.dim);
        m.k = rows(p, m.layers, "attention.qkv", m.dim, keys, m.dim);
        m.v = rows(p, m.layers, "attention.qkv", m.dim + keys, keys, m.dim);
        m.output = rows(p, m.layers, "attention.output", 0, m.dim, m.dim);
        m.mlpNorm = rows(p, m.layers, "mlpNorm", 0, m.dim, 1);
        m.gate = rows(p, m.layers, "mlp.gateUp", 0, m.hidden, m.dim);
        m.up = rows(p, m.layers, "mlp.gateUp", m.hidden, m.hidden, m.dim);
        m.down = rows(p, m.layers, "mlp.down", 0, m.dim, m.hidden);
        return m;
    }

    private static double[][] rows(Map<String, Tensor> p, int layers, String name, int from, int count, int width) {
        double[][] parts = new double[layers][];
        for (int n = 0; n < layers; n++) {
            double[] all = p.get("layers." + n + "." + name + ".weight").toDoubles();
            parts[n] = Arrays.copyOfRange(all, from * width, (from + count) * width);
        }
        return parts;
    }

    private static double[] next(ByteBuffer b, int count) {
        double[] values = new double[count];
        for (int i = 0; i < count; i++) {
            values[i] = b.getFloat();
        }
        return values;
    }

    private static double[][] next(ByteBuffer b, int layers, int count) {
        double[][] values = new double[layers][];
        for (int n = 0; n < layers; n++) {
            values[n] = next(b, count);
        }
        return values;
    }

    /// The logits after each token.
    double[][] logits(int[] tokens) {
        double[][][] keys = new double[layers][tokens.length][];
        double[][][] values = new double[layers][tokens.length][];
        double[][] logits = new double[tokens.length][];
        for (int t = 0; t < tokens.length; t++) {
            double[] x = Arrays.copyOfRange(embedding, tokens[t] * dim, (tokens[t] + 1) * dim);
            for (int n = 0; n < layers; n++) {
                double[] in = norm(x, attentionNorm[n]);
                double[] query = turn(product(q[n], in), t);
                keys[n][t] = turn(product(k[n], in), t);
                values[n][t] = product(v[n], in);
                add(x, product(output[n], attend(query, keys[n], values[n], t)));
                double[] middle = norm(x, mlpNorm[n]);
                double[] g = product(gate[n], middle);
                double[] u = product(up[n], middle);
                for (int i = 0; i < g.length; i++) {
                    u[i] *= g[i] / (1 + Math.exp(-g[i]));
                }
                add(x, product(down[n], u));
            }
            logits[t] = product(head, norm(x, norm));
        }
        return logits;
    }

    private double[] attend(double[] query, double[][] keys, double[][] values, int t) {
        int size = dim / heads;
        double[] out = new double[dim];
        for (int h = 0; h < heads; h++) {
            int at = h / (heads / kvHeads) * size;
            double[] weights = new double[t + 1];
            double sum = 0;
            for (int s = 0; s <= t; s++) {
                double score = 0;
                for (int i = 0; i < size; i++) {
                    score += query[h * size + i] * keys[s][at + i];
                }
                weights[s] = Math.exp(score / Math.sqrt(size));
                sum += weights[s];
            }
            for (int s = 0; s <= t; s++) {
                for (int i = 0; i < size; i++) {
                    out[h * size + i] += weights[s] / sum * values[s][at + i];
                }
            }
        }
        return out;
    }

    private double[] turn(double[] x, int t) {
        int size = dim / heads;
        double[] turned = new double[x.length];
        for (int from = 0; from < x.length; from += size) {
            for (int i = 0; i < size / 2; i++) {
                int a = from + (halves ? i : 2 * i);
                int b = from + (halves ? i + size / 2 : 2 * i + 1);
                double angle = t * Math.pow(10000, -2.0 * i / size);
                turned[a] = x[a] * Math.cos(angle) - x[b] * Math.sin(angle);
                turned[b] = x[a] * Math.sin(angle) + x[b] * Math.cos(angle);
            }
        }
        return turned;
    }

    private static double[] norm(double[] x, double[] weight) {
        double squares = 0;
        for (double value : x) {
            squares += value * value;
        }
        double scale = 1 / Math.sqrt(squares / x.length + 1e-5);
        double[] out = new double[x.length];
        for (int i = 0; i < x.length; i++) {
            out[i] = weight[i] * x[i] * scale;
        }
        return out;
    }

    private static double[] product(double[] weight, double[] x) {
        double[] out = new double[weight.length / x.length];
        for (int i = 0; i < weight.length; i++) {
            out[i / x.length] += weight[i] * x[i % x.length];
        }
        return out;
    }

    private static void add(double[] x, double[] y) {
        for (int i = 0; i < x.length; i++) {
            x[i] += y[i];
        }
    }
}
