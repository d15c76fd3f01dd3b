package dev.kedge.tensor;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.bytedeco.javacpp.Loader;

/// The library of matrix products, in the very copies that are loaded: the binding brings two, with and without LAPACK.
/// None where products come from another library. Call [Natives#ready()] first.
final class OpenBlas {
    private OpenBlas() {}

    private static final List<SymbolLookup> LIBRARIES = libraries();

    private static final List<MethodHandle> SETTERS = LIBRARIES.stream()
            .flatMap(library -> library.find("openblas_set_num_threads").stream())
            .map(symbol ->
                    Linker.nativeLinker().downcallHandle(symbol, FunctionDescriptor.ofVoid(ValueLayout.JAVA_INT)))
            .toList();

    /// OpenBLAS keeps threads of its own, which LibTorch's setting does not reach. Small products lose more to waking
    /// them than they gain.
    static void useThreads(int count) {
        for (MethodHandle setter : SETTERS) {
            try {
                setter.invokeExact(count);
            } catch (Throwable e) {
                throw new IllegalStateException("openblas_set_num_threads failed", e);
            }
        }
    }

    /// What its kernels are made for, such as Haswell; empty where products come from another library.
    static Optional<String> core() {
        return LIBRARIES.stream()
                .flatMap(library -> library.find("openblas_get_corename").stream())
                .findFirst()
                .map(OpenBlas::text);
    }

    private static String text(MemorySegment function) {
        try {
            var handle = Linker.nativeLinker().downcallHandle(function, FunctionDescriptor.of(ValueLayout.ADDRESS));
            MemorySegment text = (MemorySegment) handle.invokeExact();
            return text.reinterpret(Long.MAX_VALUE).getString(0);
        } catch (Throwable e) {
            throw new IllegalStateException("openblas_get_corename failed", e);
        }
    }

    private static List<SymbolLookup> libraries() {
        String loaded = Loader.load(org.bytedeco.openblas.global.openblas_nolapack.class);
        if (loaded == null) {
            return List.of();
        }
        return Stream.of("openblas_nolapack", "openblas")
                .flatMap(name -> Stream.of("lib" + name + ".so.0", "lib" + name + ".0.dylib", "lib" + name + ".dll"))
                .map(file -> Path.of(loaded).resolveSibling(file))
                .filter(Files::exists)
                .map(library -> SymbolLookup.libraryLookup(library, Arena.global()))
                .toList();
    }
}
