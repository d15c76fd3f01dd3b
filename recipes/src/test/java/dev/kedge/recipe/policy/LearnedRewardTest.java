package dev.kedge.recipe.policy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.kedge.config.ConfigException;
import dev.kedge.data.task.Copying;
import dev.kedge.data.verify.Format;
import dev.kedge.data.verify.Verification;
import dev.kedge.recipe.RecordedRun;
import dev.kedge.recipe.TinyTask;
import dev.kedge.recipe.policy.AnswerDivergenceMethod.Regularizer;
import dev.kedge.run.Run;
import dev.kedge.run.RunFailedException;
import dev.kedge.run.Terminal;
import dev.kedge.run.TrainingConfig;
import dev.kedge.tensor.Device;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

public class LearnedRewardTest {
    private static final int STEPS = 8;

    @TempDir
    Path folder;

    /// Words to be copied by a decoder that has begun to understand.
    private static LearnedReward environment(int pairs, Optional<Verification> verifier, double learningRate) {
        return environment(pairs, verifier, TinyTask.optimisation(60, 8, 1e-2, 1000), learningRate);
    }

    public static LearnedReward environment(
            int pairs, Optional<Verification> verifier, TrainingConfig pretraining, double learningRate) {
        Environment.Generated truth = new Environment.Generated(
                new Copying("abcd", 2, 3, false), 0.7, 16, 1, 2, 2000, pretraining, 40, 10, verifier);
        return new LearnedReward(truth, pairs, TinyTask.optimisation(40, 8, learningRate, 7));
    }

    public static RlvrRecipe.Config config(Environment environment, int steps, int checkpointEvery) {
        return new RlvrRecipe.Config(
                environment,
                List.of(
                        new AnswerDivergenceMethod(new Regularizer.None(), 0.4),
                        new AnswerDivergenceMethod(new Regularizer.RootChiSquared(0.3), 0.4)),
                4,
                1,
                Truncated.JUDGED,
                TinyTask.optimisation(steps, 8, 3e-3, checkpointEvery),
                4,
                4,
                steps / 2,
                8,
                steps,
                "cpu",
                1,
                3);
    }

    private RecordedRun run(RlvrRecipe.Config config) throws IOException {
        return new RecordedRun(TinyTask.run("rlvr", config, Files.createTempDirectory(folder, "run")));
    }

    @Test
    void bothRewardsAreShown() throws Exception {
        RecordedRun run = run(config(environment(60, Optional.empty(), 3e-3), STEPS, STEPS));
        run.assertComplete("rlvr");
        for (String phase : List.of("ppo", "ppo-root-chi-squared")) {
            for (ObjectNode step : run.metrics(phase)) {
                double truth = step.get("reward/true").asDouble();
                assertTrue(truth > 0 && truth <= 1, "" + truth);
                assertTrue(step.get("right").asDouble() <= truth, "right is by the truth");
                assertTrue(step.get("reward").asDouble() != truth);
            }
            List<ObjectNode> heldOut = run.metrics("held_out-" + phase);
            assertEquals(2, heldOut.size());
            assertTrue(heldOut.getFirst().get("correlation").asDouble() > 0, "after four steps still close");
        }
        var summary = run.summary();
        assertTrue(summary.get("frontier").get("title").asText().startsWith("True reward"));
        assertEquals(2, summary.get("more_frontiers").size());
        var fall = summary.get("more_frontiers").get(0);
        assertEquals(2, fall.get("arms").size());
        assertEquals(3, fall.get("arms").get(0).get("points").size());
    }

    /// What it learned tells new answers of the start apart far better than chance; it is standardised over them.
    @Test
    void learnsFromPreferencesAndIsKept() throws Exception {
        var truth = environment(2, Optional.empty(), TinyTask.optimisation(200, 8, 1e-2, 1000), 3e-3)
                .base();
        var environment = new LearnedReward(truth, 400, TinyTask.optimisation(240, 8, 3e-3, 7));
        List<Score> scores = scores(environment, "first");
        double mean = scores.stream().mapToDouble(Score::reward).average().orElseThrow();
        double square = scores.stream()
                .mapToDouble(s -> s.reward() * s.reward())
                .average()
                .orElseThrow();
        assertEquals(0, mean, 0.3);
        assertEquals(1, square, 0.5);
        double right = scores.stream()
                .filter(Score::isRight)
                .mapToDouble(Score::reward)
                .average()
                .orElseThrow();
        double wrong = scores.stream()
                .filter(s -> !s.isRight())
                .mapToDouble(Score::reward)
                .average()
                .orElseThrow();
        long n = scores.stream().filter(Score::isRight).count();
        double error = Math.sqrt(1.0 / n + 1.0 / (scores.size() - n)); // of the difference, where deviations are 1
        assertTrue(right - wrong > 2 * error, right + " against " + wrong + ", within " + error);
        assertEquals(scores, scores(environment, "second"), "the second run reads what the first has learned");
    }

    private List<Score> scores(LearnedReward environment, String name) throws IOException {
        var config = config(environment, STEPS, STEPS);
        try (Run run = Run.start(folder.resolve(name), "rlvr", config, Terminal.quiet());
                Environment.Opened opened = environment.open(run, new Device("cpu"), 3)) {
            assertEquals(
                    name.equals("first"),
                    run.latest().map(c -> c.phase().equals("reward-model")).orElse(false));
            List<Question> asked = opened.training();
            return config.sampler(opened).sample(opened.start(), asked, 77).scores();
        }
    }

    /// The end of an answer is always read, whatever room there is.
    @Test
    void anAnswerEndsWhereThereIsRoom() {
        var tokenizer = TinyTask.TOKENIZER;
        var question = new Question(tokenizer.encode("ab"), "ab", "");
        int eos = tokenizer.eos().orElseThrow();
        int asked = question.prompt().length;
        int[] whole =
                RewardModel.read(question, "cde", tokenizer, eos, asked + 4).tokens();
        assertEquals("abcde", tokenizer.decode(whole));
        assertEquals(eos, whole[asked + 3]);
        int[] cut = RewardModel.read(question, "cde", tokenizer, eos, asked + 3).tokens();
        assertEquals("abcd", tokenizer.decode(cut));
        assertEquals(eos, cut[asked + 2]);
    }

    @Test
    void tooFewPairs() {
        var e = assertThrows(IllegalArgumentException.class, () -> environment(1, Optional.empty(), 1e-3));
        assertEquals("pairs must be >= 2, was 1", e.getMessage());
        LearnedReward one = environment(2, Optional.empty(), 1e-3);
        assertThrows(IllegalArgumentException.class, () -> new LearnedReward(one, 2, one.learning()), "no truth");
    }

    @Test
    void aCutOffAnswerCannotCountZero() {
        RlvrRecipe.Config c = config(environment(2, Optional.empty(), 1e-3), STEPS, STEPS);
        var e = assertThrows(
                IllegalArgumentException.class,
                () -> new RlvrRecipe.Config(
                        c.environment(),
                        c.methods(),
                        4,
                        1,
                        Truncated.WRONG,
                        c.training(),
                        4,
                        4,
                        4,
                        8,
                        STEPS,
                        "cpu",
                        1,
                        3));
        assertTrue(e.getMessage().endsWith("judged or masked would be right"), e.getMessage());
    }

    /// A truth that finds all answers equal prefers none.
    @Test
    void allPreferencesEqual() {
        var all = config(environment(10, Optional.of(new Format(".*")), 1e-3), STEPS, STEPS);
        String said = assertThrows(ConfigException.class, () -> run(all)).getMessage();
        assertEquals(
                "environment.pairs is 10, but of 500 pairs of the start's answers only 0 differ in true reward; fewer pairs,"
                        + " or a start that is sometimes right and sometimes wrong, would be right",
                said);
    }

    @Test
    void aRewardThatIsNotFinite() {
        var wild = config(environment(10, Optional.empty(), 1e30), STEPS, STEPS);
        var e = assertThrows(RuntimeException.class, () -> run(wild));
        assertTrue(e instanceof RunFailedException || e instanceof ConfigException, e.toString());
        assertFalse(e.getMessage().contains("\n"), e.getMessage());
    }
}
