package dev.kedge.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Loading, each in a fresh process. An unpacked cache takes about 500 MB; each is removed with its test.
class NativesTest {
    private static final List<String> NAMES = List.of("OMP_WAIT_POLICY", "GOMP_SPINCOUNT");

    /// What the fresh process runs: a first operation, then a word about itself.
    public static final class FirstUse {
        private FirstUse() {}

        public static void main(String[] args) throws Throwable {
            double sum;
            try {
                sum = Tensor.of(1, 2, 3).plus(1).sum().item();
            } catch (IllegalStateException e) {
                System.out.println("refused: " + e.getMessage());
                try {
                    Tensor.of(1);
                } catch (IllegalStateException again) {
                    System.out.println("again: " + again.getMessage());
                }
                return;
            }
            System.out.println("sum=" + sum);
            System.out.println("maxPhysicalBytes=" + org.bytedeco.javacpp.Pointer.maxPhysicalBytes());
            for (String name : NAMES) {
                System.out.println(name + "=" + getenv(name));
            }
        }

        /// C's, which sees what was set after the start.
        private static String getenv(String name) throws Throwable {
            Linker linker = Linker.nativeLinker();
            var handle = linker.downcallHandle(
                    linker.defaultLookup().find("getenv").orElseThrow(),
                    FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.ADDRESS));
            try (var arena = java.lang.foreign.Arena.ofConfined()) {
                MemorySegment value = (MemorySegment) handle.invokeExact(arena.allocateFrom(name));
                return value.address() == 0
                        ? "unset"
                        : value.reinterpret(Long.MAX_VALUE).getString(0);
            }
        }
    }

    private static List<String> classPath() {
        String path = System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
        return Arrays.asList(path.split(File.pathSeparator));
    }

    private static ProcessBuilder fresh(List<String> classPath, List<String> options) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-Xmx256m", "-XX:-CreateCoredumpOnCrash"));
        command.addAll(options);
        command.addAll(List.of("-cp", String.join(File.pathSeparator, classPath), FirstUse.class.getName()));
        ProcessBuilder builder = new ProcessBuilder(command);
        NAMES.forEach(builder.environment()::remove);
        return builder.redirectErrorStream(true);
    }

    private static ProcessBuilder withCache(Path cache) {
        return fresh(
                classPath(),
                List.of("-Dorg.bytedeco.javacpp.cachedir=" + cache, "-XX:ErrorFile=" + cache.resolve("crash-%p.log")));
    }

    private static String output(Process process) throws IOException, InterruptedException {
        String output = new String(process.getInputStream().readAllBytes());
        assertEquals(0, process.waitFor(), output);
        return output;
    }

    private static void assertWorks(Process process) throws IOException, InterruptedException {
        String output = output(process);
        assertTrue(output.contains("sum=9.0"), output);
    }

    private static long bytesIn(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.map(Path::toFile)
                    .filter(File::isFile)
                    .mapToLong(File::length)
                    .sum();
        }
    }

    @Test
    void theFirstUseOfTwoProcessesOnOneEmptyCacheWorks(@TempDir Path cache) throws Exception {
        Process one = withCache(cache).start();
        Process two = withCache(cache).start();
        assertWorks(one);
        assertWorks(two);
    }

    @Test
    void aProcessKilledWhileUnpackingLeavesACacheThatTheNextMends(@TempDir Path cache) throws Exception {
        Process killed = withCache(cache).start();
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        while (bytesIn(cache) < 40_000_000 && killed.isAlive() && System.nanoTime() < deadline) {
            Thread.sleep(1);
        }
        killed.destroyForcibly().waitFor();
        assertTrue(killed.exitValue() != 0, "was done before it was killed");
        assertWorks(withCache(cache).start());
        // A file of the right name whose tail never reached the disk, with the time of now.
        Path library;
        try (Stream<Path> files = Files.walk(cache)) {
            library = files.filter(f -> f.getFileName().toString().matches("(lib)?torch_cpu\\.(so|dylib|dll)"))
                    .findFirst()
                    .orElseThrow();
        }
        long whole = Files.size(library);
        try (var file = java.nio.channels.FileChannel.open(library, java.nio.file.StandardOpenOption.WRITE)) {
            file.truncate(whole / 2);
        }
        assertWorks(withCache(cache).start());
        assertEquals(whole, Files.size(library));
    }

    @Test
    void theSettingsAreInForce() throws Exception {
        assumeTrue(!System.getProperty("os.name").startsWith("Windows"), "no setenv on Windows");
        String output = output(fresh(classPath(), List.of()).start());
        assertTrue(output.contains("sum=9.0"), output);
        assertTrue(output.contains("OMP_WAIT_POLICY=passive"), output);
        assertTrue(output.contains("GOMP_SPINCOUNT=0"), output);
        assertTrue(output.contains("maxPhysicalBytes=0"), output);
    }

    @Test
    void theUsersSettingsStay() throws Exception {
        assumeTrue(!System.getProperty("os.name").startsWith("Windows"), "no setenv on Windows");
        ProcessBuilder builder = fresh(classPath(), List.of("-Dorg.bytedeco.javacpp.maxPhysicalBytes=8g"));
        builder.environment().put("OMP_WAIT_POLICY", "active");
        builder.environment().put("GOMP_SPINCOUNT", "17");
        String output = output(builder.start());
        assertTrue(output.contains("OMP_WAIT_POLICY=active"), output);
        assertTrue(output.contains("GOMP_SPINCOUNT=17"), output);
        assertTrue(output.contains("maxPhysicalBytes=" + (8L << 30)), output);
    }

    @Test
    void missingNativesAreNamed() throws Exception {
        for (String artifact : List.of("pytorch", "openblas", "javacpp")) {
            List<String> without = classPath().stream()
                    .filter(entry -> !Path.of(entry)
                            .getFileName()
                            .toString()
                            .matches(artifact + "-.*-(linux|macosx|windows)-.*\\.jar"))
                    .collect(Collectors.toList());
            assertTrue(without.size() < classPath().size(), "the class path has no natives of " + artifact);
            String output = output(fresh(without, List.of()).start());
            List<String> lines =
                    output.lines().filter(line -> line.contains("natives")).toList();
            assertEquals(2, lines.size(), output); // the second use says the same as the first
            for (String line : lines) {
                assertTrue(line.contains("no natives of " + artifact + " for "), output);
                assertTrue(line.contains("add org.bytedeco:" + artifact + ":"), output);
            }
        }
    }
}
