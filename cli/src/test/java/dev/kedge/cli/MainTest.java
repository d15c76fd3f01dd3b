package dev.kedge.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.kedge.lab.catalogue.Catalogue;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MainTest {
    @TempDir
    Path folder;

    @Test
    void usage() {
        Spoken.of().refused(2, "command", "kedge --help");
        Spoken.of("dance").refused(2, "dance");
        Spoken.of("run", "--nonsense").refused(2, "--nonsense", "kedge run --help");
        Spoken.of("generate", "--prompt", "a").refused(2, "--model");
        Spoken.of("generate", "--model", "m", "--prompt", "a", "--max-tokens", "few")
                .refused(2, "--max-tokens", "few");
        assertTrue(Spoken.of("--help").fine().out().contains("generate"));
        assertTrue(Spoken.of("run", "--help").fine().out().contains("--print-config"));
        assertEquals("kedge 0.1.0", Spoken.of("--version").fine().out().strip());
    }

    @Test
    void papersAsJson() throws IOException {
        JsonNode papers =
                new ObjectMapper().readTree(Spoken.of("papers", "--json").fine().out());
        assertEquals(Catalogue.load().papers().size(), papers.size());
        Set<String> slugs = new HashSet<>();
        for (JsonNode paper : papers) {
            assertTrue(slugs.add(paper.get("slug").asText()), paper.toString());
            assertTrue(paper.get("title").asText().length() > 5);
            assertFalse(paper.get("list").asText().isEmpty(), paper.toString());
            assertTrue(paper.get("recipes").isArray());
            assertTrue(List.of("works", "planned").contains(paper.get("status").asText()), paper.toString());
        }
        assertEquals(
                0,
                new ObjectMapper()
                        .readTree(Spoken.of("papers", "--json", "xyzzy").fine().out())
                        .size());
    }

    @Test
    void papersByMethod() {
        String found = Spoken.of("papers", "fdpo").fine().out();
        assertTrue(found.contains("arXiv:2309.16240") && found.contains("(kedge-37, "), found);
        assertTrue(Spoken.of("papers", "fdqo").fine().out().startsWith("Nothing found for \"fdqo\"; nearest: "));
        assertTrue(Spoken.of("papers", "fdqo").out().toLowerCase().contains("dpo"));
    }

    @Test
    void doctor() {
        String said = Spoken.of("doctor").fine().out();
        for (String word : List.of("Kedge", "Java", "LibTorch", "Threads", "Device", "GFLOP/s")) {
            assertTrue(said.contains(word), said);
        }
    }

    @Test
    void previewShowsTokensAndCounts() throws IOException {
        Path model = TinyFiles.model(folder.resolve("model"));
        Path data = TinyFiles.completions(folder.resolve("data.jsonl"));
        String said = Spoken.of("preview", "--no-colour", "--model", "" + model, "--data", "" + data)
                .fine()
                .out();
        assertTrue(said.contains("20 examples"), said);
        assertTrue(said.contains("c") && said.contains("d"), said);
        Files.writeString(data, Files.readString(data) + "{\"prompt\": 3}\n");
        said = Spoken.of("preview", "--no-colour", "--model", "" + model, "--data", "" + data)
                .fine()
                .out();
        assertTrue(said.contains("left out: ") && said.contains("21"), said);
        Spoken.of("preview", "--model", "" + model, "--data", "" + folder.resolve("none.jsonl"))
                .refused(3, "none.jsonl");
        Spoken.of("preview", "--model", "" + folder.resolve("none"), "--data", "" + data)
                .refused(3, "none");
    }
}
