package dev.kedge.task;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.data.TokenizedPair;
import dev.kedge.recipe.TinyTask;
import dev.kedge.run.Run;
import dev.kedge.run.Terminal;
import dev.kedge.run.TrainingConfig;
import dev.kedge.tensor.Device;
import java.nio.IntBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DelayedRewardTaskTest {
    @Test
    void aPromiseCountsByWhatFollows() {
        assertEquals(0, DelayedRewardTask.reward(""));
        assertEquals(-1, DelayedRewardTask.reward("B"));
        assertEquals(1, DelayedRewardTask.reward("Bcb"));
        assertEquals(-1, DelayedRewardTask.reward("bBc"), "kept before it was given");
        assertEquals(2, DelayedRewardTask.reward("BBb"), "one letter keeps both");
        assertEquals(0, DelayedRewardTask.reward("BbB"));
        assertEquals(1 + 2 * DelayedRewardTask.COUNT, DelayedRewardTask.reward("aAca"));
        assertEquals(1, DelayedRewardTask.kept("aAca"), 1e-12);
        assertEquals(-1, DelayedRewardTask.kept("aaB"), 1e-12);
        assertEquals(3, DelayedRewardTask.made("aABcaA"));
    }

    @Test
    void lettersWalkOnARing() {
        var config = new DelayedRewardTask.Config(7, 0.25, 3, 5, 16, 1, 2, 10, TinyTask.optimisation(2, 8, 1e-3, 2), 2);
        String text = DelayedRewardTask.text(config, 4000, new SplittableRandom(1));
        assertEquals(4000, text.length());
        assertEquals(0.25, text.chars().filter(Character::isUpperCase).count() / 4000.0, 0.03);
        String walk = text.replaceAll("[A-Z]", "");
        for (int i = 1; i < walk.length(); i++) {
            int pace = Math.floorMod(walk.charAt(i) - walk.charAt(i - 1), 7);
            assertTrue(pace == 1 || pace == 2 || pace == 5 || pace == 6, walk.substring(i - 1, i + 1));
        }
    }

    /// Prompts are four symbols, of which a few hundred pairs draw nearly all.
    @Test
    void noPairHasAPromptThatIsHeldOut(@TempDir Path folder) {
        TrainingConfig two = TinyTask.optimisation(2, 8, 1e-3, 2);
        var config = new DelayedRewardTask.Config(5, 0.25, 3, 5, 16, 1, 2, 10, two, 100);
        try (Run run = Run.start(folder.resolve("run"), "genarm", config, Terminal.quiet());
                DelayedRewardTask task = new DelayedRewardTask(config, run, Device.CPU, 1)) {
            Set<IntBuffer> held = task.heldOut().stream().map(IntBuffer::wrap).collect(Collectors.toSet());
            List<TokenizedPair> pairs =
                    task.pairs(400, List.of(DelayedRewardTask::reward)).getFirst();
            assertEquals(400, pairs.size());
            for (TokenizedPair pair : pairs) {
                assertFalse(held.contains(IntBuffer.wrap(pair.chosen().prompt())));
            }
        }
    }
}
