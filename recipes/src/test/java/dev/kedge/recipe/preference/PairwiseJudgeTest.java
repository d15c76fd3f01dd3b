package dev.kedge.recipe.preference;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.kedge.env.PreferenceOracle;
import dev.kedge.env.PreferenceOracle.AnswerPair;
import dev.kedge.recipe.QuickstartRecipe;
import dev.kedge.recipe.TinyTask;
import dev.kedge.run.Run;
import dev.kedge.run.Terminal;
import dev.kedge.task.ArithmeticTask;
import dev.kedge.tensor.Device;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PairwiseJudgeTest {
    @TempDir
    Path folder;

    private Run run;
    private ArithmeticTask task;

    @BeforeEach
    void makeAWorld() {
        var o = TinyTask.optimisation(1, 8, 1e-2, 1);
        var config = new QuickstartRecipe.Config(
                new ArithmeticTask.Config(29, 0.4, 16, 1, 2, 8, o, 12), 1, 2, o, List.of(1.0), "cpu", 1, 3);
        run = Run.start(folder.resolve("run"), "quickstart", config, Terminal.quiet());
        task = new ArithmeticTask(config.task(), run, Device.CPU, 3);
    }

    @AfterEach
    void close() {
        task.close();
        run.close();
    }

    /// How often one answer beats another, in both places.
    private void beats(double expected, PreferenceOracle judge, String prompt, int[] first, int[] second) {
        AnswerPair pair = new AnswerPair(task.tokenizer().encode(prompt), first, second);
        double[] wins = judge.firstWins(List.of(pair, pair.swapped()));
        assertEquals(expected, wins[0], 1e-15);
        assertEquals(1 - expected, wins[1], 1e-15);
    }

    private int[] answer(String text) {
        return task.answer(text);
    }

    @Test
    void theExactJudgeKnowsTheSum() {
        var judge = new PairwiseJudge.Exact(2).open(task, run, 3).oracle();
        double right = 1 / (1 + Math.exp(-2));
        beats(right, judge, "17+25=", answer("42"), answer("41"));
        beats(right, judge, "17+25=", answer("42"), answer(""));
        beats(right, judge, "17+25=", answer("42"), task.tokenizer().encodeOrdinary("42")); // has no end
        beats(0.5, judge, "17+25=", answer("24"), answer("4+"));
        beats(right, judge, "3+4=", answer("7"), answer("42"));
    }

    @Test
    void theGameOfFirstDigitsIsACircle() {
        var judge = new PairwiseJudge.Game(0.9).open(task, run, 3).oracle();
        beats(0.9, judge, "17+25=", answer("35"), answer("42"));
        beats(0.9, judge, "17+25=", answer("4"), answer("25"));
        beats(0.9, judge, "17+25=", answer("51"), answer("60"));
        beats(0.5, judge, "17+25=", answer("12"), answer("4"));
        beats(1, judge, "17+25=", answer("42"), answer("4+"));
        beats(1, judge, "17+25=", answer("42"), answer(""));
        beats(0.5, judge, "17+25=", answer("+"), task.tokenizer().encodeOrdinary("42"));
    }
}
