package dev.kedge.tensor;

import org.bytedeco.pytorch.global.torch;

/// LibTorch itself: its threads, its version.
public final class Engine {
    private Engine() {}

    /// More threads than this serve no operator, and the system may refuse to start them.
    private static final int MOST_THREADS = 1024;

    /// For a configuration, which is checked before the engine is loaded.
    ///
    /// @throws IllegalArgumentException if there cannot be so many threads
    public static void requireThreads(int count) {
        if (count < 1 || count > MOST_THREADS) {
            throw new IllegalArgumentException("threads must be from 1 to " + MOST_THREADS + ", was " + count
                    + "; this machine has " + Runtime.getRuntime().availableProcessors() + " processors");
        }
    }

    /// Sets the number of threads that operators called on this thread use on the processor from now on, and the number
    /// that matrix products use in the whole process.
    ///
    /// @throws IllegalArgumentException if there cannot be so many, or it is not 1 under [Kernels#PORTABLE]
    public static void useThreads(int count) {
        requireThreads(count);
        if (count != 1 && Kernels.chosen() == Kernels.PORTABLE) {
            throw new IllegalArgumentException("threads must be 1 with portable kernels, was " + count);
        }
        Natives.ready();
        torch.set_num_threads(count);
        OpenBlas.useThreads(count);
    }

    public static int threads() {
        Natives.ready();
        return torch.get_num_threads();
    }

    /// The version of the binding's artifact, such as 2.10.0-1.5.13: LibTorch's, then JavaCPP's.
    public static String version() {
        String version = torch.class.getPackage().getImplementationVersion();
        return version == null ? "unknown" : version;
    }

    /// How the engine was built, in its own words, several lines.
    public static String configuration() {
        Natives.ready();
        try (var text = torch.show_config()) {
            return text.getString();
        }
    }
}
