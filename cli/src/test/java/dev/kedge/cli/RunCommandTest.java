package dev.kedge.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.config.ConfigFile;
import dev.kedge.recipe.Recipes;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class RunCommandTest {
    @TempDir
    Path folder;

    private Path model;
    private Path data;
    private Path recipe;

    @BeforeEach
    void files() throws IOException {
        model = TinyFiles.model(folder.resolve("model"));
        data = TinyFiles.completions(folder.resolve("data.jsonl"));
        recipe = TinyFiles.sft(folder.resolve("tiny.yaml"), model, data);
    }

    private Spoken run(String... overrides) {
        List<String> arguments = Stream.concat(
                        Stream.of("run", "--quiet", "--out", "" + folder.resolve("run"), "" + recipe),
                        Stream.of(overrides))
                .toList();
        return Spoken.of(arguments.toArray(String[]::new));
    }

    @Test
    void runsTellsTheVerdictAndWritesAReport() {
        Spoken spoken = run().fine();
        assertTrue(spoken.out().startsWith("Held-out loss went from "), spoken.out());
        Path report = Path.of(spoken.out().lines().toList().getLast().replace("report: ", ""));
        assertTrue(Files.exists(report), report.toString());
    }

    private static Map<String, String> contents(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            Map<String, String> contents = new TreeMap<>();
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                contents.put("" + folder.relativize(file), HexFormat.of().formatHex(Files.readAllBytes(file)));
            }
            return contents;
        }
    }

    /// However one asks for it to go on, and whatever became of its data.
    @Test
    void aFinishedRunIsSaidToBeAndNoByteOfItChanges() throws IOException {
        run().fine();
        Path there = folder.resolve("run");
        Map<String, String> before = contents(there);
        String said = there + " is finished: " + there.resolve("report.html") + System.lineSeparator();
        assertEquals(said, Spoken.of("run", "--resume", "" + there).fine().out());
        assertEquals(said, run().fine().out());
        Files.delete(data);
        assertEquals(said, Spoken.of("run", "--resume", "" + there).fine().out());
        assertEquals(said, run().fine().out());
        assertEquals(before, contents(there));
    }

    /// A run that failed goes on; other data is refused, and nothing of the run is lost.
    @Test
    void aFailedRunGoesOnWithWhatItStartedWith() throws IOException {
        run("training.learning_rate=1e30").refused(4, "became");
        Path there = folder.resolve("run");
        Map<String, String> before = contents(there);
        String records = Files.readString(data);
        Files.writeString(data, records.replace("cd", "dc"));
        Spoken.of("run", "--quiet", "--resume", "" + there).refused(2, data + " is ", ", was ", "start a new run");
        Files.delete(data);
        Spoken.of("run", "--quiet", "--resume", "" + there).refused(2, data + " is absent, was ");
        assertEquals(before, contents(there));
        Files.writeString(data, records);
        Spoken.of("run", "--quiet", "--resume", "" + there).refused(4, "became");
    }

    /// Paths are from where the run was started.
    @Test
    void aRunResumesFromAnotherDirectory() throws Exception {
        Path elsewhere = Files.createDirectory(folder.resolve("elsewhere"));
        TinyFiles.sft(recipe, Path.of("model"), Path.of("data.jsonl"));
        spokenIn(folder, "run", "--quiet", "--out", "run", "tiny.yaml");
        String config = Files.readString(folder.resolve("run/config.yaml"));
        assertTrue(config.contains("model: " + model) && config.contains("data: " + data), config);
        Files.delete(folder.resolve("run/summary.json")); // as if it had been killed before its end
        spokenIn(elsewhere, "run", "--quiet", "--resume", "../run");
        assertTrue(Files.readString(folder.resolve("run/summary.json")).contains("finished"));
    }

    private static void spokenIn(Path directory, String... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                Main.class.getName()));
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command)
                .directory(directory.toFile())
                .redirectErrorStream(true)
                .start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), said);
    }

    @Test
    void anUnknownKeyNamesTheNearest() {
        run("training.learning_rat=1").refused(2, "learning_rat", "learning_rate");
    }

    @Test
    void aValueOfTheWrongType() {
        run("training.steps=many").refused(2, "steps", "many");
        run("training.steps=2.5").refused(2, "steps", "2.5");
        run("truncation=cut").refused(2, "truncation", "cut", "keep_prompt_end");
        run("held_out=0").refused(2, "held_out", "0");
    }

    /// LibTorch was loaded in this process before; `PortableRunTest` has fresh ones.
    @Test
    void portableNeedsOneThreadAndAFreshProcess() {
        run("portable=true", "threads=2").refused(2, "threads", "must be 1", "`portable`");
        run("portable=true").refused(2, "`portable` cannot be true");
        assertFalse(Files.exists(folder.resolve("run")));
    }

    @Test
    void anUnknownRecipeNamesTheNearest() throws IOException {
        Files.writeString(recipe, Files.readString(recipe).replace("recipe: sft", "recipe: stf"));
        run().refused(2, "tiny.yaml", "stf", "sft");
    }

    @Test
    void filesThatAreNotThere() {
        Spoken.of("run", "nowhere.yaml").refused(2, "nowhere.yaml", "no such file");
        run("data=" + folder.resolve("none.jsonl")).refused(3, "none.jsonl", "no such file", "`data`");
        run("model=" + folder.resolve("none")).refused(3, folder.resolve("none") + ": ", "`model`");
        assertFalse(Files.exists(folder.resolve("run")));
        run().fine();
        run("seed=2").refused(2, "another configuration");
        Spoken.of("run", "--resume", "" + folder.resolve("nothing")).refused(2, "nothing", "is no run");
        Spoken.of(
                        "run",
                        "--quiet",
                        "--out",
                        "" + folder.resolve("run2"),
                        "" + recipe,
                        "model=" + folder.resolve("none"))
                .refused(3, "none");
    }

    @Test
    void aDamagedModel() throws IOException {
        Path weights = model.resolve("model.safetensors");
        Files.write(weights, java.util.Arrays.copyOf(Files.readAllBytes(weights), 500));
        run().refused(3, "model.safetensors");
    }

    @Test
    void dataWithoutOneGoodLineNamesFileAndLine() throws IOException {
        Files.writeString(data, "{\"prompt\": \"ab \", \"completion\": \n");
        run().refused(3, "data.jsonl", "line 1");
    }

    @Test
    void numbersThatBreakEndTheRun() throws IOException {
        run("training.learning_rate=1e30").refused(4, "became", "at step", "of sft");
        assertTrue(Files.readString(folder.resolve("run/summary.json")).contains("failed"));
    }

    @Test
    void alphaWithoutItsDivergence() throws IOException {
        Spoken.of("run", "--print-config", "f-dpo", "loss.alpha=0.5")
                .refused(
                        2,
                        "override loss.alpha=0.5",
                        "alpha belongs to the alpha divergence",
                        "divergence is jensen_shannon");
        Spoken.of("run", "--print-config", "f-dpo", "loss.alpha=0.5", "loss.divergence=alpha")
                .fine();
    }

    static Stream<Path> recipes() throws IOException {
        try (Stream<Path> files = Files.list(Installation.recipes())) {
            return files.filter(f -> f.toString().endsWith(".yaml")).sorted().toList().stream();
        }
    }

    @ParameterizedTest
    @MethodSource("recipes")
    void everyRecipeParsesAndWhatIsPrintedReadsBack(Path file) {
        Spoken spoken = Spoken.of("run", "--print-config", "" + file).fine();
        ConfigFile printed = ConfigFile.parse("printed", spoken.out(), List.of());
        assertEquals(Recipes.config(ConfigFile.open(file, List.of())), Recipes.config(printed));
        assertFalse(Files.exists(folder.resolve("runs")), "nothing runs");
        String name = file.getFileName().toString().replace(".yaml", "");
        assertEquals(
                spoken.out(), Spoken.of("run", "--print-config", name).fine().out(), "by its name");
    }

    @ParameterizedTest
    @MethodSource("recipes")
    void noRecipeTakesMoreThreadsThanThereCanBe(Path file) {
        Spoken.of("run", "--print-config", "" + file, "threads=100000")
                .refused(2, "threads=100000", "threads must be from 1 to 1024, was 100000");
        Spoken.of("run", "--print-config", "" + file, "threads=0").refused(2, "threads", "was 0");
    }

    @Test
    void aRankThatNoUpdateCanHave() {
        run("adapter={rank: 100000, alpha: 16}")
                .refused(
                        2,
                        "rank 100000 is more than the 16 that an update of layers.0.attention.qkv.weight with 48 x 16");
        Spoken.of("run", "--print-config", "" + recipe, "adapter={rank: 0, alpha: 16}")
                .refused(2, "rank >= 1", "0 and 16");
    }

    @Test
    void mainIsTheRecipeWhereNoneIsNamed() {
        assertEquals(
                Spoken.of("run", "--print-config", "quickstart").fine().out(),
                Spoken.of("run", "--print-config").fine().out());
    }
}
