package dev.kedge.tensor;

import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// Which of the engine's kernels compute, in the whole process. They decide the last bits of sums and products, and
/// over a training the figures that come out.
///
/// The choice is made once, before LibTorch is loaded at the first tensor:
///
/// ```java
/// Kernels.PORTABLE.choose();
/// ```
///
/// or with `-Dkedge.kernels=portable`. What is in force then says [Platform#here()].
public enum Kernels {
    /// What LibTorch and OpenBLAS take for this processor, or what the environment says: `ATEN_CPU_CAPABILITY`,
    /// `OPENBLAS_CORETYPE`.
    MACHINE(Map.of()),

    /// The same on every x86-64 processor with AVX2 and FMA, whatever the environment says: LibTorch's for AVX2,
    /// OpenBLAS' for Haswell, nothing of oneDNN, one thread an operator. Only under Linux, and not on a GPU.
    PORTABLE(Map.of(
            "ATEN_CPU_CAPABILITY", "avx2",
            "OPENBLAS_CORETYPE", "Haswell",
            "OMP_NUM_THREADS", "1",
            "OPENBLAS_NUM_THREADS", "1"));

    private static final String PROPERTY = "kedge.kernels";

    private static Kernels chosen;
    private static boolean loaded;

    /// What the libraries read when they are loaded.
    private final Map<String, String> environment;

    Kernels(Map<String, String> environment) {
        this.environment = environment;
    }

    /// Makes LibTorch compute with these from its first use on.
    ///
    /// @throws IllegalStateException if LibTorch is loaded already with others, or see [#obstacle()]
    public void choose() {
        synchronized (Kernels.class) {
            obstacle().ifPresent(Kernels::refuse);
            if (loaded && chosen != this) {
                refuse("LibTorch is loaded already, with " + chosen + " kernels: choose " + this
                        + " ones before the first tensor, or start Java with -D" + PROPERTY + "=" + this);
            }
            chosen = this;
        }
    }

    /// What is chosen; the machine's own unless told otherwise.
    ///
    /// @throws IllegalStateException if `kedge.kernels` names none
    public static synchronized Kernels chosen() {
        if (chosen == null) {
            chosen = named(System.getProperty(PROPERTY, MACHINE.toString()));
        }
        return chosen;
    }

    private static Kernels named(String name) {
        for (Kernels kernels : values()) {
            if (kernels.toString().equals(name)) {
                return kernels;
            }
        }
        throw new IllegalStateException(PROPERTY + " must be machine or portable, was " + name);
    }

    /// Why this machine cannot compute with these, in words; empty where it can.
    public Optional<String> obstacle() {
        return this == PORTABLE ? Processor.here().obstacleToAvx2() : Optional.empty();
    }

    /// What LibTorch is loaded with: from now on nothing else can be chosen.
    static synchronized Kernels fixed() {
        Kernels kernels = chosen();
        kernels.obstacle().ifPresent(Kernels::refuse);
        loaded = true;
        return kernels;
    }

    Map<String, String> environment() {
        return environment;
    }

    private static void refuse(String why) {
        throw new IllegalStateException(why);
    }

    /// As configurations and options name it.
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
