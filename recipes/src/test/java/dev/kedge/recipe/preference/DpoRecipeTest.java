package dev.kedge.recipe.preference;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.kedge.config.ConfigException;
import dev.kedge.data.DataException;
import dev.kedge.data.Tokenized;
import dev.kedge.nn.file.AdapterFile;
import dev.kedge.nn.file.ModelFamily;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.nn.lm.Lora;
import dev.kedge.recipe.RecordedRun;
import dev.kedge.recipe.TinyTask;
import dev.kedge.run.RunFailedException;
import dev.kedge.run.TrainingConfig;
import dev.kedge.sequence.Models;
import dev.kedge.sequence.Policy;
import dev.kedge.sequence.PolicyEvaluation;
import dev.kedge.sequence.PreferenceLoss;
import dev.kedge.sequence.PreferenceLoss.DivergenceName;
import dev.kedge.sequence.SequenceScores;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Scope;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class DpoRecipeTest {
    @TempDir
    Path folder;

    private Path model;
    private Path data;

    @BeforeEach
    void files() throws Exception {
        model = TinyTask.model(folder.resolve("start"), 1);
        data = TinyTask.preferences(folder.resolve("data.jsonl"), 120, 2);
    }

    @Test
    void learnsWhatIsPreferred() throws Exception {
        RecordedRun run = new RecordedRun(TinyTask.run(
                "dpo",
                TinyTask.dpo(model, data, new PreferenceLoss.Sigmoid(0.5), TinyTask.optimisation(30, 8, 5e-3, 15)),
                folder.resolve("run")));
        run.assertComplete("dpo");
        assertLearnt(run, 0.5);
        try (Decoder trained = Models.load(run.folder().resolve("model"), Device.CPU)) {
            assertTrue(score(trained, "abca") - score(trained, "efge") > 1);
        }
    }

    @Test
    void anAdapterLearnsToo() throws Exception {
        DpoRecipe.Config c =
                TinyTask.dpo(model, data, new PreferenceLoss.Sigmoid(0.5), TinyTask.optimisation(120, 8, 1e-2, 60));
        RecordedRun run = new RecordedRun(TinyTask.run(
                "dpo",
                new DpoRecipe.Config(
                        c.model(),
                        c.data(),
                        c.loss(),
                        Optional.of(new Policy.Adapter(4, 8)),
                        c.maxLength(),
                        c.truncation(),
                        c.heldOut(),
                        c.sft(),
                        c.training(),
                        c.evaluation(),
                        c.device(),
                        1,
                        c.seed()),
                folder.resolve("run")));
        run.assertComplete("dpo");
        assertLearnt(run, 0.25); // four directions hold less than all weights do
        assertFalse(Files.exists(run.folder().resolve("model")), "an adapter is all that is written");
        try (Scope _ = new Scope();
                Decoder start = Models.load(model, Device.CPU);
                Decoder reference = Models.load(run.folder().resolve("reference"), Device.CPU)) {
            assertArrayEquals(
                    start.parameters().flat().toFloats(),
                    reference.parameters().flat().toFloats(),
                    0f);
            var weights = new AdapterFile(ModelFamily.of(reference.config()), reference.config())
                    .read(run.folder().resolve("adapter"), DType.FLOAT32, Device.CPU);
            assertEquals(4, weights.rank());
            try (Lora lora = Lora.of(weights, Device.CPU);
                    Decoder policy = reference.withAdapter(lora)) {
                double before = score(reference, "abca") - score(reference, "efge");
                double after = score(policy, "abca") - score(policy, "efge");
                assertTrue(after > before, before + " to " + after); // one pair; of all held-out ones, see above
            }
        }
    }

    private static double margin(List<ObjectNode> steps) {
        return steps.stream()
                .mapToDouble(s -> s.get("reward/margin").asDouble())
                .average()
                .orElseThrow();
    }

    /// Numbers of training, and of judging pairs that were not trained on.
    ///
    /// @param least margin of the last batches
    private static void assertLearnt(RecordedRun run, double least) throws Exception {
        ObjectNode first = run.metrics("dpo").getFirst();
        assertEquals(Math.log(2), first.get("loss").asDouble(), 1e-6, "at the reference every margin is 0");
        assertEquals(0, first.get("reward/margin").asDouble(), 1e-6);
        List<ObjectNode> all = run.metrics("dpo");
        assertTrue(margin(all.subList(all.size() - 5, all.size())) > least, "the mean of the last batches: " + all);
        var accuracy = run.fact("held_out_preference_accuracy");
        assertTrue(accuracy.get("low").asDouble() > 0.5, accuracy.toString());
        assertTrue(run.fact("p_value").get("value").asDouble() < 0.01);
        assertTrue(run.fact("reward_margin").get("low").asDouble() > 0);
        assertTrue(run.fact("kl_from_the_reference_k3").get("low").asDouble() > 0);
        assertTrue(run.summary().get("verdict").asText().endsWith(": better than chance."));
    }

    private static double score(Decoder model, String reply) {
        int[] prompt = TinyTask.TOKENIZER.encode("hab ");
        return SequenceScores.of(
                model, List.of(Tokenized.ofReply(prompt, TinyTask.TOKENIZER.encodeOrdinary(reply))), 0, 1)[0];
    }

    @Test
    void partsOfABatchAddUpToTheWhole() throws Exception {
        RecordedRun[] runs = new RecordedRun[2];
        for (int i = 0; i < 2; i++) {
            TrainingConfig parts = TinyTask.optimisation(8, i == 0 ? 8 : 2, 3e-3, 8);
            runs[i] = new RecordedRun(TinyTask.run(
                    "dpo",
                    TinyTask.dpo(model, data, new PreferenceLoss.Sigmoid(0.5), parts),
                    folder.resolve("run" + i)));
        }
        RecordedRun.assertClose(runs[0], runs[1], "dpo", 1e-5);
    }

    static Stream<PreferenceLoss> objectives() {
        return Stream.concat(
                PreferenceLossTest.FORMS.stream().map(form -> form.apply(0.5)),
                Stream.of(
                        new PreferenceLoss.FDpo(0.5, DivergenceName.REVERSE_KL, Optional.empty(), Optional.empty()),
                        new PreferenceLoss.FDpo(0.5, DivergenceName.FORWARD_KL, Optional.empty(), Optional.of(5.0)),
                        new PreferenceLoss.FDpo(0.5, DivergenceName.JENSEN_SHANNON, Optional.empty(), Optional.empty()),
                        new PreferenceLoss.FDpo(0.5, DivergenceName.ALPHA, Optional.of(0.5), Optional.empty())));
    }

    @ParameterizedTest
    @MethodSource("objectives")
    void everyObjectiveWidensTheMargin(PreferenceLoss objective) throws Exception {
        RecordedRun run = new RecordedRun(TinyTask.run(
                "dpo",
                TinyTask.dpo(model, data, objective, TinyTask.optimisation(60, 8, 5e-3, 60)),
                folder.resolve("run")));
        List<ObjectNode> metrics = run.metrics("dpo");
        assertEquals(60, metrics.size());
        for (ObjectNode step : metrics) {
            step.properties()
                    .forEach(m -> assertTrue(
                            m.getValue().isTextual()
                                    ? m.getKey().equals("phase")
                                    : Double.isFinite(m.getValue().asDouble()),
                            m.toString()));
        }
        assertTrue(
                margin(metrics.subList(50, 60)) > margin(metrics.subList(0, 10)),
                "batches differ, and without a reference so do their margins: " + metrics);
        assertTrue(run.summary().get("title").asText().startsWith(objective.title()));
    }

    @Test
    void tooFewPairsAreToldOfInOneLine() throws Exception {
        Path few = TinyTask.preferences(folder.resolve("few.jsonl"), 30, 2);
        var config = TinyTask.dpo(model, few, new PreferenceLoss.Sigmoid(1), TinyTask.optimisation(2, 2, 1e-3, 2));
        var e = assertThrows(ConfigException.class, () -> TinyTask.run("dpo", config, folder.resolve("run")));
        assertEquals("held_out is 40, but " + few + " has only 30 examples", e.getMessage());
    }

    @Test
    void whatIsNoPreferenceOrTooLongIsToldOfInOneLine() throws Exception {
        Path completions = TinyTask.completions(folder.resolve("completions.jsonl"), 60, 2);
        var o = TinyTask.optimisation(2, 2, 1e-3, 2);
        var wrong = TinyTask.dpo(model, completions, new PreferenceLoss.Sigmoid(1), o);
        var e = assertThrows(DataException.class, () -> TinyTask.run("dpo", wrong, folder.resolve("run")));
        assertTrue(
                e.getMessage().startsWith(completions + ": no pair is left to learn from; left out: "), e.getMessage());
        assertTrue(e.getMessage().contains("expected a preference"), e.getMessage());
        String line = "{\"prompt\": \"ab \", \"chosen\": \"" + "abcd".repeat(8) + "\", \"rejected\": \"ef\"}";
        Path chapters = Files.write(
                folder.resolve("chapters.jsonl"),
                Collections.nCopies(20, line + "\n" + line.replace("ab ", "a ") + "\n" + line.replace("ab ", "b ")));
        var tooLong = TinyTask.dpo(model, chapters, new PreferenceLoss.Sigmoid(1), o);
        e = assertThrows(DataException.class, () -> TinyTask.run("dpo", tooLong, folder.resolve("run2")));
        assertEquals(
                chapters + ": no pair is left to learn from; left out: 20 x longer than 24 tokens (first at " + chapters
                        + ", line 1)",
                e.getMessage());
    }

    @Test
    void repliesWithoutRoomAreRefusedBeforeTraining() throws Exception {
        DpoRecipe.Config c =
                TinyTask.dpo(model, data, new PreferenceLoss.Sigmoid(0.5), TinyTask.optimisation(5, 8, 1e-2, 5));
        var config = new DpoRecipe.Config(
                c.model(),
                c.data(),
                c.loss(),
                c.adapter(),
                c.maxLength(),
                c.truncation(),
                c.heldOut(),
                c.sft(),
                c.training(),
                new PolicyEvaluation.Config(8, 24, 1.0, 2),
                c.device(),
                1,
                c.seed());
        Path run = folder.resolve("run");
        var e = assertThrows(RunFailedException.class, () -> TinyTask.run("dpo", config, run));
        assertTrue(e.getMessage().contains("evaluation.reply_tokens"), e.getMessage());
        assertEquals(0, new RecordedRun(run).metrics("dpo").size());
    }
}
