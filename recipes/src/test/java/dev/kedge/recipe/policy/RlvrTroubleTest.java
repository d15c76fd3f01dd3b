package dev.kedge.recipe.policy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.kedge.config.ConfigException;
import dev.kedge.data.Split;
import dev.kedge.data.task.Copying;
import dev.kedge.data.task.Problem;
import dev.kedge.data.task.ProblemSplit;
import dev.kedge.data.verify.Custom;
import dev.kedge.data.verify.Endpoint;
import dev.kedge.data.verify.Extraction;
import dev.kedge.data.verify.Gsm8k;
import dev.kedge.data.verify.Verification;
import dev.kedge.data.verify.Verifier;
import dev.kedge.data.verify.VerifierQuestion;
import dev.kedge.objective.selection.QuantileTransform;
import dev.kedge.recipe.RecordedRun;
import dev.kedge.recipe.TinyTask;
import dev.kedge.run.Run;
import dev.kedge.run.RunFailedException;
import dev.kedge.run.Terminal;
import dev.kedge.run.TrainingConfig;
import dev.kedge.run.result.Summary;
import dev.kedge.tensor.Device;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
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

    /// Rewards all that is learnt from, and fails at answers to held-out questions.
    public static final class Unprepared implements Verifier {
        @Override
        public double reward(VerifierQuestion question, String completion) {
            if (ProblemSplit.of(new Problem(question.prompt())) == ProblemSplit.HELD_OUT) {
                throw new IllegalStateException("nobody told me of this");
            }
            return new Copying("abcd", 2, 3, false).reward(new Problem(question.prompt()), completion);
        }
    }

    private static Environment.Generated environment(Verification verifier) {
        return new Environment.Generated(
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
    }

    private static RlvrRecipe.Config config(Environment environment, PolicyMethod... methods) {
        return new RlvrRecipe.Config(
                environment,
                List.of(methods),
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

    private static void assertNoNan(RecordedRun run) throws IOException {
        for (String file : List.of("metrics.jsonl", "summary.json")) {
            String text = Files.readString(run.folder().resolve(file));
            assertFalse(
                    text.contains("\"NaN\"") || text.contains("Infinity\""),
                    text); // how numbers that are none are written
        }
    }

    private static String notes(RecordedRun run) throws IOException {
        return run.summary().get("notes").toString();
    }

    @Test
    void aVerifierThatThrowsOrGivesNanLosesNoStep() throws Exception {
        RecordedRun run = run(config(
                environment(new Custom(Moody.class.getName())),
                new GrpoMethod(0.2, 0),
                new DapoMethod(0.2, 0.28, 0, 2)));
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

    /// Held out as in training: what was judged counts, what was not is counted and said.
    @Test
    void meansAreOverWhatWasJudged() throws Exception {
        RecordedRun run = run(config(environment(new Custom(Moody.class.getName())), new GrpoMethod(0.2, 0)));
        assertNoNan(run);
        JsonNode fact = run.fact("held_out_answers_not_judged");
        assertTrue(fact.get("value").asInt() > 0 && fact.get("value").asInt() < 16, fact.toString());
        assertTrue(fact.get("note").asText().matches("[0-9]+ of 16; first: .+"), fact.toString());
        assertTrue(notes(run).contains("Held-out answers that could not be judged: the start "), notes(run));
        // What it rewards is a quarter of a letter at least, unless nothing was said.
        double reward = run.metrics("held_out-grpo").getLast().get("reward").asDouble();
        assertTrue(reward > 0, "of judged answers alone: " + reward);
    }

    /// A verifier that was there for training alone: the run ends, and says no number of what was not judged.
    @Test
    void whatCouldNotBeJudgedHasNoNumber() throws Exception {
        RecordedRun run = run(config(
                environment(new Custom(Unprepared.class.getName())),
                new GrpoMethod(0.2, 0),
                new InfalignMethod(new QuantileTransform.Identity(), 0.1, 4, 2)));
        run.assertComplete("rlvr");
        assertNoNan(run);
        ObjectNode held = run.metrics("held_out-grpo").getLast();
        for (String name : List.of("reward", "solved", "right", "win/any", "win/best")) {
            assertFalse(held.has(name), name + " in " + held);
        }
        assertTrue(held.has("kl") && held.has("length") && held.get("unjudged").asInt() == 8, held.toString());
        String verdict = run.summary().get("verdict").asText();
        assertTrue(
                verdict.startsWith("Mean reward of answers drawn to held-out questions: the start could not be judged;"
                        + " after 12 steps GRPO could not be judged, at "),
                verdict);
        assertTrue(verdict.contains("InfAlign identity could not be judged"), verdict);
        assertFalse(verdict.matches(".*single answers: [^;]*[0-9].*"), verdict);
        assertEquals(1, run.summary().get("comparisons").size(), "length alone");
        assertFalse(run.summary().get("frontier").toString().contains("\"points\""), "no point of what is not judged");
        assertFalse(run.summary().get("frontier").has("optimum"));
        assertFalse(run.summary().get("samples").toString().contains("reward_"));
        assertEquals(24, run.fact("held_out_answers_not_judged").get("value").asInt());
        assertTrue(
                notes(run)
                        .contains(
                                "the start 8 of 8, GRPO 8 of 8, InfAlign identity 8 of 8 (first: IllegalStateException:"
                                        + " nobody told me of this)"),
                notes(run));
    }

    /// The same of a reward that is learned: it is there, the truth is not.
    @Test
    void whereTheTruthIsNotKnownNothingIsSaidOfIt() throws Exception {
        var proxy = new LearnedReward(
                environment(new Custom(Unprepared.class.getName())), 8, TinyTask.optimisation(3, 8, 1e-2, 100));
        RecordedRun run = run(config(proxy, new GrpoMethod(0.2, 0)));
        run.assertComplete("rlvr");
        assertNoNan(run);
        ObjectNode held = run.metrics("held_out-grpo").getLast();
        assertTrue(held.has("reward"), held.toString());
        for (String name : List.of("reward/true", "correlation", "solved", "right")) {
            assertFalse(held.has(name), name + " in " + held);
        }
        String verdict = run.summary().get("verdict").asText();
        assertTrue(verdict.contains("the start has none that was judged ("), verdict);
        assertEquals(16, run.fact("held_out_answers_not_judged").get("value").asInt());
        assertFalse(run.summary().get("facts").toString().contains("early_stopping"));
    }

    /// Nobody listens: each step is done, nothing is learnt, and the run fails, also where it goes on.
    @Test
    void aRunOfWhichNoGroupWasJudgedFails() throws Exception {
        int port;
        try (ServerSocket closedAtOnce = new ServerSocket(0)) {
            port = closedAtOnce.getLocalPort();
        }
        Endpoint down = new Endpoint(
                "http://127.0.0.1:" + port + "/", Optional.empty(), Optional.empty(), Optional.of(1.0), Optional.of(0));
        RlvrRecipe.Config config = config(environment(down), new DapoMethod(0.2, 0.28, 0, 2));
        RecordedRun run = new RecordedRun(folder.resolve("down"));
        for (int time = 0; time < 2; time++) {
            String said = assertThrows(RunFailedException.class, () -> TinyTask.run("rlvr", config, run.folder()))
                    .getMessage();
            assertTrue(
                    said.startsWith(
                            "of 288 groups of answers in dapo none was judged, so that nothing was learnt (first:"
                                    + " http://127.0.0.1:" + port + "/: ConnectException)"),
                    said);
            assertEquals(1, said.lines().count());
            assertEquals("failed", run.summary().get("status").asText());
            assertTrue(notes(run).contains("of 288 groups of answers in dapo none was judged"), notes(run));
            List<ObjectNode> steps = run.metrics("dapo");
            assertEquals(STEPS, steps.size());
            for (ObjectNode step : steps) {
                assertEquals(3 * 16, step.get("unjudged").asInt(), "asked anew twice");
                assertFalse(step.has("grad_norm") || step.has("reward") || step.has("right"), step.toString());
            }
            assertFalse(Files.exists(run.folder().resolve("model")));
        }
        String log = Files.readString(run.folder().resolve("log.txt"));
        assertTrue(log.contains("48 of 48 completions have no reward"), log);
    }

    /// Each question three times: none is learnt from and held out, and the run says that they repeat.
    @Test
    void aQuestionThatStandsAgainStaysOnOneSide() throws IOException {
        Path model = TinyTask.model(folder.resolve("start"), 1);
        Path data = Files.writeString(
                folder.resolve("questions.jsonl"),
                "abcdef"
                        .chars()
                        .mapToObj(c -> "{\"question\": \"" + (char) c + "\", \"answer\": \"#### 1\"}\n")
                        .collect(Collectors.joining())
                        .repeat(3));
        Environment.File environment = new Environment.File(
                model, data, "question", "answer", Optional.empty(), new Gsm8k(), Extraction.GSM8K, 4, 100, 4);
        String said = "12 of 18 records of questions.jsonl repeat an earlier prompt: kept on one side";
        try (Run run = Run.start(folder.resolve("run"), "rlvr", environment, Terminal.quiet())) {
            for (int seed = 0; seed < 5; seed++) {
                try (Environment.Opened opened = environment.open(run, Device.CPU, seed)) {
                    assertEquals(3, opened.heldOut().size());
                    assertEquals(15, opened.training().size());
                    assertEquals(0, Split.shared(opened.training(), opened.heldOut(), Question::text));
                }
            }
            assertTrue(Files.readString(run.folder().resolve("log.txt")).contains(said));
            run.summarise(Summary.of("rlvr", Summary.Status.FINISHED, 1));
            assertTrue(Files.readString(run.folder().resolve("summary.json")).contains(said));
            Files.writeString(data, "{\"question\": \"a\", \"answer\": \"#### 1\"}\n".repeat(7));
            try (Environment.Opened opened = environment.open(run, Device.CPU, 1)) {
                assertEquals(4, opened.heldOut().size());
            }
            assertTrue(Files.readString(run.folder().resolve("log.txt"))
                    .contains("all 7 records of questions.jsonl have one prompt"));
        }
    }

    /// What a file of questions lacks is said in one line.
    @Test
    void questionsThatCannotBeAsked() throws IOException {
        Path model = TinyTask.model(folder.resolve("start"), 1);
        Path data = Files.writeString(
                folder.resolve("questions.jsonl"),
                "{\"question\": \"a b\", \"answer\": \"#### 1\"}\n{\"question\": \"a c\", \"answer\": \"#### 1\"}\n"
                        + "{\"question\": \"a d\", \"answer\": \"#### 1\"}\n{\"question\": \"" + "abcd ".repeat(20)
                        + "\", \"answer\": \"#### 2\"}\n"
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
