package dev.kedge.recipe;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.kedge.config.ConfigFile;
import dev.kedge.run.result.PlatformJson;
import dev.kedge.tensor.Kernels;
import dev.kedge.tensor.Platform;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A tiny decoder is pre-trained and aligned on two machines, as the libraries see them.
class PortableRunTest {
    private static final Map<String, String> OLD =
            Map.of("ATEN_CPU_CAPABILITY", "default", "OPENBLAS_CORETYPE", "Nehalem", "OMP_NUM_THREADS", "2");
    private static final Map<String, String> NEW =
            Map.of("ATEN_CPU_CAPABILITY", "avx512", "OPENBLAS_CORETYPE", "SkylakeX", "OMP_NUM_THREADS", "1");

    @TempDir
    Path folder;

    @BeforeEach
    void needsAvx2() {
        Kernels.PORTABLE.obstacle().ifPresent(why -> assumeTrue(false, why));
    }

    private RecordedRun run(String name, boolean portable, Map<String, String> environment) throws Exception {
        Path yaml = Files.writeString(
                folder.resolve(name + ".yaml"),
                ConfigFile.text("quickstart", QuickstartRecipeTest.config(4), portable));
        ProcessBuilder process = RecipeProcess.process(yaml, folder.resolve(name));
        process.environment().putAll(environment);
        assertEquals(0, process.start().waitFor());
        RecordedRun run = new RecordedRun(folder.resolve(name));
        assertTrue(Files.readString(run.folder().resolve("config.yaml")).endsWith("\nportable: " + portable + "\n"));
        Platform platform = PlatformJson.read(run.summary().path("engine")).orElseThrow();
        assertEquals(portable ? Kernels.PORTABLE : Kernels.MACHINE, platform.kernels());
        String log = Files.readString(run.folder().resolve("log.txt"));
        assertTrue(log.contains(" engine: " + platform.processor() + "; LibTorch "), log);
        assertTrue(log.contains("; " + platform.kernelsInWords() + "; "), log);
        return run;
    }

    private static byte[] weights(RecordedRun run) throws IOException {
        return Files.readAllBytes(run.folder().resolve("model/model.safetensors"));
    }

    @Test
    void aPortableRunIsTheSameToTheBit() throws Exception {
        RecordedRun first = run("old", true, OLD);
        RecordedRun second = run("new", true, NEW);
        assertArrayEquals(weights(first), weights(second));
        for (String phase : new String[] {"pretraining", "dpo-beta-0_5", "dpo-beta-2_0"}) {
            assertEquals(first.metrics(phase), second.metrics(phase));
        }
        assertEquals(first.summary().get("frontier"), second.summary().get("frontier"));
    }

    /// What the test above would see if nothing were pinned.
    @Test
    void aRunThatIsNotDiffers() throws Exception {
        assertFalse(Arrays.equals(weights(run("old", false, OLD)), weights(run("own", false, Map.of()))));
    }
}
