package dev.kedge.example;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.config.ConfigException;
import dev.kedge.data.Preference;
import dev.kedge.nn.lm.Generator.StopReason;
import dev.kedge.run.Run;
import dev.kedge.run.Terminal;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The examples do what they say.
class ExamplesTest {
    /// `σ(0.5 h) = 3/4` at `h = 2 log 3`: answer 0 is nine times as likely as answer 1. What was not compared gets no
    /// gradient, and AdamW moves the logits of a pair equally far apart, so answers 2 and 3 lie at their
    /// geometric mean.
    @Test
    void aLoopOfOnesOwnComesToTheOptimumOfDpo() {
        assertArrayEquals(new double[] {9 / 16.0, 1 / 16.0, 3 / 16.0, 3 / 16.0}, ObjectiveInOwnLoop.learn(1000), 1e-9);
    }

    @Test
    void dpoOnOnesOwnPairsLearnsThem() {
        var preferences = List.of(Preference.of("is it so? ", "yes.", "no."), Preference.of("never? ", "no.", "yes."));
        assertArrayEquals(new double[2], DpoOnOwnPairs.learn(preferences, 0)); // it is its reference
        assertTrue(Arrays.stream(DpoOnOwnPairs.learn(preferences, 30)).allMatch(margin -> margin > 0));
    }

    @Test
    void aVerifierOfOnesOwnIsObeyed() {
        double[] rewards = GrpoWithOwnVerifier.learn(text -> text.startsWith("b") ? 1 : 0, 40);
        double before = Arrays.stream(rewards, 0, 5).average().orElseThrow();
        double after = Arrays.stream(rewards, 35, 40).average().orElseThrow();
        assertTrue(after > before + 0.3, before + " to " + after);
    }

    @Test
    void whatIsStreamedIsWhatWasDrawn() {
        StringBuilder streamed = new StringBuilder();
        var completion = StreamingGeneration.continued("once", 12, streamed::append);
        int length = completion.tokens().length;
        assertTrue(completion.reason() == StopReason.LENGTH ? length == 12 : length <= 12, completion.toString());
        // Ids 0 to 2 are special and give no text; letters follow, then the space.
        StringBuilder whole = new StringBuilder();
        for (int id : completion.tokens()) {
            whole.append(id < 3 ? "" : "abcdefghijklmnopqrstuvwxyz ".substring(id - 3, id - 2));
        }
        assertEquals(whole.toString(), streamed.toString());
    }

    @Test
    void aRecipeOfOnesOwnResumesToTheSameBits(@TempDir Path folder) throws IOException {
        double whole;
        try (Run run = CustomRecipe.start(folder.resolve("whole"), List.of())) {
            whole = CustomRecipe.learn(run);
        }
        assertEquals(3, whole, 1e-3);

        Path stopped = folder.resolve("stopped");
        try (Run run = CustomRecipe.start(stopped, List.of())) {
            CustomRecipe.learn(run);
        }
        try (var files = Files.walk(stopped.resolve("checkpoints/step-200"))) { // as if killed after step 150
            for (Path file : files.sorted((a, b) -> b.compareTo(a)).toList()) {
                Files.delete(file);
            }
        }
        try (Run run = Run.resume(stopped, Terminal.quiet())) {
            assertEquals(150, run.latest().orElseThrow().step());
            assertEquals(whole, CustomRecipe.learn(run));
        }
        assertEquals(200, Files.readAllLines(stopped.resolve("metrics.jsonl")).size());
    }

    @Test
    void aRecipeOfOnesOwnRefusesWhatItDoesNotKnow(@TempDir Path folder) {
        var e = assertThrows(ConfigException.class, () -> CustomRecipe.start(folder.resolve("run"), List.of("slop=2")));
        assertTrue(e.getMessage().contains("slop") && e.getMessage().contains("slope"), e.getMessage());
        e = assertThrows(ConfigException.class, () -> CustomRecipe.start(folder.resolve("run"), List.of("slope=-1")));
        assertTrue(e.getMessage().contains("slope must be"), e.getMessage());
    }

    @Test
    void mainsSayWhatCameOfIt(@TempDir Path folder) {
        assertTrue(said(() -> ObjectiveInOwnLoop.main(new String[0])).startsWith("[0.5"));
        assertTrue(said(() -> DpoOnOwnPairs.main(new String[0])).matches("\\[\\d\\S+, \\d\\S+]\n"));
        assertEquals(40, said(() -> GrpoWithOwnVerifier.main(new String[0])).split(",").length);
        assertTrue(said(() -> StreamingGeneration.main(new String[0]))
                .matches("(?s).*\n\\d+ tokens, ended by (LENGTH|END)\n"));
        String[] args = {folder.resolve("line").toString(), "slope=2"};
        String slope = said(() -> CustomRecipe.main(args)).replace("learnt a slope of ", "");
        assertEquals(2, Double.parseDouble(slope), 1e-3);
    }

    @Test
    void examplesStandOnTheListedSurfaceAlone() throws IOException {
        Path root = Path.of(System.getProperty("kedge.root"));
        var listed = Set.copyOf(Files.readAllLines(root.resolve("docs/api.txt")));
        try (var files = Files.list(root.resolve("examples/src/main/java/dev/kedge/example"))) {
            for (Path file : files.toList()) {
                for (String line : Files.readAllLines(file)) {
                    if (line.startsWith("import dev.kedge.")) {
                        String type = line.substring("import ".length(), line.length() - 1);
                        assertTrue(isListed(listed, type), () -> file.getFileName() + " uses " + type);
                    }
                }
            }
        }
    }

    /// By its name, its package's, or as a member of one that is.
    private static boolean isListed(Set<String> listed, String type) {
        String outer = type.substring(0, type.lastIndexOf('.'));
        return listed.contains(type) || listed.contains(outer + ".*") || listed.contains(outer);
    }

    private static String said(Runnable main) {
        PrintStream before = System.out;
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (PrintStream captured = new PrintStream(out, true, StandardCharsets.UTF_8)) {
            System.setOut(captured);
            main.run();
        } finally {
            System.setOut(before);
        }
        return out.toString(StandardCharsets.UTF_8).replace(System.lineSeparator(), "\n");
    }
}
