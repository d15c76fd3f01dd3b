package dev.kedge.recipe.policy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.kedge.data.verify.Extraction;
import dev.kedge.data.verify.Format;
import dev.kedge.nn.file.InvalidFileException;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.nn.lm.DecoderConfig;
import dev.kedge.recipe.RecordedRun;
import dev.kedge.recipe.TinyTask;
import dev.kedge.sequence.Models;
import dev.kedge.sequence.PreferenceLoss;
import dev.kedge.sequence.PretrainedModel;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Rng;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Models whose embedding has more rows than the tokenizer has tokens, or fewer.
class PaddedModelTest {
    @TempDir
    Path folder;

    /// So many rows; one id of the tokenizer's has no token.
    private Path model(int rows) throws IOException {
        Path model = folder.resolve("rows" + rows);
        try (Rng rng = Rng.seeded(1);
                Decoder decoder = Decoder.random(DecoderConfig.small(rows, 16, 1, 2, 24), rng, Device.CPU)) {
            Models.save(decoder, TinyTask.TOKENIZER, model);
        }
        ObjectMapper mapper = new ObjectMapper();
        Path file = model.resolve("tokenizer.json");
        ObjectNode json = (ObjectNode) mapper.readTree(file.toFile());
        ((ObjectNode) json.at("/model/vocab")).remove("e");
        mapper.writeValue(file.toFile(), json);
        Path settings = model.resolve("tokenizer_config.json");
        ObjectNode config = (ObjectNode) mapper.readTree(settings.toFile());
        config.remove("kedge_tokenizer");
        mapper.writeValue(settings.toFile(), config);
        return model;
    }

    /// Half of a uniform distribution would be ids that cannot be decoded; all that is logged is finite.
    @Test
    void noDrawEndsARun() throws Exception {
        Path data = Files.writeString(
                folder.resolve("questions.jsonl"),
                "{\"question\": \"ab\", \"answer\": \"c\"}\n{\"question\": \"b\", \"answer\": \"c\"}\n".repeat(6));
        Environment.File environment = new Environment.File(
                model(30),
                data,
                "question",
                "answer",
                Optional.empty(),
                new Format("[ab].*"),
                Extraction.TEXT,
                4,
                8,
                2);
        var config = new RlvrRecipe.Config(
                environment,
                List.of(
                        new GrpoMethod(0.2, 0.1),
                        new SpineMethod(new SpineMethod.Selection.TopShare(0.5, 0.1, 0.5), 0.2, 0.3, 0.2, 0, 0.4)),
                8,
                1,
                Truncated.JUDGED,
                TinyTask.optimisation(3, 8, 1e-2, 3),
                1,
                1,
                3,
                2,
                1,
                "cpu",
                1,
                3);
        RecordedRun run = new RecordedRun(TinyTask.run("rlvr", config, Files.createTempDirectory(folder, "run")));
        run.assertComplete("rlvr");
        for (String method : List.of("grpo", "spine")) {
            for (var step : run.metrics(method)) {
                assertTrue(step.get("sampler/difference").asDouble(1) < 1e-4, "the same mask: " + step);
                assertTrue(Double.isFinite(step.get("kl").asDouble(Double.NaN)), step + "");
                assertTrue(step.get("grad_norm").asDouble() > 0, step + "");
            }
        }
    }

    @Test
    void preferencesAreLearntOverTheTokensAlone() throws Exception {
        Path data = Files.writeString(
                folder.resolve("pairs.jsonl"),
                "{\"prompt\": \"ab \", \"chosen\": \"cd\", \"rejected\": \"fgh\"}\n".repeat(60));
        var config =
                TinyTask.dpo(model(30), data, new PreferenceLoss.Sigmoid(0.1), TinyTask.optimisation(3, 8, 1e-2, 3));
        RecordedRun run = new RecordedRun(TinyTask.run("dpo", config, Files.createTempDirectory(folder, "run")));
        run.assertComplete("dpo");
        try (Decoder trained = Models.load(run.folder().resolve("model"), Device.CPU)) {
            assertEquals(30, trained.config().vocabularySize(), "the model stays what it was");
            assertEquals(12, trained.vocabularySize());
        }
    }

    @Test
    void aTokenizerLargerThanTheEmbeddingIsRefusedWithBothNumbers() throws Exception {
        Path model = model(11);
        for (var opened : List.<org.junit.jupiter.api.function.Executable>of(
                () -> PretrainedModel.open(model, Device.CPU), () -> Models.load(model, Device.CPU))) {
            String said = assertThrows(InvalidFileException.class, opened).getMessage();
            assertTrue(said.contains("the tokenizer has 12 ids, but the embedding only 11 rows"), said);
        }
    }
}
