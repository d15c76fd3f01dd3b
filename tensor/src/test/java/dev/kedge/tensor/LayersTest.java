package dev.kedge.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The layers' arithmetic against loops over plain doubles.
class LayersTest {
    private final Random random = new Random(5);
    private Scope scope;

    @BeforeEach
    void open() {
        scope = new Scope();
    }

    @AfterEach
    void close() {
        scope.close();
    }

    private double[] values(int count) {
        return random.doubles(count, -2, 2).toArray();
    }

    @Test
    void linearIsTheProductWithTheTransposePlusBias() {
        double[] x = values(6);
        double[] w = values(12);
        double[] b = values(4);
        double[] expected = new double[8];
        for (int i = 0; i < 2; i++) {
            for (int o = 0; o < 4; o++) {
                expected[i * 4 + o] = b[o];
                for (int k = 0; k < 3; k++) {
                    expected[i * 4 + o] += x[i * 3 + k] * w[o * 3 + k];
                }
            }
        }
        Tensor out = Functional.linear(Tensor.of(x, 1, 2, 3), Tensor.of(w, 4, 3), Tensor.of(b));
        assertArrayEquals(new long[] {1, 2, 4}, out.shape());
        assertArrayEquals(expected, out.toDoubles(), 1e-12);
        Tensor plain = Functional.linear(Tensor.of(x, 2, 3), Tensor.of(w, 4, 3), null);
        assertEquals(expected[5] - b[1], plain.toDoubles()[5], 1e-12);
    }

    @Test
    void embeddingPicksRowsAndGathersTheirGradients() {
        Tensor table = Tensor.of(new double[][] {{1, 2}, {3, 4}, {5, 6}}).requiresGrad();
        Tensor rows = Functional.embedding(table, Tensor.of(new long[] {2, 0, 2, 2}, 2, 2));
        assertArrayEquals(new long[] {2, 2, 2}, rows.shape());
        assertArrayEquals(new double[] {5, 6, 1, 2, 5, 6, 5, 6}, rows.toDoubles());
        rows.sum().backward();
        assertArrayEquals(new double[] {1, 1, 0, 0, 3, 3}, table.grad().toDoubles());
    }

    @Test
    void normsFollowTheirFormulas() {
        double[] x = values(8);
        double[] w = values(4);
        double[] b = values(4);
        double epsilon = 0.1;
        double[] rms = new double[8];
        double[] layer = new double[8];
        double[] bare = new double[8];
        for (int i = 0; i < 2; i++) {
            double squares = 0;
            double mean = 0;
            for (int j = 0; j < 4; j++) {
                squares += x[i * 4 + j] * x[i * 4 + j] / 4;
                mean += x[i * 4 + j] / 4;
            }
            for (int j = 0; j < 4; j++) {
                int k = i * 4 + j;
                rms[k] = x[k] / Math.sqrt(squares + epsilon) * w[j];
                bare[k] = (x[k] - mean) / Math.sqrt(squares - mean * mean + epsilon);
                layer[k] = bare[k] * w[j] + b[j];
            }
        }
        Tensor input = Tensor.of(x, 2, 4);
        assertArrayEquals(rms, Functional.rmsNorm(input, Tensor.of(w), epsilon).toDoubles(), 1e-12);
        Tensor weight = Tensor.of(w);
        assertArrayEquals(
                layer,
                Functional.layerNorm(input, weight, Tensor.of(b), epsilon).toDoubles(),
                1e-12);
        assertArrayEquals(bare, Functional.layerNorm(input, null, null, epsilon).toDoubles(), 1e-12);
    }

    /// softmax(q kᵀ / √d + bias) v, by loops; `may` says which keys a query sees.
    private static double[] attention(double[] q, double[] k, double[] v, int[] sizes, boolean[][] may) {
        int batch = sizes[0];
        int heads = sizes[1];
        int kvHeads = sizes[2];
        int queries = sizes[3];
        int keys = sizes[4];
        int d = sizes[5];
        double[] out = new double[batch * heads * queries * d];
        for (int bh = 0; bh < batch * heads; bh++) {
            int kv = bh / heads * kvHeads + bh % heads / (heads / kvHeads);
            for (int i = 0; i < queries; i++) {
                double[] weights = new double[keys];
                double total = 0;
                for (int j = 0; j < keys; j++) {
                    double score = 0;
                    for (int c = 0; c < d; c++) {
                        score += q[(bh * queries + i) * d + c] * k[(kv * keys + j) * d + c];
                    }
                    weights[j] = may[i][j] ? Math.exp(score / Math.sqrt(d)) : 0;
                    total += weights[j];
                }
                for (int j = 0; j < keys; j++) {
                    for (int c = 0; c < d; c++) {
                        out[(bh * queries + i) * d + c] += weights[j] / total * v[(kv * keys + j) * d + c];
                    }
                }
            }
        }
        return out;
    }

    @ParameterizedTest
    @CsvSource({"2,3,3,4,4", "1,4,2,5,5", "2,4,1,3,6", "1,2,2,1,7"})
    void attentionEqualsTheLoops(int batch, int heads, int kvHeads, int queries, int keys) {
        int d = 8;
        int[] sizes = {batch, heads, kvHeads, queries, keys, d};
        double[] q = values(batch * heads * queries * d);
        double[] k = values(batch * kvHeads * keys * d);
        double[] v = values(batch * kvHeads * keys * d);
        Tensor tq = Tensor.of(q, batch, heads, queries, d);
        Tensor tk = Tensor.of(k, batch, kvHeads, keys, d);
        Tensor tv = Tensor.of(v, batch, kvHeads, keys, d);
        boolean[][] all = new boolean[queries][keys];
        boolean[][] some = new boolean[queries][keys];
        boolean[][] past = new boolean[queries][keys];
        double[] biases = new double[queries * keys];
        for (int i = 0; i < queries; i++) {
            for (int j = 0; j < keys; j++) {
                all[i][j] = true;
                some[i][j] = j == i || random.nextBoolean();
                past[i][j] = j <= i;
                biases[i * keys + j] = some[i][j] ? 0 : Double.NEGATIVE_INFINITY;
            }
        }
        double[] expected = attention(q, k, v, sizes, all);
        assertArrayEquals(
                expected, Functional.attention(tq, tk, tv, null, false).toDoubles(), 1e-12);
        double[] masked = attention(q, k, v, sizes, some);
        assertArrayEquals(
                masked,
                Functional.attention(tq, tk, tv, Tensor.mask(some), false).toDoubles(),
                1e-12);
        Tensor bias = Tensor.of(biases, queries, keys);
        assertArrayEquals(masked, Functional.attention(tq, tk, tv, bias, false).toDoubles(), 1e-12);
        if (queries == keys) {
            double[] causal = attention(q, k, v, sizes, past);
            assertArrayEquals(
                    causal, Functional.attention(tq, tk, tv, null, true).toDoubles(), 1e-12);
        }
    }

    @Test
    void attentionIsEitherCausalOrMasked() {
        Tensor x = Tensor.of(values(16), 1, 1, 4, 4);
        Tensor mask = Tensor.mask(new boolean[16], 4, 4);
        String message = assertThrows(IllegalArgumentException.class, () -> Functional.attention(x, x, x, mask, true))
                .getMessage();
        assertTrue(message.contains("causal"), message);
    }

    @ParameterizedTest
    @CsvSource({"1,0", "2,1", "3,2"})
    void convolutionEqualsTheLoops(int stride, int padding) {
        int height = 5;
        int width = 6;
        double[] x = values(2 * 2 * height * width);
        double[] w = values(3 * 2 * 3 * 2);
        double[] b = values(3);
        int rows = (height + 2 * padding - 3) / stride + 1;
        int columns = (width + 2 * padding - 2) / stride + 1;
        double[] expected = new double[2 * 3 * rows * columns];
        for (int at = 0; at < expected.length; at++) {
            int column = at % columns;
            int row = at / columns % rows;
            int o = at / columns / rows % 3;
            int n = at / columns / rows / 3;
            expected[at] = b[o];
            for (int tap = 0; tap < 12; tap++) {
                int i = row * stride - padding + tap / 2 % 3;
                int j = column * stride - padding + tap % 2;
                if (i >= 0 && i < height && j >= 0 && j < width) {
                    expected[at] += x[((n * 2 + tap / 6) * height + i) * width + j] * w[o * 12 + tap];
                }
            }
        }
        Tensor out = Functional.conv2d(
                Tensor.of(x, 2, 2, height, width), Tensor.of(w, 3, 2, 3, 2), Tensor.of(b), stride, padding);
        assertArrayEquals(new long[] {2, 3, rows, columns}, out.shape());
        assertArrayEquals(expected, out.toDoubles(), 1e-12);
    }

    /// It is the gradient of the convolution with the same kernel.
    @ParameterizedTest
    @CsvSource({"1,0,0", "2,1,1", "3,0,2"})
    void transposedConvolutionIsTheAdjoint(int stride, int padding, int outputPadding) {
        Tensor y = Tensor.of(values(2 * 3 * 16), 2, 3, 4, 4);
        Tensor w = Tensor.of(values(3 * 2 * 9), 3, 2, 3, 3);
        Tensor up = Functional.convTranspose2d(y, w, null, stride, padding, outputPadding);
        long size = 3L * stride - 2L * padding + 3 + outputPadding;
        assertArrayEquals(new long[] {2, 2, size, size}, up.shape());
        Tensor x = Tensor.of(values((int) up.numel()), up.shape());
        double left =
                Functional.conv2d(x, w, null, stride, padding).times(y).sum().item();
        assertEquals(left, x.times(up).sum().item(), 1e-10);
        double withBias = Functional.convTranspose2d(y, w, Tensor.of(0.5, -1), stride, padding, outputPadding)
                .minus(up)
                .sum()
                .item();
        assertEquals(2 * size * size * -0.5, withBias, 1e-9);
    }

    @Test
    void poolsLookAtWindowsSideBySide() {
        double[] x = values(2 * 5 * 4);
        double[] highest = new double[8];
        double[] mean = new double[8];
        for (int at = 0; at < 8; at++) {
            int corner = at / 4 * 20 + at / 2 % 2 * 8 + at % 2 * 2;
            double[] window = {x[corner], x[corner + 1], x[corner + 4], x[corner + 5]};
            highest[at] = java.util.Arrays.stream(window).max().orElseThrow();
            mean[at] = java.util.Arrays.stream(window).average().orElseThrow();
        }
        Tensor input = Tensor.of(x, 1, 2, 5, 4); // the last row fills no window
        assertArrayEquals(highest, Functional.maxPool2d(input, 2).toDoubles());
        assertArrayEquals(mean, Functional.avgPool2d(input, 2).toDoubles(), 1e-15);
    }

    @Test
    void gradientsLeaveEverybodysGradAlone() {
        Tensor x = Tensor.of(1, 2).requiresGrad();
        Tensor y = Tensor.of(3, 4).requiresGrad();
        Tensor product = x.times(y);
        Tensor[] found = Functional.gradients(product, Tensor.of(10, 100), x, y);
        assertArrayEquals(new double[] {30, 400}, found[0].toDoubles());
        assertArrayEquals(new double[] {10, 200}, found[1].toDoubles());
        assertEquals(null, x.grad());
        assertArrayEquals(
                new double[] {3, 4}, Functional.gradients(product.sum(), null, x)[0].toDoubles()); // the graph is kept
    }

    @Test
    void adamWFollowsTheAlgorithm() {
        double rate = 0.1;
        double beta1 = 0.8;
        double beta2 = 0.95;
        double decay = 0.3;
        double epsilon = 1e-3;
        int n = 37;
        double[] p = values(n);
        double[] m = new double[n];
        double[] v = new double[n];
        Tensor parameters = Tensor.of(p.clone());
        Tensor first = parameters.zerosLike();
        Tensor second = parameters.zerosLike();
        for (int t = 1; t <= 5; t++) {
            double[] g = values(n);
            for (int i = 0; i < n; i++) {
                m[i] = beta1 * m[i] + (1 - beta1) * g[i];
                v[i] = beta2 * v[i] + (1 - beta2) * g[i] * g[i];
                double mHat = m[i] / (1 - Math.pow(beta1, t));
                double vHat = v[i] / (1 - Math.pow(beta2, t));
                p[i] -= rate * (mHat / (Math.sqrt(vHat) + epsilon) + decay * p[i]);
            }
            Tensor step = Tensor.of(new float[] {t}, new long[0]);
            Fused.adamW_(parameters, Tensor.of(g), first, second, step, rate, beta1, beta2, decay, epsilon);
            assertArrayEquals(p, parameters.toDoubles(), 1e-13);
            assertArrayEquals(m, first.toDoubles(), 1e-13);
            assertArrayEquals(v, second.toDoubles(), 1e-13);
            assertEquals(t, step.item());
        }
    }

    @Test
    void linearAlgebraSolvesWhatItSays() {
        Tensor a = Tensor.of(new double[][] {{2, 1}, {1, 3}});
        assertArrayEquals(new double[] {1, 3}, Linalg.solve(a, Tensor.of(5, 10)).toDoubles(), 1e-14);
        double root = Math.sqrt(5);
        Tensor[] pairs = Linalg.eigh(a);
        assertArrayEquals(new double[] {(5 - root) / 2, (5 + root) / 2}, pairs[0].toDoubles(), 1e-14);
        Tensor rebuilt = pairs[1].times(pairs[0]).matmul(pairs[1].t());
        assertArrayEquals(a.toDoubles(), rebuilt.toDoubles(), 1e-14);
        Tensor wide = Tensor.of(new double[][] {{0, -3, 0}, {2, 0, 0}});
        assertArrayEquals(new double[] {3, 2}, Linalg.singularValues(wide).toDoubles(), 1e-14);
    }
}
