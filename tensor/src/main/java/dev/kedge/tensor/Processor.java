package dev.kedge.tensor;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// The processor of this machine.
///
/// @param name     its model's; the architecture where the system does not say
/// @param system   Linux, ...
/// @param features what its instructions include, as Linux names them
record Processor(String name, String system, Set<String> features) {
    private static final Processor HERE = of(System.getProperty("os.name"), System.getProperty("os.arch"), cpuinfo());

    static Processor here() {
        return HERE;
    }

    private static List<String> cpuinfo() {
        try {
            return Files.readAllLines(Path.of("/proc/cpuinfo"));
        } catch (IOException _) {
            return List.of(); // not Linux
        }
    }

    /// @param cpuinfo the lines of `/proc/cpuinfo`; none elsewhere
    static Processor of(String system, String architecture, List<String> cpuinfo) {
        Map<String, String> first = new LinkedHashMap<>();
        for (String line : cpuinfo) {
            int colon = line.indexOf(':');
            if (colon > 0) {
                first.putIfAbsent(
                        line.substring(0, colon).strip(),
                        line.substring(colon + 1).strip());
            }
        }
        // A virtual machine may say no more than the make: family and model tell its generations apart.
        String name = first.containsKey("model name") && first.containsKey("cpu family")
                ? first.get("model name") + ", family " + first.get("cpu family") + ", model " + first.get("model")
                : first.getOrDefault("model name", architecture);
        return new Processor(
                name, system, Set.of(first.getOrDefault("flags", "").split(" +")));
    }

    /// Why kernels for AVX2 and FMA cannot be pinned here: what is not there would end in a crash, and elsewhere than
    /// under Linux the libraries do not see what is set after the start.
    Optional<String> obstacleToAvx2() {
        return system.equals("Linux") && features.containsAll(Set.of("avx2", "fma"))
                ? Optional.empty()
                : Optional.of("portable kernels need Linux on an x86-64 processor with AVX2 and FMA; here is " + system
                        + " on " + name);
    }
}
