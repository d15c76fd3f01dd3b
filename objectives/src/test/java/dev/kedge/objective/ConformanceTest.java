package dev.kedge.objective;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.fail;

import dev.kedge.objective.conformance.ConformanceRun;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/// Holds the objectives against numbers that the papers' own code computed, or a computation apart from this one.
///
/// Reads every `*.json` of the test resources' folder `conformance`, or of the folder named by the system property
/// `kedge.conformance.dir` (relative paths are relative to the project's root), and compares within 1e-6 relative,
/// 1e-9 absolute near zero, in float64. A case without an adapter is pending, and one that keeps its values back is
/// computed but unchecked; both count as skipped. The last line printed is `N passed, N failed, N skipped`;
/// `target/conformance.json` holds the counts by method, which the catalogue of papers has a copy of.
class ConformanceTest {
    private static final String OWN = "objectives/src/test/resources/conformance";
    private static final String RECORDED = "lab/src/main/resources/conformance.json";
    private static final Path ROOT = Path.of(System.getProperty("kedge.root", ".."));

    @Test
    void objectivesAgreeWithTheConformanceCases() throws IOException {
        Path folder =
                ROOT.resolve(System.getProperty("kedge.conformance.dir", OWN)).normalize();
        System.out.println(); // whatever was printed before may not have ended its line
        if (!Files.isDirectory(folder)) {
            System.out.println("No folder " + folder + ": nothing was compared (-Dkedge.conformance.dir)");
            System.out.println("0 passed, 0 failed, 0 skipped");
            fail("no folder " + folder + " with conformance cases: -Dkedge.conformance.dir must name one");
        }

        ConformanceRun run = ConformanceRun.of(folder);
        Path counts = ROOT.resolve("objectives/target/conformance.json");
        run.write(counts);
        boolean empty = run.total().cases() == 0;
        if (empty) {
            System.out.println("No case in " + folder + ": nothing was compared");
        }
        run.report().forEach(System.out::println);
        assertFalse(empty, "no case in " + folder + ": nothing was compared");
        if (run.total().failed() > 0) {
            fail(String.join("\n", run.failures()));
        }
        if (folder.equals(ROOT.resolve(OWN).normalize())) {
            assertEquals(
                    Files.readString(counts),
                    Files.readString(ROOT.resolve(RECORDED)),
                    "the counts that the catalogue goes by: copy " + counts + " to " + RECORDED);
        }
    }
}
