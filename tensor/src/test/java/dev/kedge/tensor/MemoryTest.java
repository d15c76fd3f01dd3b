package dev.kedge.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.Pointer;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/// Native memory that the collector does not see: each call gives back all it took.
class MemoryTest {
    private static final Path STATUS = Path.of("/proc/self/status");

    private static long residentKilobytes() {
        try {
            return Files.readAllLines(STATUS).stream()
                    .filter(line -> line.startsWith("VmRSS:"))
                    .map(line -> line.replaceAll("\\D", ""))
                    .mapToLong(Long::parseLong)
                    .findFirst()
                    .orElseThrow();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void steps(Tensor weight, Tensor inputs, Tensor targets, int count) {
        for (int i = 0; i < count; i++) {
            try (Scope _ = new Scope()) {
                Tensor loss = Functional.linear(inputs, weight, null)
                        .minus(targets)
                        .square()
                        .mean();
                loss.backward();
                try (Gradients _ = Gradients.off()) {
                    Tensor gradient = weight.grad();
                    InPlace.plus_(weight, gradient, -0.01);
                    InPlace.fill_(gradient, 0);
                }
            }
        }
    }

    @Test
    void trainingKeepsResidentMemoryFlat() {
        assumeTrue(Files.isReadable(STATUS), STATUS + " is not there: no resident set to look at");
        try (Scope _ = new Scope();
                Rng rng = Rng.seeded(1)) {
            Tensor weight = rng.normal(32, 64).requiresGrad();
            Tensor inputs = rng.normal(16, 64);
            Tensor targets = rng.normal(16, 32);
            steps(weight, inputs, targets, 2_000);
            long live = Scope.liveTensors();
            long pointers = Pointer.totalCount();
            long early = residentKilobytes();
            steps(weight, inputs, targets, 8_000);
            long late = residentKilobytes();
            assertEquals(live, Scope.liveTensors());
            assertTrue(Pointer.totalCount() <= pointers, "native objects were left behind");
            assertTrue(late <= early * 1.05, "resident " + early + " kB after 2,000 steps, " + late + " after 10,000");
        }
    }

    /// The binding counts the pointers that own native memory. Any call that forgets one adds to that count until a
    /// collection, so a hundred calls must leave it where it was.
    @TestFactory
    List<DynamicTest> noOperationLeavesAPointerBehind() {
        return operations().entrySet().stream()
                .map(entry -> DynamicTest.dynamicTest(entry.getKey(), () -> {
                    try (Scope _ = new Scope()) {
                        Operands o = new Operands();
                        for (int i = 0; i < 3; i++) { // what is kept for good is made by then
                            calls(entry.getValue(), o);
                        }
                        long live = Scope.liveTensors();
                        long pointers = Pointer.totalCount();
                        for (int i = 0; i < 100; i++) {
                            calls(entry.getValue(), o);
                        }
                        assertEquals(live, Scope.liveTensors(), "tensors");
                        long left =
                                Pointer.totalCount() - pointers; // below 0 where a collection cleared others' leavings
                        assertTrue(left <= 0, left + " native objects after 100 calls");
                    }
                }))
                .toList();
    }

    private interface Operation {
        void call(Operands o);
    }

    private static void calls(Operation operation, Operands o) {
        try (Scope _ = new Scope()) {
            operation.call(o);
        }
    }

    private static final class Operands {
        final Tensor x = Tensor.of(new float[] {1, 2, 3, 4}, 2, 2);
        final Tensor y = Tensor.of(new float[] {2, 2, 2, 2}, 2, 2);
        final Tensor leaf = Tensor.of(new float[] {1, 2, 3, 4}, 2, 2).requiresGrad();
        final Tensor gradient = Tensor.of(new float[] {1, 1, 1, 1}, 2, 2);
        final Tensor first = x.zerosLike();
        final Tensor second = x.zerosLike();
        final Tensor step = Tensor.of(new float[] {1}, new long[0]);
        final Tensor index = Tensor.of(new long[] {1, 0}, 2);
        final Tensor mask = Tensor.mask(new boolean[] {true, false, true, true}, 2, 2);
        final Tensor images = Tensor.of(new float[16], 1, 1, 4, 4);
        final Tensor kernel = Tensor.of(new float[4], 1, 1, 2, 2);
        final Tensor bias = Tensor.of(new float[] {0, 1}, 2);
        final Tensor heads = Tensor.of(new float[16], 1, 2, 4, 2);
        final Rng rng = Rng.seeded(5);
        final byte[] state = rng.state();
    }

    private static Map<String, Operation> operations() {
        Map<String, Operation> all = new LinkedHashMap<>();
        all.put("of, full, empty, arange, mask", o -> {
            Tensor.of(1, 2);
            Creation.ones(DType.FLOAT32, Device.CPU, 2);
            Creation.empty(DType.BFLOAT16, Device.CPU, 2);
            Creation.arange(0, 3, Device.CPU);
            Tensor.mask(new boolean[] {true}, 1);
        });
        all.put("unary", o -> o.x.exp());
        all.put("binary", o -> o.x.plus(o.y));
        all.put(
                "number",
                o -> Elementwise.remainder(
                        Elementwise.pow(o.x.times(0.5).plus(1).minus(2).div(3), 2), 2));
        all.put("many numbers", o -> {
            for (int i = 0; i < 100; i++) {
                o.x.plus(i * 0.1);
            }
        });
        all.put("number, other types", o -> o.index.times(0.5));
        all.put(
                "in place",
                o -> InPlace.copy_(
                        InPlace.plus_(
                                InPlace.plus_(InPlace.times_(InPlace.minus_(InPlace.plus_(o.x, o.y), o.y), 1), 0),
                                o.y,
                                0),
                        o.x));
        all.put("cat, stack", o -> {
            Tensor.cat(List.of(o.x, o.y), 0);
            Tensor.stack(List.of(o.x, o.y), 0);
        });
        all.put("split", o -> Shapes.split(o.x, 0, 1, 1));
        all.put("sort, topK", o -> {
            Ordering.sort(o.x, 1, true);
            Ordering.topK(o.x, 1);
        });
        all.put("reductions", o -> {
            o.x.sum(0);
            o.x.mean(0, true);
            o.x.amax(0, false);
            Ordering.argmax(o.x, 1);
            Linalg.norm(o.x);
        });
        all.put("choosing", o -> {
            o.x.whereElse(o.mask, 0);
            o.x.whereElse(o.mask, o.y);
            Indexing.maskedSelect(o.x, o.mask);
            Elementwise.clamp(o.x, 0, 1);
        });
        all.put("reading", o -> {
            o.x.toDoubles();
            o.x.toFloats();
            o.index.toLongs();
            o.mask.toBooleans();
            o.x.sum().item();
            o.x.shape();
            o.x.device();
            String _ = o.x.toString();
        });
        all.put("types and places", o -> {
            o.x.to(DType.FLOAT64).to(DType.BFLOAT16).to(DType.INT64);
            o.x.to(Device.CPU);
            o.x.copy();
        });
        all.put("gradients", o -> {
            o.leaf.square().sum().backward();
            o.leaf.times(2).backward(o.gradient);
            o.leaf.grad();
            o.leaf.setGrad(o.gradient);
            Functional.gradients(o.leaf.square().sum(), null, o.leaf);
            Functional.gradients(o.leaf.square(), o.gradient, o.leaf);
            Gradients.off().close();
        });
        all.put("layers", o -> {
            Functional.linear(o.x, o.y, o.bias);
            Functional.embedding(o.x, o.index);
            Functional.rmsNorm(o.x, o.bias, 1e-5);
            Functional.layerNorm(o.x, o.bias, o.bias, 1e-5);
            Functional.attention(o.heads, o.heads, o.heads, null, true);
            Functional.conv2d(o.images, o.kernel, null, 1, 0);
            Functional.convTranspose2d(o.images, o.kernel, null, 2, 0, 0);
            Functional.maxPool2d(o.images, 2);
            Functional.avgPool2d(o.images, 2);
        });
        all.put("adamW_", o -> Fused.adamW_(o.y, o.x, o.first, o.second, o.step, 0, 0.9, 0.99, 0, 1e-8));
        all.put("random numbers", o -> {
            o.rng.normal(3);
            o.rng.uniform(3);
            o.rng.permutation(3);
            o.rng.categorical(o.y);
            o.rng.restore(o.state);
            o.rng.state();
            try (Rng other = Rng.seeded(1)) {
                other.uniform(1);
            }
        });
        all.put("linear algebra", o -> {
            Linalg.singularValues(o.x);
            Linalg.eigh(o.y);
        });
        all.put("failures", o -> {
            try {
                o.x.plus(o.images.reshape(16));
            } catch (IllegalArgumentException _) {
                o.x.dim();
            }
        });
        return all;
    }
}
