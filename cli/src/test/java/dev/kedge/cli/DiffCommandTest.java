package dev.kedge.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.kedge.nn.file.ModelFolder;
import dev.kedge.nn.file.Safetensors;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.InPlace;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import dev.kedge.text.CharTokenizer;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DiffCommandTest {
    private static final String CHANGED = "layers.0.mlp.down.weight";

    @TempDir
    Path folder;

    private static JsonNode diff(Object... arguments) throws IOException {
        String[] all = new String[arguments.length + 2];
        all[0] = "diff";
        for (int i = 0; i < arguments.length; i++) {
            all[i + 1] = "" + arguments[i];
        }
        all[all.length - 1] = "--json";
        return new ObjectMapper()
                .readTree(Spoken.of(all).fine().out().lines().toList().getLast());
    }

    /// The model with some rows of one matrix moved by 1.
    private Path moved(Path model, String name, int from, int rows) {
        try (Scope _ = new Scope()) {
            ModelFolder there = ModelFolder.load(model, DType.FLOAT32, Device.CPU);
            Tensor matrix = there.parameters().get(CHANGED);
            InPlace.plus_(matrix.narrow(0, from, rows), 1);
            there.save(folder.resolve(name));
        }
        return folder.resolve(name);
    }

    @Test
    void nothingChanged() throws IOException {
        Path model = TinyFiles.model(folder.resolve("model"));
        JsonNode said = diff(model, model);
        assertEquals(1, said.get("unchanged").get(0).get("all").asDouble());
        assertEquals(0, said.get("layer_densities").get("0").get(0).asDouble());
        assertTrue(said.get("overlaps").isEmpty());
    }

    @Test
    void whatWasPlantedIsFound() throws IOException {
        Path model = TinyFiles.model(folder.resolve("model"));
        Path three = moved(model, "three", 2, 3);
        Path four = moved(model, "four", 3, 4);
        for (String storage : new String[] {"bfloat16", "float32"}) {
            JsonNode said = diff(model, three, "--other", four, "--storage", storage);
            long all = 0;
            long changed = 0;
            for (JsonNode tensor : said.get("tensors")) {
                long numel = 1;
                for (JsonNode side : tensor.get("shape")) {
                    numel *= side.asLong();
                }
                all += numel;
                boolean planted = tensor.get("name").asText().equals(CHANGED);
                double rows = tensor.get("shape").get(0).asDouble();
                for (JsonNode density : tensor.get("densities")) {
                    assertEquals(planted ? 3 / rows : 0, density.asDouble(), 1e-12);
                }
                assertEquals(4, tensor.get("densities").size());
                changed += planted ? Math.round(3 * numel / rows) : 0;
                if (planted && storage.equals("float32")) {
                    assertTrue(tensor.get("rank_ratio").asDouble() <= 3 / rows, "three equal rows");
                }
            }
            for (JsonNode total : said.get("unchanged")) {
                assertEquals(1 - (double) changed / all, total.get("all").asDouble(), 1e-12);
            }
            JsonNode overlap = said.get("overlaps").get(0);
            assertEquals(2.0 / 3, overlap.get("first").asDouble(), 1e-12);
            assertEquals(2.0 / 4, overlap.get("second").asDouble(), 1e-12);
            assertEquals((double) changed / all, overlap.get("chance_second").asDouble(), 1e-12);
            assertEquals(
                    "as many of the smallest weights",
                    said.get("overlaps").get(1).get("with").asText());
            JsonNode random = said.get("overlaps").get(2);
            double share = (double) changed / all;
            assertEquals(share, random.get("first").asDouble(), 4 * Math.sqrt(share / changed), "by chance");
        }
        String table = Spoken.of("diff", "" + model, "" + three).fine().out();
        assertTrue(table.contains(CHANGED) && table.contains("by chance"), table);
    }

    /// The mask is one that a recipe takes; where nothing changed there is none.
    @Test
    void masksForRecipes() throws IOException {
        Path model = TinyFiles.model(folder.resolve("model"));
        Path mask = folder.resolve("mask.safetensors");
        diff(model, moved(model, "three", 2, 3), "--mask", mask);
        try (Scope _ = new Scope()) {
            var masks = Safetensors.read(mask);
            var weights = ModelFolder.load(model, DType.FLOAT32, Device.CPU).parameters();
            assertEquals(weights.keySet(), masks.keySet());
            masks.forEach((name, m) -> assertEquals(
                    name.equals(CHANGED) ? 3 * m.size(1) : 0, m.sum().toLongs()[0], name));
        }
        Spoken.of("diff", "" + model, "" + model, "--mask", "" + mask).refused(2, "no weight changed", "--mask");
    }

    @Test
    void modelsThatAreNoTrainingOfEachOther() {
        Path model = TinyFiles.model(folder.resolve("model"));
        Path other = TinyFiles.model(folder.resolve("other"), CharTokenizer.of("abc"));
        Spoken.of("diff", "" + model, "" + other).refused(2, "is no training of", "there", "here");
        Spoken.of("diff", "" + model, "" + folder.resolve("nowhere")).refused(3, "nowhere", "does not exist");
        Spoken.of("diff", "" + model).refused(2, "MODEL_B");
        Spoken.of("diff", "" + model, "" + model, "--storage", "int8").refused(2, "int8");
        assertFalse(Spoken.of("diff", "--help").fine().out().isEmpty());
    }
}
