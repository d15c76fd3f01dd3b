package dev.kedge.cli;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.kedge.data.fetch.Entry;
import dev.kedge.data.fetch.Fetched;
import dev.kedge.data.fetch.Registry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FetchCommandTest {
    @TempDir
    Path folder;

    @Test
    void withoutANameItListsAll() throws IOException {
        String said = Spoken.of("fetch").fine().out();
        String docs = Files.readString(Installation.docs().resolve("data.md"));
        for (Entry entry : Registry.load().entries()) {
            assertTrue(said.contains(entry.name() + "  ("), said);
            assertTrue(said.contains("licence: " + entry.licence()), said);
            assertTrue(docs.contains("| `" + entry.name() + "` |"), "docs/data.md: " + entry.name());
        }
    }

    @Test
    void whatCannotBeMeantIsRefused() {
        Spoken.of("fetch", "gsm8k", "gsm9k").refused(2, "\"gsm9k\"", "gsm8k, math");
        Spoken.of("fetch", "--mirror", "" + folder.resolve("nowhere"), "gsm8k").refused(2, "--mirror", "is no folder");
        assertFalse(Files.exists(Fetched.FOLDER), "nothing was fetched");
    }

    @Test
    void whatIsMissingNamesTheCommand() {
        assumeTrue(System.getenv("KEDGE_MIRROR") == null, "KEDGE_MIRROR would bring it");
        Path data = Fetched.FOLDER.resolve("hh_rlhf/harmless-base-test.jsonl.gz");
        Path model = Fetched.FOLDER.resolve("stories260k");
        Spoken.of("preview", "--data", "" + data, "--model", "" + model)
                .refused(3, data + ": is not there; run: ./kedge fetch hh_rlhf");
        Spoken.of("generate", "--model", "" + model, "--prompt", "a")
                .refused(3, model + ": is not there; run: ./kedge fetch stories260k");
        Spoken.of("diff", "" + model, "" + model).refused(3, "run: ./kedge fetch stories260k");
        Spoken.of(
                        "run",
                        "--quiet",
                        "--out",
                        "" + folder.resolve("run"),
                        "" + Installation.recipes().resolve("dpo.yaml"))
                .refused(3, "run: ./kedge fetch stories260k");
    }
}
