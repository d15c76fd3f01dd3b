package dev.kedge.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/// What is misused throws, by name; the process lives.
class MisuseTest {
    private Scope scope;

    @BeforeEach
    void open() {
        scope = new Scope();
    }

    @AfterEach
    void close() {
        scope.close();
    }

    /// The operation's name, then the call on a tensor, and on a second one where there is one.
    private static Map<String, Consumer<Tensor>> ofOne() {
        Map<String, Consumer<Tensor>> all = new LinkedHashMap<>();
        all.put("zerosLike", Tensor::zerosLike);
        all.put("onesLike", Tensor::onesLike);
        all.put("shape", Tensor::shape);
        all.put("size", t -> t.size(0));
        all.put("dim", Tensor::dim);
        all.put("numel", Tensor::numel);
        all.put("dtype", Tensor::dtype);
        all.put("device", Tensor::device);
        all.put("item", Tensor::item);
        all.put("toDoubles", Tensor::toDoubles);
        all.put("toFloats", Tensor::toFloats);
        all.put("toLongs", Tensor::toLongs);
        all.put("toBooleans", Tensor::toBooleans);
        all.put("requiresGrad", Tensor::requiresGrad);
        all.put("hasGradientGraph", Tensor::hasGradientGraph);
        all.put("backward", Tensor::backward);
        all.put("grad", Tensor::grad);
        all.put("detach", Tensor::detach);
        all.put("plus", t -> t.plus(1));
        all.put("times", t -> t.times(1));
        all.put("div", t -> t.div(2));
        all.put("minus", t -> t.minus(2));
        all.put("pow", t -> Elementwise.pow(t, 2));
        all.put("neg", Tensor::neg);
        all.put("exp", Tensor::exp);
        all.put("log", Tensor::log);
        all.put("logSigmoid", Functional::logSigmoid);
        all.put("gelu", t -> Functional.gelu(t, true));
        all.put("clampMin", t -> Elementwise.clampMin(t, 0));
        all.put("clamp", t -> Elementwise.clamp(t, 0, 1));
        all.put("lt", t -> t.lt(0));
        all.put("not", Tensor::not);
        all.put("isFinite", Tensor::isFinite);
        all.put("allTrue", Tensor::allTrue);
        all.put("anyTrue", Tensor::anyTrue);
        all.put("sum", t -> t.sum(0));
        all.put("mean", Tensor::mean);
        all.put("cumsum", t -> t.cumsum(0));
        all.put("argmax", t -> Ordering.argmax(t, 0));
        all.put("logSumExp", t -> t.logSumExp(0));
        all.put("softmax", t -> t.softmax(0));
        all.put("norm", Linalg::norm);
        all.put("topK", t -> Ordering.topK(t, 1));
        all.put("sort", t -> Ordering.sort(t, 0, false));
        all.put("reshape", t -> t.reshape(2));
        all.put("view", t -> t.view(2));
        all.put("permute", t -> Shapes.permute(t, 0));
        all.put("narrow", t -> t.narrow(0, 0, 1));
        all.put("select", t -> t.select(0, 0));
        all.put("split", t -> Shapes.split(t, 0, 1, 1));
        all.put("roll", t -> Shapes.roll(t, 0, 1));
        all.put("to", t -> t.to(DType.FLOAT32));
        all.put("copy", Tensor::copy);
        all.put("fill_", t -> InPlace.fill_(t, 0));
        all.put("exp_", InPlace::exp_);
        all.put("plus_", t -> InPlace.plus_(t, 1));
        all.put("times_", t -> InPlace.times_(t, 1));
        all.put("maxPool2d", t -> Functional.maxPool2d(t, 2));
        all.put("eigh", Linalg::eigh);
        all.put("categorical", t -> {
            try (Rng rng = Rng.seeded(0)) {
                rng.categorical(t);
            }
        });
        all.put("keep", t -> {
            try (Scope s = new Scope()) {
                s.keep(t);
            }
        });
        return all;
    }

    private static Map<String, BiConsumer<Tensor, Tensor>> ofTwo() {
        Map<String, BiConsumer<Tensor, Tensor>> all = new LinkedHashMap<>();
        all.put("plus", Tensor::plus);
        all.put("minus", Tensor::minus);
        all.put("times", Tensor::times);
        all.put("div", Tensor::div);
        all.put("logAddExp", Elementwise::logAddExp);
        all.put("minimum", Elementwise::minimum);
        all.put("eq", Tensor::eq);
        all.put("and", Tensor::and);
        all.put("matmul", Tensor::matmul);
        all.put("maskedSelect", Indexing::maskedSelect);
        all.put("whereElse", (a, b) -> a.whereElse(b, 0));
        all.put("whereElse ", (a, b) -> a.whereElse(a, b));
        all.put("indexSelect", (a, b) -> a.indexSelect(0, b));
        all.put("gather", (a, b) -> a.gather(0, b));
        all.put("scatter", (a, b) -> Indexing.scatter(a, 0, b, a));
        all.put("scatter ", (a, b) -> Indexing.scatter(a, 0, a, b));
        all.put("plusProduct", (a, b) -> Elementwise.plusProduct(a, b, a));
        all.put("plusProduct ", (a, b) -> Elementwise.plusProduct(a, a, b));
        all.put("plusMatmul", (a, b) -> Linalg.plusMatmul(a, a, b));
        all.put("plus_", InPlace::plus_);
        all.put("plus_ ", (a, b) -> InPlace.plus_(a, b, 2));
        all.put("minus_", InPlace::minus_);
        all.put("times_", InPlace::times_);
        all.put("copy_", InPlace::copy_);
        all.put("indexAdd_", (a, b) -> InPlace.indexAdd_(a, 0, b, a));
        all.put("scatterAdd_", (a, b) -> InPlace.scatterAdd_(a, 0, a, b));
        all.put("plusMatmul_", (a, b) -> InPlace.plusMatmul_(a, b, a));
        all.put("backward", Tensor::backward);
        all.put("setGrad", Tensor::setGrad);
        all.put("cat", (a, b) -> Tensor.cat(Arrays.asList(a, b), 0));
        all.put("stack", (a, b) -> Tensor.stack(Arrays.asList(a, b), 0));
        all.put("linear", (a, b) -> Functional.linear(a, b, null));
        all.put("embedding", Functional::embedding);
        all.put("rmsNorm", (a, b) -> Functional.rmsNorm(a, b, 1e-5));
        all.put("attention", (a, b) -> Functional.attention(a, b, a, null, true));
        all.put("attention ", (a, b) -> Functional.attention(a, a, b, null, true));
        all.put("conv2d", (a, b) -> Functional.conv2d(a, b, null, 1, 0));
        all.put("convTranspose2d", (a, b) -> Functional.convTranspose2d(a, b, null, 1, 0, 0));
        all.put("gradients", (a, b) -> Functional.gradients(a, null, b));
        all.put("adamW_", (a, b) -> Fused.adamW_(a, b, a, a, a, 1, 0.9, 0.9, 0, 1));
        all.put("adamW_ ", (a, b) -> Fused.adamW_(a, a, a, a, b, 1, 0.9, 0.9, 0, 1));
        all.put("solve", Linalg::solve);
        return all;
    }

    private static void assertNamedAsClosed(String name, Runnable call) {
        String message = assertThrows(IllegalStateException.class, call::run).getMessage();
        assertTrue(message.startsWith(name.strip()), message);
        assertTrue(message.contains("closed"), message);
        assertEquals(1, message.lines().count(), message);
    }

    private static Tensor closedByItself() {
        Tensor tensor = Tensor.of(1, 2);
        tensor.close();
        return tensor;
    }

    private static Tensor closedWithItsScope() {
        try (Scope _ = new Scope()) {
            return Tensor.of(1, 2);
        }
    }

    @TestFactory
    Stream<DynamicTest> aClosedTensorIsRefused() {
        return ofOne().entrySet().stream()
                .map(e -> DynamicTest.dynamicTest(e.getKey(), () -> {
                    assertNamedAsClosed(e.getKey(), () -> e.getValue().accept(closedByItself()));
                    assertNamedAsClosed(e.getKey(), () -> e.getValue().accept(closedWithItsScope()));
                }));
    }

    @TestFactory
    Stream<DynamicTest> aClosedOperandIsRefusedOnEitherSide() {
        return ofTwo().entrySet().stream()
                .map(e -> DynamicTest.dynamicTest(e.getKey(), () -> {
                    for (Tensor closed : List.of(closedByItself(), closedWithItsScope())) {
                        try (Tensor open = Tensor.of(1, 2)) {
                            assertNamedAsClosed(e.getKey(), () -> e.getValue().accept(closed, open));
                            assertNamedAsClosed(e.getKey(), () -> e.getValue().accept(open, closed));
                        }
                    }
                }));
    }

    @TestFactory
    Stream<DynamicTest> aNullOperandIsRefused() {
        return ofTwo().entrySet().stream()
                .map(e -> DynamicTest.dynamicTest(e.getKey(), () -> {
                    try (Tensor open = Tensor.of(1, 2)) {
                        String message = assertThrows(NullPointerException.class, () -> e.getValue()
                                        .accept(open, null))
                                .getMessage();
                        assertTrue(message.startsWith(e.getKey().strip()), message);
                        assertTrue(message.contains("null"), message);
                    }
                }));
    }

    @Test
    void aClosedOptionalOperandIsRefused() {
        Tensor closed = closedByItself();
        Tensor x = Tensor.of(new double[16], 1, 1, 4, 4);
        assertNamedAsClosed("linear", () -> Functional.linear(x, x, closed));
        assertNamedAsClosed("layerNorm", () -> Functional.layerNorm(x, null, closed, 1e-5));
        assertNamedAsClosed("conv2d", () -> Functional.conv2d(x, x, closed, 1, 0));
        assertNamedAsClosed("convTranspose2d", () -> Functional.convTranspose2d(x, x, closed, 1, 0, 0));
        assertNamedAsClosed("attention", () -> Functional.attention(x, x, x, closed, false));
    }

    private static Map<String, Runnable> misfits() {
        Tensor two = Tensor.of(1, 2);
        Tensor three = Tensor.of(1, 2, 3);
        Tensor square = Tensor.of(new double[][] {{1, 2}, {3, 4}});
        Tensor floats = Tensor.of(new float[] {1, 2, 3, 4}, 2, 2);
        Tensor indexes = Tensor.of(new long[] {0, 5}, 2);
        Tensor below = Tensor.of(new long[] {-1, 0}, 2);
        Tensor images = Tensor.of(new double[16], 1, 1, 4, 4);
        Tensor kernel = Tensor.of(new double[8], 1, 2, 2, 2);
        String twoAndThree = " float64[2] float64[3]";
        String indexed = " float64[2] int64[2]";
        Map<String, Runnable> all = new LinkedHashMap<>();
        all.put("plus" + twoAndThree, () -> two.plus(three));
        all.put("plus_" + twoAndThree, () -> InPlace.plus_(two, three));
        all.put("plus_ float64[2] float64[2, 2]", () -> InPlace.plus_(two, square));
        all.put("times_" + twoAndThree, () -> InPlace.times_(two, three));
        all.put("matmul float64[2, 2] float64[3]", () -> square.matmul(three));
        all.put("matmul float64[2, 2] float32[2, 2]", () -> square.matmul(floats));
        all.put("plusMatmul float64[3] float64[2, 2]", () -> Linalg.plusMatmul(three, square, square));
        all.put("plusMatmul_ float64[3] float64[2, 2]", () -> InPlace.plusMatmul_(three, square, square));
        all.put("plusProduct" + twoAndThree, () -> Elementwise.plusProduct(two, two, three));
        all.put("whereElse float64[2] bool[3]", () -> two.whereElse(three.gt(0), 0));
        all.put("maskedSelect float64[2] float64[2]", () -> Indexing.maskedSelect(two, two));
        all.put("cat float64[2, 2] float64[3]", () -> Tensor.cat(List.of(square, three), 0));
        all.put("stack" + twoAndThree, () -> Tensor.stack(List.of(two, three), 0));
        all.put("copy_" + twoAndThree, () -> InPlace.copy_(two, three));
        all.put("exp_ int64[2]", () -> InPlace.exp_(indexes));
        all.put("backward float64[2]", () -> two.times(1).requiresGrad().backward());
        all.put("backward float64[]", () -> two.sum().backward());
        all.put(
                "backward" + twoAndThree,
                () -> two.copy().requiresGrad().square().backward(three));
        all.put("setGrad" + twoAndThree, () -> two.setGrad(three));
        all.put("setGrad float64[2, 2] float32[2, 2]", () -> square.setGrad(floats));
        all.put("requiresGrad int64[2]", indexes::requiresGrad);
        all.put("indexSelect" + indexed, () -> two.indexSelect(0, indexes));
        all.put("indexSelect float64[2] float64[2]", () -> two.indexSelect(0, two));
        all.put("gather" + indexed, () -> two.gather(0, indexes));
        all.put("gather" + indexed + " ", () -> two.gather(0, below));
        all.put("scatter" + indexed + " float64[2]", () -> Indexing.scatter(two, 0, indexes, two));
        all.put("scatterAdd_" + indexed + " float64[2]", () -> InPlace.scatterAdd_(two.copy(), 0, indexes, two));
        all.put("indexAdd_" + indexed + " float64[2]", () -> InPlace.indexAdd_(two.copy(), 0, indexes, two));
        all.put("embedding float64[2, 2] int64[2]", () -> Functional.embedding(square, indexes));
        all.put("embedding float64[2, 2] int64[2] ", () -> Functional.embedding(square, below));
        all.put("embedding float64[2, 2] float64[2]", () -> Functional.embedding(square, two));
        all.put("narrow float64[2]", () -> two.narrow(0, 1, 2));
        all.put("select float64[2]", () -> two.select(0, 2));
        all.put("size(1) float64[2]", () -> two.size(1));
        all.put("sum float64[2]", () -> two.sum(1));
        all.put("mean int64[2]", indexes::mean);
        all.put("argmax float64[2]", () -> Ordering.argmax(two, 3));
        all.put("amax float64[2]", () -> two.amax(-2, false));
        all.put("topK float64[2]", () -> Ordering.topK(two, 3));
        all.put("sort float64[2]", () -> Ordering.sort(two, 1, true));
        all.put("split into [1, 2] float64[2]", () -> Shapes.split(two, 0, 1, 2));
        all.put("reshape to [3] float64[2]", () -> two.reshape(3));
        all.put("reshape to [-1, -1] float64[2]", () -> two.reshape(-1, -1));
        all.put("view float64[2, 2]", () -> square.t().view(4));
        all.put("expand to [3] float64[2]", () -> two.expand(3));
        all.put("permute float64[2, 2]", () -> Shapes.permute(square, 0, 0));
        all.put("transpose float64[2]", () -> Shapes.transpose(two, 0, 1));
        all.put("item float64[2]", two::item);
        all.put("linear float64[2, 2] float64[3]", () -> Functional.linear(square, three, null));
        all.put("rmsNorm float64[2, 2] float64[3]", () -> Functional.rmsNorm(square, three, 1e-5));
        all.put("layerNorm float64[2, 2] float64[3]", () -> Functional.layerNorm(square, three, null, 1e-5));
        all.put("attention float64[2, 2] float64[3]", () -> Functional.attention(square, three, three, null, false));
        all.put("conv2d float64[1, 1, 4, 4] float64[1, 2, 2, 2]", () -> Functional.conv2d(images, kernel, null, 1, 0));
        all.put("maxPool2d float64[1, 1, 4, 4]", () -> Functional.maxPool2d(images, 5));
        all.put("avgPool2d float64[1, 1, 4, 4]", () -> Functional.avgPool2d(images, 0));
        all.put("gradients float64[]", () -> Functional.gradients(two.sum(), null, two));
        all.put("adamW_" + twoAndThree, () -> Fused.adamW_(two, three, two, two, floats.sum(), 1, 0.9, 0.9, 0, 1));
        all.put("adamW_ float64[2, 2]", () -> {
            Tensor other = square.t();
            Fused.adamW_(square, other, square, square, floats.sum(), 1, 0.9, 0.9, 0, 1);
        });
        all.put("adamW_ float64[2, 2] float32[2, 2]", () -> {
            Fused.adamW_(square, floats, square, square, floats.sum(), 1, 0.9, 0.9, 0, 1);
        });
        all.put("solve float64[2, 2] float64[3]", () -> Linalg.solve(square, three));
        all.put("solve float64[2, 2] float64[2]", () -> Linalg.solve(square.zerosLike(), two));
        return all;
    }

    @TestFactory
    Stream<DynamicTest> misfitsAreRefusedWithNameAndShapes() {
        return List.copyOf(misfits().keySet()).stream()
                .map(key -> DynamicTest.dynamicTest(key, () -> {
                    try (Scope _ = new Scope()) { // dynamic tests run one after the other, after their factory
                        Runnable call = misfits().get(key);
                        String message = assertThrows(IllegalArgumentException.class, call::run)
                                .getMessage();
                        int end = key.indexOf(
                                ' ', key.startsWith("split") || key.startsWith("reshape") ? key.indexOf(']') : 0);
                        String name = key.startsWith("expand") ? "expand" : key.substring(0, end);
                        assertTrue(message.startsWith(name), message);
                        for (String shape : key.substring(end).strip().split(" (?=float|int|bool)")) {
                            assertTrue(
                                    message.contains(shape.replaceAll("^to \\S+ ", "")), message + " lacks " + shape);
                        }
                        assertEquals(1, message.lines().count(), message);
                    }
                }));
    }

    @Test
    void arraysOfTheWrongLengthAreRefused() {
        List<Runnable> calls = List.of(
                () -> Tensor.of(new double[3], 2, 2),
                () -> Tensor.of(new float[3], 2, 2),
                () -> Tensor.of(new long[5], 2, 2),
                () -> Tensor.of(new int[1], 0),
                () -> Tensor.mask(new boolean[3], 2),
                () -> Tensor.of(new double[6], -2, -3),
                () -> Tensor.of(new double[0], Long.MAX_VALUE, 4));
        for (Runnable call : calls) {
            String message =
                    assertThrows(IllegalArgumentException.class, call::run).getMessage();
            assertTrue(message.contains("values do not fill shape ["), message);
        }
        assertThrows(IllegalArgumentException.class, () -> Tensor.of(new double[][] {{1, 2}, {3}}));
        assertThrows(IllegalArgumentException.class, () -> Tensor.mask(new boolean[][] {{true, false}, {true}}));
        assertThrows(IllegalArgumentException.class, () -> Tensor.mask(new boolean[][] {{true}, {true, false}}));
    }

    @Test
    void listsOfNothingAreRefused() {
        assertTrue(assertThrows(IllegalArgumentException.class, () -> Tensor.cat(List.of(), 0))
                .getMessage()
                .startsWith("cat of no tensors"));
        assertThrows(IllegalArgumentException.class, () -> Tensor.stack(List.of(), 0));
    }

    @Test
    void aGraphIsWalkedOnce() {
        Tensor x = Tensor.of(1, 2).requiresGrad();
        Tensor loss = x.square().sum();
        loss.backward();
        assertThrows(IllegalArgumentException.class, loss::backward);
    }

    @Test
    void aLeafInAGraphIsNotChangedInPlace() {
        Tensor x = Tensor.of(1, 2).requiresGrad();
        assertThrows(IllegalArgumentException.class, () -> InPlace.plus_(x, 1));
        assertThrows(IllegalArgumentException.class, () -> InPlace.exp_(x));
    }
}
