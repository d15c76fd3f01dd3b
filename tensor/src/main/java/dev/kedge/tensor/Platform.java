package dev.kedge.tensor;

import org.bytedeco.pytorch.global.torch;

/// What computes in this process: two of these that are equal come to the same bits.
///
/// @param processor the model
/// @param engine    the version of the binding, see [Engine#version()]
/// @param kernels   what was chosen
/// @param aten      LibTorch's kernels in force, such as AVX2 or AVX512
/// @param openblas  what the kernels of matrix products are made for, such as Haswell; "none" where they come from
///                  another library
/// @param threads   an operator
public record Platform(String processor, String engine, Kernels kernels, String aten, String openblas, int threads) {
    /// What computes on this thread. Loads LibTorch.
    public static Platform here() {
        return here(Engine.threads());
    }

    /// What computes where operators use so many threads. Loads LibTorch.
    public static Platform here(int threads) {
        Natives.ready();
        return new Platform(
                Processor.here().name(),
                Engine.version(),
                Kernels.chosen(),
                capability(),
                OpenBlas.core().orElse("none"),
                threads);
    }

    static String capability() {
        try (var text = torch.get_cpu_capability()) {
            return text.getString();
        }
    }

    /// "portable kernels: ATen AVX2, OpenBLAS Haswell".
    public String kernelsInWords() {
        return kernels + " kernels: ATen " + aten + ", OpenBLAS " + openblas;
    }

    /// In words: "AMD EPYC 9654; LibTorch 2.10.0-1.5.13; portable kernels: ATen AVX2, OpenBLAS Haswell; 1 thread".
    @Override
    public String toString() {
        return processor + "; LibTorch " + engine + "; " + kernelsInWords() + "; " + threads
                + (threads == 1 ? " thread" : " threads");
    }
}
