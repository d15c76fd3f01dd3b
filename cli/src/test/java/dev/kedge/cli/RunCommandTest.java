package dev.kedge.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.config.ConfigFile;
import dev.kedge.recipe.Recipes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
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

    @Test
    void aFinishedRunResumesToTheSameModel() throws IOException {
        run().fine();
        Path weights = folder.resolve("run/model/model.safetensors");
        byte[] before = Files.readAllBytes(weights);
        Files.delete(weights);
        Spoken.of("run", "--quiet", "--resume", "" + folder.resolve("run")).fine();
        assertEquals(-1, java.util.Arrays.mismatch(before, Files.readAllBytes(weights)));
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

    @Test
    void anUnknownRecipeNamesTheNearest() throws IOException {
        Files.writeString(recipe, Files.readString(recipe).replace("recipe: sft", "recipe: stf"));
        run().refused(2, "tiny.yaml", "stf", "sft");
    }

    @Test
    void filesThatAreNotThere() {
        Spoken.of("run", "nowhere.yaml").refused(2, "nowhere.yaml", "no such file");
        run("data=" + folder.resolve("none.jsonl")).refused(3, "none.jsonl");
        run("model=" + folder.resolve("none")).refused(2, "another configuration");
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
