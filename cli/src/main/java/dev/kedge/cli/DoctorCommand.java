package dev.kedge.cli;

import dev.kedge.run.Run;
import dev.kedge.tensor.Creation;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Engine;
import dev.kedge.tensor.Kernels;
import dev.kedge.tensor.Platform;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

/// What Kedge found on this machine.
@Command(name = "doctor", description = "Say what engine, threads, device, memory and versions were found.")
final class DoctorCommand implements Callable<Integer> {
    @Override
    public Integer call() {
        Runtime jvm = Runtime.getRuntime();
        line("Kedge", Run.KEDGE_VERSION);
        line("Java", Runtime.version() + ", " + System.getProperty("java.vendor"));
        line(
                "System",
                System.getProperty("os.name") + " " + System.getProperty("os.arch") + ", " + jvm.availableProcessors()
                        + " processors");
        line("Java heap", jvm.maxMemory() / (1 << 20) + " MiB at most");
        long start = System.nanoTime();
        try (Scope _ = new Scope()) {
            Creation.ones(DType.FLOAT32, Device.CPU, 2).sum().item();
        }
        line("LibTorch", Engine.version() + ", ready in " + (System.nanoTime() - start) / 1_000_000 + " ms");
        Platform platform = Platform.here();
        line("Processor", platform.processor());
        line("Kernels", platform.kernelsInWords() + " (" + portable() + ")");
        line("Threads", Engine.threads() + " (OMP_WAIT_POLICY=" + System.getenv("OMP_WAIT_POLICY") + ")");
        line("Device", Device.cudaIsAvailable() ? "cuda" : "cpu (no CUDA device or a build without CUDA)");
        line("Matrix product", String.format(Locale.ROOT, "%.0f GFLOP/s (float32, 1024 x 1024)", matmulRate()));
        return 0;
    }

    private static String portable() {
        return Kernels.PORTABLE.obstacle().orElse("portable ones can be had here");
    }

    private static double matmulRate() {
        double best = 0;
        for (int round = 0; round < 5; round++) {
            try (Scope _ = new Scope()) {
                Tensor a = Creation.ones(DType.FLOAT32, Device.CPU, 1024, 1024);
                long start = System.nanoTime();
                a.matmul(a);
                best = Math.max(best, 2.0 * 1024 * 1024 * 1024 / (System.nanoTime() - start));
            }
        }
        return best;
    }

    private static void line(String name, String value) {
        System.out.printf(Locale.ROOT, "%-15s %s%n", name, value);
    }
}
