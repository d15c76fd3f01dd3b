package dev.kedge.recipe.policy;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.kedge.config.ConfigException;
import dev.kedge.data.task.Copying;
import dev.kedge.data.verify.Custom;
import dev.kedge.data.verify.Endpoint;
import dev.kedge.data.verify.Extraction;
import dev.kedge.data.verify.Gsm8k;
import dev.kedge.data.verify.Verification;
import dev.kedge.data.verify.Verifier;
import dev.kedge.data.verify.VerifierQuestion;
import dev.kedge.recipe.RecordedRun;
import dev.kedge.recipe.TinyTask;
import dev.kedge.run.TrainingConfig;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Whatever a verifier does, each step is done, and what it gave no reward is counted and shown.
class RlvrTroubleTest {
    private static final int STEPS = 12;

    @TempDir
    Path folder;

    /// Throws, gives NaN, or a reward, as the completion begins.
    public static final class Moody implements Verifier {
        @Override
        public double reward(VerifierQuestion question, String completion) {
            if (completion.startsWith("a")) {
                throw new IllegalStateException("a is not my letter");
            }
            return completion.startsWith("b") ? Double.NaN : completion.length() / 4.0;
        }
    }

    private RlvrRecipe.Config config(Verification verifier) {
        Environment.Generated environment = new Environment.Generated(
                new Copying("abcd", 2, 3, false),
                0.7,
                16,
                1,
                2,
                500,
                TinyTask.optimisation(5, 8, 1e-2, 100),
                20,
                4,
                Optional.of(verifier));
        return new RlvrRecipe.Config(
                environment,
                List.of(new GrpoMethod(0.2, 0), new DapoMethod(0.2, 0.28, 0, 2)),
                2,
                1.0,
                Truncated.JUDGED,
                TinyTask.optimisation(STEPS, 8, 1e-2, 4),
                1,
                1,
                STEPS,
                2,
                4,
                "cpu",
                1,
                3);
    }

    private RecordedRun run(RlvrRecipe.Config config) throws IOException {
        return new RecordedRun(TinyTask.run("rlvr", config, Files.createTempDirectory(folder, "run")));
    }

    @Test
    void aVerifierThatThrowsOrGivesNanLosesNoStep() throws Exception {
        RecordedRun run = run(config(new Custom(Moody.class.getName())));
        run.assertComplete("rlvr");
        List<ObjectNode> steps = run.metrics("grpo");
        assertEquals(STEPS, steps.size());
        double unjudged =
                steps.stream().mapToDouble(m -> m.get("unjudged").asDouble()).sum();
        assertTrue(unjudged > 0 && unjudged < STEPS * 16, unjudged + " of " + STEPS * 16);
        assertTrue(steps.stream().anyMatch(m -> m.path("grad_norm").asDouble() > 0));
        String log = Files.readString(run.folder().resolve("log.txt"));
        assertTrue(log.contains("completions have no reward, their groups not learnt from (first: "), log);
        assertTrue(log.contains("a is not my letter") || log.contains("must be finite"), log);
    }

    /// Nobody listens: nothing is learnt, nothing fails, and the policy stays what it was.
    @Test
    void anEndpointThatIsDownLosesNoStep() throws Exception {
        int port;
        try (ServerSocket closedAtOnce = new ServerSocket(0)) {
            port = closedAtOnce.getLocalPort();
        }
        Endpoint down = new Endpoint(
                "http://127.0.0.1:" + port + "/", Optional.empty(), Optional.empty(), Optional.of(1.0), Optional.of(0));
        RecordedRun run = run(config(down));
        run.assertComplete("rlvr");
        List<ObjectNode> steps = run.metrics("grpo");
        assertEquals(STEPS, steps.size());
        for (ObjectNode step : steps) {
            assertEquals(16, step.get("unjudged").asInt());
            assertFalse(step.has("grad_norm"));
        }
        String log = Files.readString(run.folder().resolve("log.txt"));
        assertTrue(log.contains("16 of 16 completions have no reward"), log);
        for (ObjectNode step : run.metrics("dapo")) {
            assertEquals(3 * 16, step.get("unjudged").asInt(), "asked anew twice");
            assertFalse(step.has("grad_norm"));
        }
        byte[] model = Files.readAllBytes(run.folder().resolve("model/model.safetensors"));
        try (var models = Files.walk(folder.resolve("models"))) {
            Path start = models.filter(p -> p.endsWith("model.safetensors"))
                    .findFirst()
                    .orElseThrow();
            assertArrayEquals(Files.readAllBytes(start), model);
        }
    }

    /// What a file of questions lacks is said in one line.
    @Test
    void questionsThatCannotBeAsked() throws IOException {
        Path model = TinyTask.model(folder.resolve("start"), 1);
        Path data = Files.writeString(
                folder.resolve("questions.jsonl"),
                "{\"question\": \"a b\", \"answer\": \"#### 1\"}\n".repeat(3)
                        + "{\"question\": \"" + "abcd ".repeat(20) + "\", \"answer\": \"#### 2\"}\n"
                        + "{\"question\": \"c\"}\n");
        TrainingConfig o = TinyTask.optimisation(2, 8, 1e-2, 2);
        Environment.File environment = new Environment.File(
                model, data, "question", "answer", Optional.empty(), new Gsm8k(), Extraction.GSM8K, 4, 10, 2);
        var config = new RlvrRecipe.Config(
                environment, List.of(new GrpoMethod(0.2, 0)), 2, 1, Truncated.WRONG, o, 1, 1, 2, 2, 1, "cpu", 1, 3);
        RecordedRun run = run(config);
        run.assertComplete("rlvr");
        String log = Files.readString(run.folder().resolve("log.txt"));
        assertTrue(log.contains("left out: 1 questions that with 4 tokens of an answer do not fit"), log);
        assertTrue(log.contains("positions (first at " + data + ", line 4)"), log);
        assertTrue(log.contains("questions.jsonl, line 5"), log);
        assertEquals(1, run.metrics("grpo").getFirst().get("groups/equal").asDouble(), "nobody gives a number");

        Environment.File greedy = new Environment.File(
                model, data, "question", "answer", Optional.empty(), new Gsm8k(), Extraction.GSM8K, 4, 10, 3);
        var tooMany = new RlvrRecipe.Config(
                greedy, List.of(new GrpoMethod(0.2, 0)), 2, 1, Truncated.WRONG, o, 1, 1, 2, 2, 1, "cpu", 1, 3);
        String said = assertThrows(ConfigException.class, () -> run(tooMany)).getMessage();
        assertTrue(said.startsWith("held_out is 3, but ") && said.contains("has only 3 questions"), said);
        assertEquals(
                "prompt must contain {question}, was \"Q:\"",
                assertThrows(
                                IllegalArgumentException.class,
                                () -> new Environment.File(
                                        model,
                                        data,
                                        "question",
                                        "answer",
                                        Optional.of("Q:"),
                                        new Gsm8k(),
                                        Extraction.GSM8K,
                                        4,
                                        10,
                                        2))
                        .getMessage());
    }
}
