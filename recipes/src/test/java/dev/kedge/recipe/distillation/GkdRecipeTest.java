package dev.kedge.recipe.distillation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.kedge.config.ConfigException;
import dev.kedge.data.Truncation;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.nn.lm.DecoderConfig;
import dev.kedge.recipe.RecordedRun;
import dev.kedge.recipe.TinyTask;
import dev.kedge.recipe.distillation.GkdRecipe.Student;
import dev.kedge.run.TrainingConfig;
import dev.kedge.sequence.Models;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Rng;
import dev.kedge.text.CharTokenizer;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

public class GkdRecipeTest {
    private static final Student SMALL = new Student.Random(8, 1, 2);

    @TempDir
    Path folder;

    public static GkdRecipe.Config config(
            Path folder, Student student, double onPolicy, double beta, TrainingConfig training) throws Exception {
        return new GkdRecipe.Config(
                student,
                TinyTask.model(folder.resolve("teacher"), 1),
                TinyTask.completions(folder.resolve("data.jsonl"), 120, 2),
                Optional.empty(),
                24,
                Truncation.DROP,
                32,
                Optional.of(training),
                onPolicy,
                beta,
                1,
                4,
                6,
                training,
                2,
                "cpu",
                1,
                5);
    }

    private RecordedRun run(String name, GkdRecipe.Config config) throws Exception {
        return new RecordedRun(TinyTask.run("gkd", config, folder.resolve(name)));
    }

    /// Fine-tuning leads the student away from its random teacher, and distillation back.
    @ParameterizedTest
    @ValueSource(doubles = {0, 0.5, 1})
    void comesNearTheTeacher(double beta) throws Exception {
        RecordedRun run = run("run", config(folder, SMALL, 0.5, beta, TinyTask.optimisation(40, 8, 1e-2, 20)));
        run.assertComplete("gkd");
        var kl = run.summary().get("comparisons").get(0);
        assertTrue(
                kl.get("after").get("high").asDouble()
                        < kl.get("before").get("low").asDouble() / 2,
                kl.toString());
        assertTrue(run.metrics("gkd").getLast().get("loss").asDouble()
                < run.metrics("gkd").getFirst().get("loss").asDouble() / 2);
    }

    @Test
    void theShareOfOwnCompletionsIsThatAskedFor() throws Exception {
        TrainingConfig training = TinyTask.optimisation(6, 8, 3e-3, 6);
        for (ObjectNode step :
                run("own", config(folder, SMALL, 1, 0.5, training)).metrics("gkd")) {
            assertEquals(1, step.get("on_policy").asDouble());
            assertTrue(step.has("sampler/difference"));
        }
        for (ObjectNode step :
                run("given", config(folder, SMALL, 0, 0.5, training)).metrics("gkd")) {
            assertEquals(0, step.get("on_policy").asDouble());
            assertFalse(step.has("sampler/difference"));
        }
    }

    /// Completions are of different lengths.
    @Test
    void partsOfABatchAddUpToTheWhole() throws Exception {
        RecordedRun whole = run("whole", config(folder, SMALL, 0.5, 0.5, TinyTask.optimisation(8, 8, 3e-3, 8)));
        RecordedRun parts = run("parts", config(folder, SMALL, 0.5, 0.5, TinyTask.optimisation(8, 3, 3e-3, 8)));
        RecordedRun.assertClose(whole, parts, "gkd", 1e-5);
    }

    @Test
    void aStudentThatIsItsTeacherHasNothingToLearn() throws Exception {
        GkdRecipe.Config c = config(
                folder, new Student.Folder(folder.resolve("teacher")), 0.5, 0.5, TinyTask.optimisation(2, 8, 1e-9, 2));
        RecordedRun run = run("run", withoutSft(c));
        assertEquals(0, run.metrics("gkd").getFirst().get("loss").asDouble(), 1e-9);
        assertEquals(
                0,
                run.summary()
                        .get("comparisons")
                        .get(0)
                        .get("before")
                        .get("value")
                        .asDouble());
    }

    @Test
    void studentsThatDoNotFitAreRefusedInOneLine() throws Exception {
        TrainingConfig training = TinyTask.optimisation(2, 8, 3e-3, 2);
        var other = new Student.Folder(saved("other", CharTokenizer.of("abcd "), 24));
        var e = assertThrows(ConfigException.class, () -> run("run", config(folder, other, 1, 0.5, training)));
        assertEquals(
                "student and teacher must have one vocabulary: that of the student has "
                        + CharTokenizer.of("abcd ").vocabularySize() + " tokens, that of the teacher "
                        + TinyTask.TOKENIZER.vocabularySize(),
                e.getMessage());
        var brief = new Student.Folder(saved("brief", TinyTask.TOKENIZER, 12));
        e = assertThrows(ConfigException.class, () -> run("run2", config(folder, brief, 1, 0.5, training)));
        assertEquals("max_length is 24, but the student has only 12 positions", e.getMessage());
        var f = assertThrows(IllegalArgumentException.class, () -> config(folder, SMALL, 1.5, 0.5, training));
        assertTrue(f.getMessage().startsWith("on_policy must be in [0.0, 1.0"), f.getMessage());
    }

    private Path saved(String name, CharTokenizer tokenizer, int positions) {
        DecoderConfig config = DecoderConfig.small(tokenizer.vocabularySize(), 8, 1, 2, positions);
        try (Rng rng = Rng.seeded(1);
                Decoder decoder = Decoder.random(config, rng, Device.CPU)) {
            Models.save(decoder, tokenizer, folder.resolve(name));
        }
        return folder.resolve(name);
    }

    private static GkdRecipe.Config withoutSft(GkdRecipe.Config c) {
        return new GkdRecipe.Config(
                c.student(),
                c.teacher(),
                c.data(),
                c.separator(),
                c.maxLength(),
                c.truncation(),
                c.heldOut(),
                Optional.empty(),
                c.onPolicy(),
                c.beta(),
                c.temperature(),
                c.promptTokens(),
                c.replyTokens(),
                c.training(),
                c.samples(),
                c.device(),
                c.threads(),
                c.seed());
    }
}
