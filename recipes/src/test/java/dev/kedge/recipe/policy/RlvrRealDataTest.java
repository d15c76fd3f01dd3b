package dev.kedge.recipe.policy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.kedge.data.verify.Boxed;
import dev.kedge.data.verify.Extraction;
import dev.kedge.data.verify.Format;
import dev.kedge.data.verify.Gsm8k;
import dev.kedge.data.verify.Verification;
import dev.kedge.data.verify.WeightedSum;
import dev.kedge.recipe.RecordedRun;
import dev.kedge.recipe.TinyTask;
import dev.kedge.run.TrainingConfig;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// GSM8K and MATH with a real model that cannot solve them: the way is there, and a reward that it can reach is learnt.
class RlvrRealDataTest {
    private static final Path DATA = Path.of(System.getProperty("kedge.data.dir", "../../shared/data"));

    @TempDir
    Path folder;

    private RecordedRun run(Path data, String question, Verification right, Extraction vote, int steps)
            throws Exception {
        Path model = DATA.resolve("stories260k/stories260K.bin");
        for (Path needed : List.of(model, data)) {
            assumeTrue(
                    Files.exists(needed),
                    "needs " + needed.normalize()
                            + ", which is not microBatch of the project: -Dkedge.data.dir=FOLDER says where it is");
        }
        WeightedSum verifier = new WeightedSum(List.of(
                new WeightedSum.Part("right", 1.0, right),
                new WeightedSum.Part("vowel", 0.1, new Format(".*(?:[aeiou].*){7}"))));
        Environment.File environment = new Environment.File(
                model, data, question, "answer", Optional.of("{question} So"), verifier, vote, 8, 40, 4);
        TrainingConfig o = TinyTask.optimisation(steps, 4, 2e-3, steps);
        var config = new RlvrRecipe.Config(
                environment,
                List.of(new GrpoMethod(0.2, 0)),
                4,
                1,
                Truncated.JUDGED,
                o,
                1,
                1,
                steps,
                2,
                5,
                "cpu",
                1,
                3);
        RecordedRun run = new RecordedRun(TinyTask.run("rlvr", config, Files.createTempDirectory(folder, "run")));
        run.assertComplete("rlvr");
        assertEquals(steps, run.metrics("grpo").size());
        for (var step : run.metrics("grpo")) {
            assertTrue(step.get("sampler/difference").asDouble() < 1e-4);
            assertEquals(0, step.get("unjudged").asInt());
        }
        return run;
    }

    /// Words with vowels come to be written more often, by far more than the standard error.
    @Test
    void gsm8k() throws Exception {
        RecordedRun run = run(DATA.resolve("gsm8k/train.jsonl"), "question", new Gsm8k(), Extraction.GSM8K, 16);
        double[] rewards = run.metrics("grpo").stream()
                .mapToDouble(m -> m.get("reward").asDouble())
                .toArray();
        double before = Arrays.stream(rewards, 0, 4).average().orElseThrow();
        double after = Arrays.stream(rewards, 12, 16).average().orElseThrow();
        double error = 0.1 * Math.sqrt(2 * 0.25 / (4 * 32));
        assertTrue(after - before > 3 * error, "from " + before + " to " + after);
    }

    @Test
    void math() throws Exception {
        run(DATA.resolve("math/math500_test.jsonl"), "problem", new Boxed(), Extraction.BOXED, 2);
    }
}
