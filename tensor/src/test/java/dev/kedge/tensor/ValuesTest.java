package dev.kedge.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleBinaryOperator;
import java.util.function.DoubleUnaryOperator;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Every operation against plain doubles.
class ValuesTest {
    private static final double INFINITY = Double.POSITIVE_INFINITY;
    private Scope scope;

    @BeforeEach
    void open() {
        scope = new Scope();
    }

    @AfterEach
    void close() {
        scope.close();
    }

    private record Pointwise(UnaryOperator<Tensor> op, DoubleUnaryOperator oracle) {}

    private static double sigmoid(double x) {
        return 1 / (1 + Math.exp(-x));
    }

    private static Map<String, Pointwise> pointwise() {
        Map<String, Pointwise> all = new LinkedHashMap<>();
        all.put("neg", new Pointwise(Tensor::neg, x -> -x));
        all.put("abs", new Pointwise(Tensor::abs, Math::abs));
        all.put("sign", new Pointwise(Elementwise::sign, Math::signum));
        all.put("square", new Pointwise(Tensor::square, x -> x * x));
        all.put("sqrt", new Pointwise(Tensor::sqrt, Math::sqrt));
        all.put("rsqrt", new Pointwise(Elementwise::rsqrt, x -> 1 / Math.sqrt(x)));
        all.put("exp", new Pointwise(Tensor::exp, Math::exp));
        all.put("exp_", new Pointwise(t -> InPlace.exp_(t.copy()), Math::exp));
        all.put("expm1", new Pointwise(Elementwise::expm1, Math::expm1));
        all.put("log", new Pointwise(Tensor::log, Math::log));
        all.put("log1p", new Pointwise(Elementwise::log1p, Math::log1p));
        all.put("sin", new Pointwise(Elementwise::sin, Math::sin));
        all.put("cos", new Pointwise(Elementwise::cos, Math::cos));
        all.put("tanh", new Pointwise(Elementwise::tanh, Math::tanh));
        all.put("floor", new Pointwise(Elementwise::floor, Math::floor));
        all.put("round", new Pointwise(Elementwise::round, Math::rint));
        all.put("sigmoid", new Pointwise(Functional::sigmoid, ValuesTest::sigmoid));
        all.put("logSigmoid", new Pointwise(Functional::logSigmoid, x -> -Math.log1p(Math.exp(-x))));
        all.put("softplus", new Pointwise(Functional::softplus, x -> Math.log1p(Math.exp(x))));
        all.put("relu", new Pointwise(Functional::relu, x -> Math.max(x, 0)));
        all.put("silu", new Pointwise(Functional::silu, x -> x * sigmoid(x)));
        all.put(
                "gelu tanh",
                new Pointwise(
                        t -> Functional.gelu(t, true),
                        x -> x / 2 * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)))));
        all.put("plus", new Pointwise(t -> t.plus(0.1), x -> x + 0.1));
        all.put("minus", new Pointwise(t -> t.minus(0.1), x -> x - 0.1));
        all.put("times", new Pointwise(t -> t.times(0.1), x -> x * 0.1));
        all.put("div", new Pointwise(t -> t.div(0.1), x -> x / 0.1));
        all.put("plus_", new Pointwise(t -> InPlace.plus_(t.copy(), 0.1), x -> x + 0.1));
        all.put("times_", new Pointwise(t -> InPlace.times_(t.copy(), 0.1), x -> x * 0.1));
        all.put("fill_", new Pointwise(t -> InPlace.fill_(t.copy(), 0.1), _ -> 0.1));
        all.put("pow", new Pointwise(t -> Elementwise.pow(t, 2.5), x -> Math.pow(x, 2.5)));
        all.put("remainder", new Pointwise(t -> Elementwise.remainder(t, 0.75), x -> x - 0.75 * Math.floor(x / 0.75)));
        all.put("clampMin", new Pointwise(t -> Elementwise.clampMin(t, 0.3), x -> Math.max(x, 0.3)));
        all.put("clampMax", new Pointwise(t -> Elementwise.clampMax(t, 0.3), x -> Math.min(x, 0.3)));
        all.put("clamp", new Pointwise(t -> Elementwise.clamp(t, -0.3, 0.4), x -> Math.clamp(x, -0.3, 0.4)));
        all.put("eq", new Pointwise(t -> t.eq(0.5), x -> x == 0.5 ? 1 : 0));
        all.put("ne", new Pointwise(t -> t.ne(0.5), x -> x != 0.5 ? 1 : 0));
        all.put("lt", new Pointwise(t -> t.lt(0.5), x -> x < 0.5 ? 1 : 0));
        all.put("le", new Pointwise(t -> t.le(0.5), x -> x <= 0.5 ? 1 : 0));
        all.put("gt", new Pointwise(t -> t.gt(0.5), x -> x > 0.5 ? 1 : 0));
        all.put("ge", new Pointwise(t -> t.ge(0.5), x -> x >= 0.5 ? 1 : 0));
        all.put("not", new Pointwise(Tensor::not, x -> x == 0 ? 1 : 0));
        all.put("isFinite", new Pointwise(Tensor::isFinite, x -> Double.isFinite(x) ? 1 : 0));
        return all;
    }

    @Test
    void aMatrixComesBackRowByRow() {
        double[][] rows = {{1, -2, 3}, {4, 5.5, -6}};
        assertArrayEquals(rows, Tensor.of(rows).toRows());
        assertArrayEquals(
                new double[][] {{1, 4}, {-2, 5.5}, {3, -6}},
                Shapes.transpose(Tensor.of(rows), 0, 1).toRows());
    }

    @TestFactory
    Stream<DynamicTest> elementByElement() {
        double[] values = {-2.5, -1.5, -0.3, -1e-9, 0, 1e-9, 0.25, 0.5, 1.5, 2.5, 7};
        return pointwise().entrySet().stream()
                .map(e -> DynamicTest.dynamicTest(e.getKey(), () -> {
                    try (Scope _ = new Scope()) {
                        double[] got =
                                e.getValue().op().apply(Tensor.of(values)).toDoubles();
                        for (int i = 0; i < values.length; i++) {
                            double expected = e.getValue().oracle().applyAsDouble(values[i]);
                            double bound = Double.isFinite(expected) ? 1e-14 * (1 + Math.abs(expected)) : 0;
                            assertEquals(expected, got[i], bound, "at " + values[i]);
                        }
                        assertEquals(0, e.getValue().op().apply(Tensor.of()).numel());
                        Tensor none = Tensor.of(new double[0], 0, 3);
                        assertArrayEquals(
                                new long[] {0, 3}, e.getValue().op().apply(none).shape());
                        Tensor single = e.getValue().op().apply(Tensor.scalarOf(0.5));
                        assertEquals(0, single.dim());
                        assertEquals(got[7], single.to(DType.FLOAT64).item(), 1e-15);
                    }
                }));
    }

    private record Pairwise(java.util.function.BinaryOperator<Tensor> op, DoubleBinaryOperator oracle) {}

    @TestFactory
    Stream<DynamicTest> pairByPairWithBroadcasting() {
        Map<String, Pairwise> all = new LinkedHashMap<>();
        all.put("plus", new Pairwise(Tensor::plus, Double::sum));
        all.put("minus", new Pairwise(Tensor::minus, (a, b) -> a - b));
        all.put("times", new Pairwise(Tensor::times, (a, b) -> a * b));
        all.put("div", new Pairwise(Tensor::div, (a, b) -> a / b));
        all.put("minimum", new Pairwise(Elementwise::minimum, Math::min));
        all.put("maximum", new Pairwise(Elementwise::maximum, Math::max));
        all.put("logAddExp", new Pairwise(Elementwise::logAddExp, (a, b) -> Math.log(Math.exp(a) + Math.exp(b))));
        all.put("eq", new Pairwise(Tensor::eq, (a, b) -> a == b ? 1 : 0));
        all.put("lt", new Pairwise(Tensor::lt, (a, b) -> a < b ? 1 : 0));
        all.put("le", new Pairwise(Tensor::le, (a, b) -> a <= b ? 1 : 0));
        all.put("gt", new Pairwise(Tensor::gt, (a, b) -> a > b ? 1 : 0));
        all.put("ge", new Pairwise(Tensor::ge, (a, b) -> a >= b ? 1 : 0));
        all.put("and", new Pairwise(Tensor::and, (a, b) -> a != 0 && b != 0 ? 1 : 0));
        all.put("or", new Pairwise(Tensor::or, (a, b) -> a != 0 || b != 0 ? 1 : 0));
        all.put("plus_", new Pairwise((a, b) -> InPlace.plus_(a.expand(2, 3).copy(), b), Double::sum));
        all.put("minus_", new Pairwise((a, b) -> InPlace.minus_(a.expand(2, 3).copy(), b), (a, b) -> a - b));
        all.put("times_", new Pairwise((a, b) -> InPlace.times_(a.expand(2, 3).copy(), b), (a, b) -> a * b));
        all.put("plus_ 3", new Pairwise((a, b) -> InPlace.plus_(a.expand(2, 3).copy(), b, 3), (a, b) -> a + 3 * b));
        all.put("copy_", new Pairwise((a, b) -> InPlace.copy_(a.expand(2, 3).copy(), b), (_, b) -> b));
        all.put("plusProduct", new Pairwise((a, b) -> Elementwise.plusProduct(a, a, b), (a, b) -> a + a * b));
        return all.entrySet().stream()
                .map(e -> DynamicTest.dynamicTest(e.getKey(), () -> {
                    try (Scope _ = new Scope()) {
                        double[] column = {-1, 2};
                        double[] row = {0, 2, -3};
                        Tensor got = e.getValue().op().apply(Tensor.of(column, 2, 1), Tensor.of(row, 3));
                        double[] expected = new double[6];
                        for (int i = 0; i < 6; i++) {
                            expected[i] = e.getValue().oracle().applyAsDouble(column[i / 3], row[i % 3]);
                        }
                        assertArrayEquals(new long[] {2, 3}, got.shape());
                        assertArrayEquals(expected, got.toDoubles(), 1e-14);
                    }
                }));
    }

    @ParameterizedTest
    @EnumSource(names = {"FLOAT32", "FLOAT64"})
    void numbersActAsTensorsOfTheirType(DType dtype) {
        Tensor x = Tensor.of(1.1, -3, 1e-40, 7).to(dtype);
        for (double c : new double[] {0.1, -0.0, 1e-46, 1e300, Double.NaN, INFINITY, 3}) {
            double typed = dtype == DType.FLOAT32 ? (float) c : c;
            double[] plus = x.toDoubles();
            double[] times = x.toDoubles();
            for (int i = 0; i < plus.length; i++) {
                plus[i] = dtype == DType.FLOAT32 ? (float) plus[i] + (float) typed : plus[i] + typed;
                times[i] = dtype == DType.FLOAT32 ? (float) times[i] * (float) typed : times[i] * typed;
            }
            assertEquals(dtype, x.plus(c).dtype());
            assertArrayEquals(plus, x.plus(c).toDoubles());
            assertArrayEquals(times, x.times(c).toDoubles());
            assertArrayEquals(times, InPlace.times_(x.copy(), c).toDoubles());
        }
    }

    @Test
    void numbersPromoteOtherTypesAsTheEngineDoes() {
        Tensor integers = Tensor.of(new long[] {1, 2}, 2);
        assertEquals(DType.FLOAT32, integers.times(0.5).dtype());
        assertArrayEquals(new double[] {0.5, 1}, integers.times(0.5).toDoubles());
        assertEquals(
                DType.BFLOAT16, Tensor.of(1, 2).to(DType.BFLOAT16).plus(0.5).dtype());
        assertEquals(DType.FLOAT64, Tensor.scalarOf(1).times(2).dtype());
    }

    @Test
    void typesConvertByTheirRules() {
        double third = 1.0 / 3;
        Tensor x = Tensor.of(third, -2.7, 0, 1e10);
        assertEquals((float) third, x.to(DType.FLOAT32).toFloats()[0]);
        assertArrayEquals(new long[] {0, -2, 0, 10_000_000_000L}, x.toLongs());
        assertArrayEquals(new boolean[] {true, true, false, true}, x.toBooleans());
        assertArrayEquals(new double[] {1, 1, 0, 1}, x.to(DType.BOOL).toDoubles());
        double half = x.to(DType.BFLOAT16).toDoubles()[0];
        assertEquals(0x3eab, Float.floatToIntBits((float) half) >>> 16); // 8 bits of mantissa, to nearest
        assertEquals(0, Float.floatToIntBits((float) half) & 0xffff);
        Tensor mask = Tensor.mask(new boolean[][] {{true, false}});
        assertEquals(DType.BOOL, mask.dtype());
        assertArrayEquals(new long[] {1, 0}, mask.toLongs());
        assertArrayEquals(new long[] {3, 4}, Tensor.of(new int[] {3, 4}, 2).toLongs());
        for (DType dtype : DType.values()) {
            Tensor ones = Creation.ones(dtype, Device.CPU, 2);
            assertEquals(dtype, ones.dtype());
            assertArrayEquals(new double[] {1, 1}, ones.toDoubles());
            assertEquals(dtype, ones.zerosLike().dtype());
        }
    }

    @Test
    void extremesStayFinite() {
        double[] x = {-1e308, -800, -40, 40, 800, 1e308};
        double tiny = Math.exp(-40);
        double[] softplus = {0, 0, tiny, 40 + tiny, 800, 1e308};
        Tensor in = Tensor.of(x).requiresGrad();
        assertArrayEquals(softplus, Functional.softplus(in).toDoubles(), 1e-30);
        double[] mirrored = new double[6];
        Arrays.setAll(mirrored, i -> -softplus[5 - i]);
        assertArrayEquals(mirrored, Functional.logSigmoid(in).toDoubles(), 1e-30);
        Functional.softplus(in).plus(Functional.logSigmoid(in)).sum().backward();
        assertArrayEquals(new double[] {1, 1, 1, 1, 1, 1}, in.grad().toDoubles(), 1e-15);
        assertEquals(1000 + Math.log(2), Tensor.of(1000, 1000).logSumExp(0).item(), 1e-12);
        assertArrayEquals(
                new double[] {0, -2000}, Tensor.of(1000, -1000).logSoftmax(-1).toDoubles());
    }

    @Test
    void whatIsNotSelectedDoesNotCount() {
        Tensor x = Tensor.of(-1, Double.NaN, 4).requiresGrad();
        Tensor mask = Tensor.mask(new boolean[] {true, false, true}, 3);
        Tensor kept = x.whereElse(mask, 5);
        kept.square().sum().backward();
        assertArrayEquals(new double[] {-1, 5, 4}, kept.toDoubles());
        assertArrayEquals(new double[] {-2, 0, 8}, x.grad().toDoubles());
        Tensor other = Tensor.of(7, 8, Double.NaN);
        assertArrayEquals(new double[] {-1, 8, 4}, x.whereElse(mask, other).toDoubles());
        assertArrayEquals(new double[] {-1, 4}, Indexing.maskedSelect(x, mask).toDoubles());
        assertFalse(x.isFinite().allTrue());
        assertTrue(x.isFinite().anyTrue());
    }

    @Test
    void reductionsCountTheirDimensionFromEitherEnd() {
        Tensor x = Tensor.of(new double[][] {{3, 1, 2}, {-1, 5, 5}});
        assertEquals(15, x.sum().item());
        assertEquals(2.5, x.mean().item());
        assertArrayEquals(new double[] {6, 9}, x.sum(1).toDoubles());
        assertArrayEquals(x.sum(1).toDoubles(), x.sum(-1).toDoubles());
        assertArrayEquals(new long[] {1, 3}, x.sum(-2, true).shape());
        assertArrayEquals(new double[] {1, 3, 3.5}, x.mean(0).toDoubles());
        assertArrayEquals(new double[] {3, 4, 6, -1, 4, 9}, x.cumsum(1).toDoubles());
        assertArrayEquals(new double[] {3, 5}, x.amax(-1, false).toDoubles());
        assertArrayEquals(new double[] {-1, 1, 2}, x.amin(0, true).toDoubles());
        assertEquals(0, Ordering.argmax(x, 1).toLongs()[0]);
        assertEquals(Math.sqrt(9 + 1 + 4 + 1 + 25 + 25), Linalg.norm(x).item(), 1e-14);
        double total = Math.exp(3) + Math.exp(1) + Math.exp(2);
        assertEquals(Math.log(total), x.logSumExp(1).toDoubles()[0], 1e-14);
        assertEquals(Math.exp(1) / total, x.softmax(1).toDoubles()[1], 1e-15);
        assertEquals(1 - Math.log(total), x.logSoftmax(-1).toDoubles()[1], 1e-14);
        assertEquals(0, Tensor.of(new double[0], 0, 3).sum().item());
        assertTrue(Double.isNaN(Tensor.of().mean().item()));
        assertArrayEquals(
                new double[] {0, 0, 0}, Tensor.of(new double[0], 0, 3).sum(0).toDoubles());
    }

    @Test
    void sortingKeepsTheOrderOfEquals() {
        double[] values = new double[100];
        Arrays.setAll(values, i -> i * 7 % 3);
        Long[] order = new Long[100];
        Arrays.setAll(order, i -> (long) i);
        Arrays.sort(order, java.util.Comparator.comparingDouble(i -> -values[i.intValue()])); // stable
        Tensor[] sorted = Ordering.sort(Tensor.of(values), -1, true);
        assertArrayEquals(Stream.of(order).mapToLong(i -> i).toArray(), sorted[1].toLongs());
        assertArrayEquals(
                Stream.of(order).mapToDouble(i -> values[i.intValue()]).toArray(), sorted[0].toDoubles());
        Tensor[] top = Ordering.topK(Tensor.of(new double[][] {{3, 9, 4}, {2, 0, 1}}), 2);
        assertArrayEquals(new double[] {9, 4, 2, 1}, top[0].toDoubles());
        assertArrayEquals(new long[] {1, 2, 0, 2}, top[1].toLongs());
    }

    @Test
    void shapesAndIndexes() {
        Tensor x = Tensor.of(new double[] {0, 1, 2, 3, 4, 5}, 2, 3);
        assertArrayEquals(new double[] {0, 3, 1, 4, 2, 5}, x.t().toDoubles());
        assertArrayEquals(
                x.t().toDoubles(),
                Shapes.contiguous(Shapes.transpose(x, -1, 0)).view(6).toDoubles());
        assertArrayEquals(new long[] {3, 2}, Shapes.permute(x, 1, 0).shape());
        assertArrayEquals(new long[] {2, 1, 3}, x.unsqueeze(-2).shape());
        assertArrayEquals(new long[] {2, 3}, x.unsqueeze(0).squeeze(0).shape());
        assertArrayEquals(new long[] {6}, x.reshape(-1).shape());
        assertArrayEquals(new double[] {1, 2, 4, 5}, x.narrow(-1, 1, 2).toDoubles());
        assertArrayEquals(new double[] {2, 5}, x.select(1, -1).toDoubles());
        assertArrayEquals(new double[] {2, 0, 1, 5, 3, 4}, Shapes.roll(x, 1, 1).toDoubles());
        assertArrayEquals(
                new double[] {0, 0, 0, 3, 4, 0},
                Indexing.tril(x, -1)
                        .plus(Indexing.tril(x, 0).minus(Indexing.tril(x, -1)))
                        .toDoubles());
        assertArrayEquals(
                new long[] {0, 1, 0, 2},
                Indexing.nonzero(x.select(0, 0).unsqueeze(0)).toLongs());
        Tensor index = Tensor.of(new long[] {2, 0}, 2);
        assertArrayEquals(new double[] {2, 0, 5, 3}, x.indexSelect(1, index).toDoubles());
        Tensor picks = Tensor.of(new long[] {2, 0}, 2, 1);
        assertArrayEquals(new double[] {2, 3}, x.gather(-1, picks).toDoubles());
        Tensor put = Tensor.of(new double[] {10, 20}, 2, 1);
        assertArrayEquals(
                new double[] {0, 1, 10, 20, 4, 5},
                Indexing.scatter(x, 1, picks, put).toDoubles());
        assertArrayEquals(
                new double[] {0, 1, 12, 23, 4, 5},
                InPlace.scatterAdd_(x.copy(), 1, picks, put).toDoubles());
        Tensor twice = Tensor.of(new long[] {1, 1}, 2);
        assertArrayEquals(
                new double[] {0, 1, 2, 6, 9, 12},
                InPlace.indexAdd_(x.copy(), 0, twice, x).toDoubles());
        Tensor[] parts = Shapes.split(x, 1, 1, 2);
        assertArrayEquals(new double[] {0, 3}, parts[0].toDoubles());
        assertArrayEquals(x.toDoubles(), Tensor.cat(List.of(parts), -1).toDoubles());
        assertArrayEquals(new long[] {2, 2, 3}, Tensor.stack(List.of(x, x), 1).shape());
        assertArrayEquals(new double[] {5, 14, 14, 50}, x.matmul(x.t()).toDoubles());
        Tensor ones = Creation.ones(DType.FLOAT64, Device.CPU, 2, 2);
        assertArrayEquals(
                new double[] {6, 15, 15, 51}, Linalg.plusMatmul(ones, x, x.t()).toDoubles());
        assertArrayEquals(
                new double[] {6, 15, 15, 51},
                InPlace.plusMatmul_(ones, x, x.t()).toDoubles());
        assertArrayEquals(new long[] {3, 4}, Creation.arange(3, 5, Device.CPU).toLongs());
        assertEquals("Tensor(float64[2] [0.0, 3.0])", parts[0].reshape(2).toString());
    }

    @TestFactory
    Stream<DynamicTest> gradientsEqualCentralDifferences() {
        Map<String, UnaryOperator<Tensor>> all = new LinkedHashMap<>();
        all.put("split", x -> Shapes.split(x, 0, 1, 2)[1].times(3).plus(Shapes.split(x, 0, 1, 2)[0].square()));
        all.put("roll", x -> Shapes.roll(x, 1, 1).times(x.square()));
        all.put("plusProduct", x -> Elementwise.plusProduct(x, x.square(), Elementwise.sin(x)));
        all.put(
                "plusMatmul",
                x -> Linalg.plusMatmul(
                        x, x.square(), x.narrow(0, 0, 2).matmul(x.t()).matmul(x)));
        all.put("numbers", x -> x.times(0.3).plus(2).div(0.7).minus(1).square());
        all.put("clamp", x -> Elementwise.clamp(x, -0.55, 0.55).times(x));
        all.put("softplus", Functional::softplus);
        all.put("gather", x -> x.gather(1, Tensor.of(new long[] {1, 1, 0}, 3, 1))
                .square());
        all.put("rmsNorm", x -> Functional.rmsNorm(x, x.select(0, 0), 0.1).exp());
        return all.entrySet().stream()
                .map(e -> DynamicTest.dynamicTest(e.getKey(), () -> {
                    try (Scope _ = new Scope()) {
                        double[] values = {0.3, -0.4, 1.1, 0.7, -0.2, 0.9};
                        Tensor x = Tensor.of(values, 3, 2).requiresGrad();
                        e.getValue().apply(x).sum().backward();
                        double[] gradient = x.grad().toDoubles();
                        double h = 1e-5;
                        for (int i = 0; i < values.length; i++) {
                            double[] up = values.clone();
                            double[] down = values.clone();
                            up[i] += h;
                            down[i] -= h;
                            double difference = e.getValue()
                                            .apply(Tensor.of(up, 3, 2))
                                            .sum()
                                            .item()
                                    - e.getValue()
                                            .apply(Tensor.of(down, 3, 2))
                                            .sum()
                                            .item();
                            assertEquals(difference / (2 * h), gradient[i], 1e-8, "at " + i);
                        }
                    }
                }));
    }
}
