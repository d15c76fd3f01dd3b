package dev.kedge.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.config.ConfigException;
import dev.kedge.nn.file.InvalidFileException;
import dev.kedge.run.result.Summary;
import dev.kedge.tensor.Engine;
import dev.kedge.tensor.Platform;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A run goes on with what it started with, or not at all.
class ProvenanceTest {
    record Config(Path model, Path data, int threads) {}

    record Bare(int steps) {}

    @TempDir
    Path folder;

    private Path model;
    private Path data;
    private Path run;

    @BeforeEach
    void files() throws IOException {
        model = Files.createDirectory(folder.resolve("model"));
        Files.writeString(model.resolve("config.json"), "{}");
        Files.writeString(model.resolve("tokenizer.json"), "[]");
        data = Files.writeString(folder.resolve("data.jsonl"), "abc");
        run = folder.resolve("run");
    }

    private Run start() {
        return Run.start(run, "tiny", new Config(model, data, 1), Terminal.quiet());
    }

    /// A run with a checkpoint, a step beyond it, and a summary.
    private void begun() {
        try (Run begun = start()) {
            begun.log("fit", 1, Map.of("loss", 1.0));
            begun.save(Checkpoint.at("fit", 1));
            begun.log("fit", 2, Map.of("loss", 0.5));
            begun.fail("stopped");
        }
    }

    private static Map<String, String> contents(Path folder) throws IOException {
        try (var files = Files.walk(folder)) {
            return files.filter(Files::isRegularFile)
                    .collect(Collectors.toMap(
                            file -> folder.relativize(file).toString(),
                            ProvenanceTest::sum,
                            (a, _) -> a,
                            TreeMap::new));
        }
    }

    private static String sum(Path file) {
        try {
            return Durable.sha256(file);
        } catch (IOException e) {
            throw Durable.failure(file, "cannot be read", e);
        }
    }

    /// Both ways to go on are refused with one line, and the run stays as it was to the byte.
    private void refused(String... words) throws IOException {
        Map<String, String> before = contents(run);
        for (Runnable way : new Runnable[] {() -> Run.resume(run, Terminal.quiet()), this::start}) {
            String message = assertThrows(ConfigException.class, way::run).getMessage();
            assertEquals(1, message.lines().count(), message);
            for (String word : words) {
                assertTrue(message.contains(word), () -> "\"" + word + "\" is not in: " + message);
            }
            assertEquals(before, contents(run));
        }
    }

    @Test
    void otherDataIsRefusedWithBothChecksums() throws IOException {
        begun();
        String then = Durable.sha256(data);
        Files.writeString(data, "abd");
        refused(data.toString(), then, Durable.sha256(data), "start a new run");
        Files.writeString(data, "abc");
        try (Run again = start()) {
            assertEquals(1, again.latest().orElseThrow().step());
        }
    }

    @Test
    void dataThatMovedIsRefused() throws IOException {
        begun();
        Files.move(data, folder.resolve("elsewhere.jsonl"));
        refused(data + " is absent, was " + Durable.sha256(folder.resolve("elsewhere.jsonl")));
    }

    @Test
    void everyFileOfAModelCounts() throws IOException {
        begun();
        Files.writeString(model.resolve("tokenizer.json"), "{}");
        refused(model.resolve("tokenizer.json").toString());
        Files.writeString(model.resolve("tokenizer.json"), "[]");
        Files.writeString(model.resolve("generation_config.json"), "{}");
        refused(model.resolve("generation_config.json").toString(), "was absent");
        Files.delete(model.resolve("generation_config.json"));
        Files.writeString(model.resolve(".gitattributes"), "no part of a model");
        start().close();
    }

    /// An adapter is a model only with its base.
    @Test
    void theBaseOfAnAdapterCounts() throws IOException {
        Path base = model;
        model = Files.createDirectory(folder.resolve("adapter"));
        Files.writeString(model.resolve("adapter_config.json"), "{\"base_model_name_or_path\": \"../model\"}");
        begun();
        start().close();
        Files.writeString(base.resolve("config.json"), "{ }");
        refused(base.resolve("config.json").toString());
    }

    /// The tokenizer of a llama2.c model lies beside it; other models there are none of its business.
    @Test
    void theTokenizerBesideALlamaCFileCounts() throws IOException {
        Files.delete(model.resolve("config.json"));
        model = Files.writeString(model.resolve("stories.bin"), "weights");
        Path tokenizer = Files.writeString(folder.resolve("model/tok512.bin"), "pieces");
        begun();
        Files.writeString(folder.resolve("model/other.bin"), "weights");
        start().close();
        Files.writeString(tokenizer, "others");
        refused(tokenizer.toString());
    }

    @Test
    void anotherConfigurationInTheFolderIsRefused() throws IOException {
        begun();
        Path config = run.resolve("config.yaml");
        Files.writeString(config, Files.readString(config).replace("threads: 1", "threads: 2"));
        String message = assertThrows(ConfigException.class, () -> Run.resume(run, Terminal.quiet()))
                .getMessage();
        assertTrue(message.contains("`threads` is 1 there, 2 here"), message);
    }

    @Test
    void anotherVersionAndOtherKernelsAreRefusedWithBoth() throws IOException {
        begun();
        Path file = run.resolve(Provenance.NAME);
        String written = Files.readString(file);
        Files.writeString(file, written.replace(Engine.version(), "1.13.1-1.5.9"));
        refused("LibTorch is " + Engine.version() + ", was 1.13.1-1.5.9");
        Files.writeString(file, written.replace("\"" + Run.KEDGE_VERSION + "\"", "\"0.0.1\""));
        refused("Kedge is " + Run.KEDGE_VERSION + ", was 0.0.1");
        String kernels = Platform.here().kernelsInWords();
        Files.writeString(file, written.replace(kernels, "others"));
        refused("the engine's computation is " + kernels + ", was others");
    }

    /// Where the configuration does not say how many threads there are, those of the engine count.
    @Test
    void anotherNumberOfEngineThreadsIsRefusedWithBoth() {
        int threads = Engine.threads();
        Run.start(run, "tiny", new Bare(1), Terminal.quiet()).close();
        try {
            Engine.useThreads(threads + 1);
            String message = assertThrows(ConfigException.class, () -> Run.resume(run, Terminal.quiet()))
                    .getMessage();
            assertTrue(message.contains("engine threads is " + (threads + 1) + ", was " + threads), message);
        } finally {
            Engine.useThreads(threads);
        }
        Run.resume(run, Terminal.quiet()).close();
    }

    @Test
    void whatIsNotKnownIsNotGoneOnWith() throws IOException {
        begun();
        Files.delete(run.resolve(Provenance.NAME));
        refused(run + ": has no provenance.json");
    }

    @Test
    void aFinishedRunIsSaidToBeAndStaysAsItIs() throws IOException {
        try (Run finished = start()) {
            finished.log("fit", 1, Map.of("loss", 1.0));
            finished.log("eval", 1, Map.of("loss", 1.0));
            finished.summarise(Summary.of("tiny", Summary.Status.FINISHED, 1).verdict("well"));
        }
        Files.delete(data);
        Map<String, String> before = contents(run);
        for (Runnable way : new Runnable[] {() -> Run.resume(run, Terminal.quiet()), this::start}) {
            var e = assertThrows(RunFinishedException.class, way::run);
            assertEquals(run + ": the run is finished", e.getMessage());
            assertEquals(before, contents(run));
        }
        assertThrows(
                ConfigException.class,
                () -> Run.start(run, "tiny", new Config(model, model, 1), Terminal.quiet()),
                "another configuration is another run");
    }

    @Test
    void aFileThatIsNotThereLeavesNoFolder() throws IOException {
        Files.delete(data);
        for (Runnable way : new Runnable[] {
            this::start,
            () -> Run.startNew(folder.resolve("runs"), "tiny", new Config(model, data, 1), Terminal.quiet())
        }) {
            var e = assertThrows(InvalidFileException.class, way::run);
            assertEquals(data + ": no such file or folder, which `data` names", e.getMessage());
        }
        assertFalse(Files.exists(run));
        assertFalse(Files.exists(folder.resolve("runs")));
    }

    @Test
    void theVersionIsTheBuilds() throws IOException {
        assertTrue(Files.readString(Path.of("../pom.xml"))
                .contains("<artifactId>kedge</artifactId>\n  <version>" + Run.KEDGE_VERSION + "-SNAPSHOT</version>"));
    }
}
