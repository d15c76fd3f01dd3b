package dev.kedge.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// An adapter that a run left, as a model of the commands.
class MergeCommandTest {
    @TempDir
    Path folder;

    private Path data;
    private Path recipe;
    private Path run;

    @BeforeEach
    void files() throws IOException {
        Path model = TinyFiles.model(folder.resolve("model"));
        data = TinyFiles.completions(folder.resolve("data.jsonl"));
        recipe = TinyFiles.sft(folder.resolve("tiny.yaml"), model, data);
        Path adapted = Files.copy(recipe, folder.resolve("adapted.yaml"));
        Files.writeString(adapted, "adapter:\n  rank: 2\n  alpha: 4\n", StandardOpenOption.APPEND);
        run = folder.resolve("run");
        Spoken.of("run", "--quiet", "--out", "" + run, "" + adapted, "training.learning_rate=0.1")
                .fine();
    }

    private static JsonNode said(Path model, String... more) throws IOException {
        List<String> arguments = new ArrayList<>(List.of("generate", "--model", "" + model, "--prompt", "ab "));
        arguments.addAll(List.of("--json", "--logits", "--max-tokens", "6"));
        arguments.addAll(List.of(more));
        return new ObjectMapper()
                .readTree(Spoken.of(arguments.toArray(String[]::new)).fine().out());
    }

    private static double largest(JsonNode one, JsonNode other) {
        double largest = 0;
        for (int v = 0; v < one.get("last_logits").size(); v++) {
            double a = one.get("last_logits").get(v).asDouble();
            largest = Math.max(
                    largest, Math.abs(a - other.get("last_logits").get(v).asDouble()));
        }
        return largest;
    }

    /// The adapter's folder and what merge makes of it say the same, and something else than the base.
    @Test
    void mergedIsTheAdapterApplied() throws IOException {
        Path adapter = run.resolve("adapter");
        Path out = folder.resolve("out");
        String spoken = Spoken.of("merge", "" + adapter, "" + out).fine().out();
        assertTrue(spoken.contains("" + out) && spoken.contains("reference"), spoken);
        assertEquals(said(adapter), said(out));
        assertTrue(largest(said(adapter), said(run.resolve("reference"))) > 1e-3);
        for (String name : List.of("config.json", "generation_config.json", "tokenizer.json")) {
            assertEquals(
                    Files.readString(run.resolve("reference").resolve(name)),
                    Files.readString(out.resolve(name)),
                    name);
        }
    }

    @Test
    void everyCommandTakesAnAdapter() throws IOException {
        Path adapter = run.resolve("adapter");
        Spoken.of("preview", "--model", "" + adapter, "--data", "" + data).fine();
        Spoken.of("run", "--quiet", "--out", "" + folder.resolve("next"), "" + recipe, "model=" + adapter)
                .fine();
        said(run.resolve("reference"), "--guide", adapter + ":1");
        Spoken.of("diff", "" + run.resolve("reference"), "" + adapter).fine();
    }

    @Test
    void aBaseThatMovedIsSaid() throws IOException {
        Path adapter = run.resolve("adapter");
        JsonNode before = said(adapter);
        Path moved = Files.move(run.resolve("reference"), folder.resolve("moved"));
        for (List<String> command : List.of(
                List.of("generate", "--model", "" + adapter, "--prompt", "a"),
                List.of("merge", "" + adapter, "" + folder.resolve("out")),
                List.of("preview", "--model", "" + adapter, "--data", "" + data),
                List.of("run", "--quiet", "--out", "" + folder.resolve("next"), "" + recipe, "model=" + adapter))) {
            Spoken.of(command.toArray(String[]::new))
                    .refused(3, "" + adapter, "" + run.resolve("reference"), "--base DIR", "base_model_name_or_path");
        }
        assertEquals(before, said(adapter, "--base", "" + moved));
        Spoken.of("merge", "" + adapter, "" + folder.resolve("out"), "--base", "" + moved)
                .fine();
        assertEquals(before, said(folder.resolve("out")));
        Spoken.of(
                        "merge",
                        "" + adapter,
                        "" + folder.resolve("other"),
                        "--base",
                        "" + TinyFiles.model(folder.resolve("m")))
                .fine(); // the same weights, wherever they lie
    }

    @Test
    void whatCannotBeMergedIsLeftAlone() throws IOException {
        Path adapter = run.resolve("adapter");
        Path out = Files.createDirectories(folder.resolve("out"));
        Path theirs = Files.writeString(out.resolve("config.json"), "theirs");
        Spoken.of("merge", "" + adapter, "" + out).refused(2, "OUT", "" + out, "not empty");
        assertEquals("theirs", Files.readString(theirs));
        Spoken.of("merge", "" + adapter, "" + theirs).refused(2, "" + theirs);
        Spoken.of("merge", "" + folder.resolve("model"), "" + folder.resolve("new"))
                .refused(3, "" + folder.resolve("model"), "holds no adapter");
        Spoken.of("generate", "--model", "" + folder.resolve("model"), "--prompt", "a", "--base", "" + out)
                .refused(3, "holds no adapter");
    }
}
