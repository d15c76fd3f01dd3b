package dev.kedge.tensor;

import java.io.File;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.JarURLConnection;
import java.net.URL;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.zip.ZipEntry;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.openblas.global.openblas_nolapack;
import org.bytedeco.pytorch.global.torch;

/// Loads LibTorch, once a process, with the settings that make it fast and safe. Every entry to this room calls
/// [#ready()] first, so a library user gets them as well as the launcher does.
final class Natives {
    private Natives() {}

    /// Idle OpenMP threads sleep instead of spinning: the forward pass, autograd and BLAS keep a pool each, and
    /// spinning ones take the cores from the one that works (a factor of two in a training step on two cores).
    private static final Map<String, String> ENVIRONMENT = Map.of("OMP_WAIT_POLICY", "passive", "GOMP_SPINCOUNT", "0");

    /// Parameters of mallopt, in bytes: from which size on blocks come straight from the system, and how much free
    /// memory at the end of the heap goes back to it.
    private static final int M_MMAP_THRESHOLD = -3;

    private static final int M_TRIM_THRESHOLD = -1;

    private static final Pattern LIBRARY = Pattern.compile("[^/]+\\.(so(\\.\\d+)*|dylib|dll)");

    /// The builds of LibTorch that the binding offers for one platform, by the suffix of their classifier.
    private static final List<String> BUILDS = List.of("", "-gpu");

    private static final RuntimeException FAILURE = load();

    /// Returns once LibTorch is usable.
    ///
    /// @throws IllegalStateException if an artifact with natives is not on the class path, or cannot be unpacked
    static void ready() {
        if (FAILURE != null) {
            throw new IllegalStateException(FAILURE.getMessage(), FAILURE);
        }
    }

    /// What stands in the way, or null.
    private static RuntimeException load() {
        // JavaCPP asks the OS for the size of the process at every allocation unless told not to, and throws
        // OutOfMemoryError once the process outgrows four times the Java heap, which LibTorch's memory does at once.
        setDefault("org.bytedeco.javacpp.maxBytes", "0");
        setDefault("org.bytedeco.javacpp.maxPhysicalBytes", "0");
        try {
            Kernels kernels = Kernels.fixed();
            setEnvironment(ENVIRONMENT, false);
            setEnvironment(kernels.environment(), true);
            keepFreedMemory();
            requireOnClassPath("javacpp", List.of(""), Loader.class, "jnijavacpp");
            requireOnClassPath("openblas", List.of(""), openblas_nolapack.class, "jniopenblas_nolapack");
            unpack(requireOnClassPath("pytorch", BUILDS, torch.class, "jnitorch"));
            Loader.load(torch.class);
            if (kernels == Kernels.PORTABLE) {
                pin();
            }
            return null;
        } catch (IOException e) {
            return new IllegalStateException(
                    "cannot unpack LibTorch into the native cache (" + e.getMessage()
                            + "); set -Dorg.bytedeco.javacpp.cachedir to a writable folder with 500 MB to spare",
                    e);
        } catch (IllegalStateException e) {
            return e;
        } catch (LinkageError e) {
            return new IllegalStateException("cannot load LibTorch: " + e.getMessage(), e);
        }
    }

    /// Where the natives of one artifact lie.
    private static URL requireOnClassPath(String artifact, List<String> builds, Class<?> binding, String library)
            throws IOException {
        String platform = Loader.getPlatform();
        for (String build : builds) {
            for (String file : fileNames(library)) {
                URL found =
                        Loader.findResource(binding, "/org/bytedeco/" + artifact + "/" + platform + build + "/" + file);
                if (found != null) {
                    return found;
                }
            }
        }
        String version = binding.getPackage().getImplementationVersion();
        throw new IllegalStateException("no natives of " + artifact + " for " + platform
                + " on the class path: add org.bytedeco:" + artifact + ":" + (version == null ? "VERSION" : version)
                + " with the classifier " + platform);
    }

    private static void setDefault(String property, String value) {
        if (System.getProperty(property) == null) {
            System.setProperty(property, value);
        }
    }

    /// What the environment cannot pin. oneDNN chooses by processor too: bfloat16's products and the exact GELU go
    /// through it where it is enabled.
    private static void pin() {
        torch.globalContext().setUserEnabledMkldnn(false);
        torch.set_num_threads(1);
        OpenBlas.useThreads(1);
        String openblas = OpenBlas.core().orElse("none");
        if (!Platform.capability().equals("AVX2") || !openblas.equals("Haswell")) {
            throw new IllegalStateException("portable kernels are not in force: LibTorch's are for "
                    + Platform.capability() + " in place of AVX2, OpenBLAS' for " + openblas + " in place of Haswell");
        }
    }

    /// C's setenv: the libraries read these when they are loaded.
    ///
    /// @param overwrite whether what the user has set gives way
    private static void setEnvironment(Map<String, String> variables, boolean overwrite) {
        Linker linker = Linker.nativeLinker();
        var setenv = linker.defaultLookup().find("setenv");
        if (setenv.isEmpty()) {
            return; // not a POSIX system
        }
        var handle = linker.downcallHandle(
                setenv.get(),
                FunctionDescriptor.of(
                        ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS, ValueLayout.JAVA_INT));
        try (Arena arena = Arena.ofConfined()) {
            for (var entry : variables.entrySet()) {
                MemorySegment name = arena.allocateFrom(entry.getKey());
                int _ = (int) handle.invokeExact(name, arena.allocateFrom(entry.getValue()), overwrite ? 1 : 0);
            }
        } catch (Throwable e) {
            throw new IllegalStateException("setenv failed", e);
        }
    }

    /// glibc's mallopt: what a step frees stays in the process for the next one. As it comes, large blocks go back to
    /// the system and return page by page, zeroed, which costs an element-wise operation up to a third of its time.
    private static void keepFreedMemory() {
        Linker linker = Linker.nativeLinker();
        linker.defaultLookup().find("mallopt").ifPresent(mallopt -> {
            var handle = linker.downcallHandle(
                    mallopt, FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
            try {
                int _ = (int) handle.invokeExact(M_MMAP_THRESHOLD, 1 << 30);
                int _ = (int) handle.invokeExact(M_TRIM_THRESHOLD, Integer.MAX_VALUE);
            } catch (Throwable e) {
                throw new IllegalStateException("mallopt failed", e);
            }
        });
    }

    /// Unpacks every native of LibTorch before any is opened: the binding's own loader opens libtorch before it has
    /// unpacked libtorch_cpu, which ends in a segmentation fault on a machine whose cache is empty. Processes that
    /// start together take turns. What a process killed in the middle leaves behind is replaced: a file counts as
    /// unpacked when it has the size and, set last, the time of its entry in the jar.
    private static void unpack(URL library) throws IOException {
        Path cache = Loader.getCacheDir().toPath();
        try (FileChannel lock = FileChannel.open(
                        cache.resolve("kedge.lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                var _ = lock.lock()) {
            if (library.openConnection() instanceof JarURLConnection jar) {
                String entry = jar.getEntryName();
                String folder = entry.substring(0, entry.lastIndexOf('/') + 1);
                List<String> names = jar.getJarFile().stream()
                        .map(ZipEntry::getName)
                        .filter(name -> name.startsWith(folder)
                                && LIBRARY.matcher(name.substring(folder.length()))
                                        .matches())
                        .toList();
                for (String name : names) {
                    File _ = Loader.cacheResource(torch.class, "/" + name);
                }
            }
            Loader.load(openblas_nolapack.class);
        }
    }

    /// Names that a library may have on the systems that the binding is built for.
    private static List<String> fileNames(String library) {
        return List.of("lib" + library + ".so", "lib" + library + ".dylib", library + ".dll");
    }
}
