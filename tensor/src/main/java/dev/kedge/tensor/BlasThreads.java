package dev.kedge.tensor;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.Loader;

/// OpenBLAS keeps threads of its own, which LibTorch's setting does not reach. Small products lose more to waking them
/// than they gain.
final class BlasThreads {
    private BlasThreads() {}

    private static final List<MethodHandle> SETTERS = setters();

    static void use(int count) {
        for (MethodHandle setter : SETTERS) {
            try {
                setter.invokeExact(count);
            } catch (Throwable e) {
                throw new IllegalStateException("openblas_set_num_threads failed", e);
            }
        }
    }

    /// The function of the very libraries that are loaded: the binding brings two copies, with and without LAPACK. None
    /// where matrix products come from another library.
    private static List<MethodHandle> setters() {
        Natives.ready();
        List<MethodHandle> setters = new ArrayList<>();
        String loaded = Loader.load(org.bytedeco.openblas.global.openblas_nolapack.class);
        if (loaded != null) {
            for (String name : List.of("openblas_nolapack", "openblas")) {
                for (String file : List.of("lib" + name + ".so.0", "lib" + name + ".0.dylib", "lib" + name + ".dll")) {
                    Path library = Path.of(loaded).resolveSibling(file);
                    if (Files.exists(library)) {
                        SymbolLookup.libraryLookup(library, Arena.global())
                                .find("openblas_set_num_threads")
                                .ifPresent(symbol -> setters.add(Linker.nativeLinker()
                                        .downcallHandle(symbol, FunctionDescriptor.ofVoid(ValueLayout.JAVA_INT))));
                    }
                }
            }
        }
        return setters;
    }
}
