package dev.kedge.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// The choice of kernels, each in a fresh process: it is made once a process.
class KernelsTest {
    /// Two machines, as the libraries see them.
    private static final Map<String, String> OLD =
            Map.of("ATEN_CPU_CAPABILITY", "default", "OPENBLAS_CORETYPE", "Nehalem", "OMP_NUM_THREADS", "2");

    private static final Map<String, String> NEW =
            Map.of("ATEN_CPU_CAPABILITY", "avx512", "OPENBLAS_CORETYPE", "SkylakeX", "OMP_NUM_THREADS", "1");

    /// What the fresh process runs: it says what is in force, then what each family of operations comes to.
    public static final class Fresh {
        private Fresh() {}

        public static void main(String[] args) {
            try {
                switch (args[0]) {
                    case "portable" -> Kernels.PORTABLE.choose();
                    case "both" -> {
                        Kernels.MACHINE.choose();
                        Kernels.PORTABLE.choose(); // nothing is loaded yet
                    }
                    case "late" -> {
                        Tensor.of(1);
                        Kernels.PORTABLE.choose();
                    }
                    default -> {}
                }
                System.out.println(Platform.here());
                for (DType type : List.of(DType.FLOAT32, DType.FLOAT64, DType.BFLOAT16)) {
                    families(type);
                }
                Engine.useThreads(2);
            } catch (IllegalStateException | IllegalArgumentException e) {
                System.out.println("refused: " + e.getMessage());
            }
        }

        private static void families(DType type) {
            try (Scope _ = new Scope();
                    Rng rng = Rng.seeded(1)) {
                Tensor a = rng.normal(150, 700).to(type).requiresGrad();
                Tensor b = rng.normal(700, 130).to(type);
                say(type, "product", a.matmul(b));
                say(type, "sum", a.sum());
                say(type, "softmax", a.logSoftmax(-1));
                say(type, "gelu", Functional.gelu(a, false));
                say(type, "silu", Functional.silu(a));
                say(type, "exp", a.exp());
                Functional.gelu(a.matmul(b), false).logSoftmax(-1).sum().backward();
                say(type, "gradient", a.grad());
            }
        }

        private static void say(DType type, String name, Tensor value) {
            var bits = new CRC32();
            for (double v : value.detach().to(DType.FLOAT64).toDoubles()) {
                bits.update(java.nio.ByteBuffer.allocate(8).putDouble(v).flip());
            }
            System.out.println(type + " " + name + " " + Long.toHexString(bits.getValue()));
        }
    }

    @BeforeEach
    void needsAvx2() {
        Kernels.PORTABLE.obstacle().ifPresent(why -> assumeTrue(false, why));
    }

    private static List<String> said(String what, Map<String, String> environment, String... options)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-Xmx256m", "-XX:-CreateCoredumpOnCrash"));
        command.addAll(List.of(options));
        command.addAll(List.of(
                "-cp",
                System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                Fresh.class.getName(),
                what));
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().keySet().removeIf(name -> name.matches("(ATEN|OPENBLAS|OMP|ONEDNN)_.*"));
        builder.environment().putAll(environment);
        Process process = builder.start();
        String output = new String(process.getInputStream().readAllBytes());
        assertEquals(0, process.waitFor(), output);
        return output.lines().filter(line -> !line.startsWith("WARNING")).toList();
    }

    @Test
    void portableOverridesTheEnvironmentAndIsTheSameToTheBit() throws Exception {
        List<String> old = said("portable", OLD);
        assertTrue(old.getFirst().endsWith("; portable kernels: ATen AVX2, OpenBLAS Haswell; 1 thread"), "" + old);
        assertEquals(23, old.size(), "" + old);
        assertEquals("refused: threads must be 1 with portable kernels, was 2", old.getLast());
        assertEquals(old, said("both", NEW));
        assertEquals(old, said("nothing", Map.of(), "-Dkedge.kernels=portable"));
    }

    /// What the test above would see if nothing were pinned.
    @Test
    void theMachinesKernelsFollowTheEnvironmentAndDiffer() throws Exception {
        List<String> old = said("nothing", OLD);
        assertTrue(old.getFirst().endsWith("; machine kernels: ATen DEFAULT, OpenBLAS Nehalem; 2 threads"), "" + old);
        assertNotEquals(old.subList(1, old.size()), said("nothing", Map.of()).subList(1, old.size()));
    }

    @Test
    void aChoiceThatComesTooLateIsRefused() throws Exception {
        assertEquals(
                List.of("refused: LibTorch is loaded already, with machine kernels: choose portable ones before the "
                        + "first tensor, or start Java with -Dkedge.kernels=portable"),
                said("late", Map.of()));
    }

    @Test
    void anUnknownNameIsRefused() throws Exception {
        assertEquals(
                List.of("refused: kedge.kernels must be machine or portable, was fastest"),
                said("nothing", Map.of(), "-Dkedge.kernels=fastest"));
    }
}
