package dev.kedge.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.kedge.text.CharTokenizer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The launcher itself, in a folder of its own where everything counts as built.
class LauncherTest {
    @TempDir
    Path folder;

    @BeforeEach
    void launcher() throws IOException {
        assumeTrue(Files.isExecutable(Path.of("/bin/bash")), "the launcher is a bash script");
        Path root = Files.createDirectory(folder.resolve("root"));
        Files.copy(Path.of(System.getProperty("kedge.root", ".."), "kedge"), root.resolve("kedge"));
        Files.createDirectories(root.resolve("cli/src/main"));
        Files.createDirectories(root.resolve("cli/target"));
        Files.createFile(root.resolve("pom.xml"));
        Files.createFile(root.resolve("cli/pom.xml"));
        Files.writeString(root.resolve("cli/target/kedge.natives"), "cpu\n");
        String classPath = System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
        Files.writeString(root.resolve("cli/target/kedge.classpath"), classPath);
    }

    /// Runs a script, whose bytes are UTF-8 whatever the locale of this JVM is.
    ///
    /// @return all it said
    private String script(int expected, String text) throws IOException, InterruptedException {
        Path script = Files.writeString(folder.resolve("script"), text);
        ProcessBuilder process = new ProcessBuilder("/bin/bash", script.toString());
        process.environment().put("JAVA_HOME", System.getProperty("java.home"));
        // Folders, which the class path of a test has, cannot go into an archive.
        process.environment().put("KEDGE_JAVA_OPTS", "-XX:TieredStopAtLevel=1 -XX:-AutoCreateSharedArchive");
        process.environment().keySet().removeIf(name -> name.startsWith("LC_") || name.equals("LANG"));
        Process child =
                process.directory(folder.toFile()).redirectErrorStream(true).start();
        String said = new String(child.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(expected, child.waitFor(), said);
        return said;
    }

    @Test
    void anAsciiLocaleManglesNothing() throws Exception {
        Path model = TinyFiles.model(folder.resolve("model"), CharTokenizer.of("aäöü "));
        Path data = Files.writeString(
                folder.resolve("data.jsonl"), "{\"prompt\": \"äa \", \"completion\": \"öü\"}\n".repeat(20));
        TinyFiles.sft(folder.resolve("tiny.yaml"), model, data);
        String said = script(0, """
                export LC_ALL=POSIX
                mkdir läufe && mv model modèle && mv data.jsonl données.jsonl && mv tiny.yaml жёлтый.yaml
                root/kedge run --quiet --out läufe/première жёлтый.yaml model=modèle data=données.jsonl &&
                    grep 'run läufe/première' läufe/première/log.txt &&
                    grep 'données.jsonl' läufe/première/config.yaml &&
                    grep -o 'äa' läufe/première/summary.json &&
                    root/kedge generate --model modèle --prompt 'üä' --max-tokens 1
                """);
        assertTrue(said.contains("report: läufe/première/report.html\n"), said);
        assertTrue(said.contains("\nüä"), said);
    }

    @Test
    void aClassOfOnesOwnIsFoundAndAFullHeapTold() throws Exception {
        Path source =
                Files.writeString(Files.createDirectory(folder.resolve("mine")).resolve("Hoarder.java"), """
                import dev.kedge.data.verify.*;
                import java.util.*;
                public final class Hoarder implements Verifier {
                    private static final List<Object> HOARD = new ArrayList<>();
                    public Hoarder() {
                        while (true) {
                            HOARD.add(new long[64]);
                        }
                    }
                    public double reward(VerifierQuestion question, String completion) {
                        return 0;
                    }
                }
                """);
        String classPath = System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
        int compiled = ToolProvider.getSystemJavaCompiler()
                .run(null, null, null, "-proc:none", "-cp", classPath, source.toString());
        assertEquals(0, compiled);
        Path recipe = folder.resolve("tiny.yaml");
        Files.writeString(
                recipe,
                Files.readString(Installation.recipes().resolve("grpo.yaml"))
                        .replaceFirst(
                                "(?m)^  kind: generated$", "$0\n  verifier: {kind: custom, class_name: Hoarder}"));
        String said = script(1, """
                export KEDGE_CLASSPATH=mine
                root/kedge -Xmx48m run --quiet --out full tiny.yaml environment.examples=1000 \\
                    environment.pretraining.steps=1 training.steps=1
                """);
        List<String> lines = said.lines().toList();
        assertEquals(1, lines.size(), said);
        assertTrue(lines.getFirst().contains("the Java heap of 4"), said);
        assertTrue(lines.getFirst().contains("-Xmx1g"), said);
        assertTrue(Files.readString(folder.resolve("full/summary.json")).contains("\"failed\""));
        assertTrue(Files.readString(folder.resolve("full/log.txt")).contains("OutOfMemoryError"));
    }
}
