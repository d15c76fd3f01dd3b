package dev.kedge.recipe.unpaired;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.config.ConfigException;
import dev.kedge.data.DataException;
import dev.kedge.data.Truncation;
import dev.kedge.recipe.RecordedRun;
import dev.kedge.recipe.TinyTask;
import dev.kedge.run.TrainingConfig;
import dev.kedge.sequence.PolicyEvaluation;
import dev.kedge.sequence.UnpairedLoss;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

public class KtoRecipeTest {
    @TempDir
    Path folder;

    public static KtoRecipe.Config config(Path folder, UnpairedLoss loss, TrainingConfig training) throws Exception {
        return new KtoRecipe.Config(
                TinyTask.model(folder.resolve("start"), 1),
                TinyTask.labelled(folder.resolve("data.jsonl"), 120, 2),
                loss,
                Optional.empty(),
                24,
                Truncation.DROP,
                40,
                Optional.of(training),
                training,
                new PolicyEvaluation.Config(8, 6, 1.0, 2),
                "cpu",
                1,
                5);
    }

    private RecordedRun run(String name, UnpairedLoss loss, TrainingConfig training) throws Exception {
        return new RecordedRun(TinyTask.run("kto", config(folder, loss, training), folder.resolve(name)));
    }

    static Stream<UnpairedLoss> losses() {
        return Stream.of(new UnpairedLoss.Kto(0.5, 1, 1), new UnpairedLoss.Bco(0.5));
    }

    /// The first loss follows from the papers: at the reference every reward and every baseline is 0.
    @ParameterizedTest
    @MethodSource("losses")
    void learnsWhatIsDesirable(UnpairedLoss loss) throws Exception {
        RecordedRun run = run("run", loss, TinyTask.optimisation(30, 8, 5e-3, 15));
        run.assertComplete("kto");
        double atReference = loss instanceof UnpairedLoss.Kto ? 0.5 : Math.log(2);
        assertEquals(atReference, run.metrics("kto").getFirst().get("loss").asDouble(), 1e-6);
        assertEquals(0, run.metrics("kto").getFirst().get("baseline").asDouble(), 1e-6);
        assertTrue(run.metrics("kto").getLast().get("loss").asDouble() < atReference - 0.1);
        assertTrue(run.fact("desirable_above_undesirable").get("low").asDouble() > 0.8);
        assertTrue(run.summary().get("title").asText().startsWith(loss.title()));
    }

    /// Completions are of different lengths, and so are prompts.
    @ParameterizedTest
    @MethodSource("losses")
    void partsOfABatchAddUpToTheWhole(UnpairedLoss loss) throws Exception {
        RecordedRun whole = run("whole", loss, TinyTask.optimisation(8, 8, 3e-3, 8));
        RecordedRun parts = run("parts", loss, TinyTask.optimisation(8, 3, 3e-3, 8));
        RecordedRun.assertClose(whole, parts, "kto", 1e-5);
    }

    @Test
    void whatHasNoLabelIsToldOfInOneLine() throws Exception {
        KtoRecipe.Config c = config(folder, new UnpairedLoss.Bco(1), TinyTask.optimisation(2, 2, 1e-3, 2));
        Path unlabelled = TinyTask.completions(folder.resolve("completions.jsonl"), 60, 2);
        var e = assertThrows(DataException.class, () -> TinyTask.run("kto", on(c, unlabelled), folder.resolve("run")));
        assertTrue(e.getMessage().startsWith(unlabelled + ": no completion is left to learn from"), e.getMessage());
        Path few = TinyTask.labelled(folder.resolve("few.jsonl"), 30, 2);
        var f = assertThrows(ConfigException.class, () -> TinyTask.run("kto", on(c, few), folder.resolve("run2")));
        assertEquals("held_out is 40, but " + few + " has only 30 examples", f.getMessage());
    }

    private static KtoRecipe.Config on(KtoRecipe.Config c, Path data) {
        return new KtoRecipe.Config(
                c.model(),
                data,
                c.loss(),
                c.adapter(),
                c.maxLength(),
                c.truncation(),
                c.heldOut(),
                c.sft(),
                c.training(),
                c.evaluation(),
                c.device(),
                c.threads(),
                c.seed());
    }

    @Test
    void weightsThatAreNoneAreRefused() {
        var e = assertThrows(IllegalArgumentException.class, () -> new UnpairedLoss.Kto(1, -1, 1));
        assertEquals("desirable_weight must be in [0.0, Infinity), was -1.0", e.getMessage());
        e = assertThrows(IllegalArgumentException.class, () -> new UnpairedLoss.Bco(0));
        assertEquals("beta must be finite and > 0, was 0.0", e.getMessage());
    }
}
