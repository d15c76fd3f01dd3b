package dev.kedge.example;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// The examples on the pages of packages compile, and print what the comment behind each `println` says.
class PackagePagesTest {
    private static final Path ROOT = Path.of(System.getProperty("kedge.root"));
    private static final Pattern BLOCK = Pattern.compile("(?s)/// ```java\n(.*?)/// ```");
    private static final Pattern PRINTED = Pattern.compile("println\\(.*\\); // (.*)");

    record Page(String name, String code) {
        @Override
        public String toString() {
            return name;
        }
    }

    static List<Page> pages() throws IOException {
        return packageInfos().stream().flatMap(PackagePagesTest::examples).toList();
    }

    private static List<Path> packageInfos() throws IOException {
        List<Path> found = new ArrayList<>();
        try (var rooms = Files.newDirectoryStream(ROOT)) {
            for (Path room : rooms) {
                Path sources = room.resolve("src/main/java");
                if (Files.isDirectory(sources)) {
                    try (Stream<Path> files = Files.walk(sources)) {
                        files.filter(file -> file.endsWith("package-info.java")).forEach(found::add);
                    }
                }
            }
        }
        found.sort(null);
        return found;
    }

    private static Stream<Page> examples(Path file) {
        try {
            return BLOCK.matcher(Files.readString(file))
                    .results()
                    .map(block -> new Page(
                            ROOT.relativize(file).toString(), block.group(1).replaceAll("(?m)^/// ?", "")));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @ParameterizedTest
    @MethodSource("pages")
    void says(Page page, @TempDir Path folder) throws Exception {
        Path source = folder.resolve("Example.java");
        Files.writeString(
                source,
                imports() + "public class Example { public static void main(String[] args) " + "throws Exception {\n"
                        + page.code() + "} }\n");
        StringWriter messages = new StringWriter();
        var compiler = ToolProvider.getSystemJavaCompiler();
        boolean compiled;
        try (var manager = compiler.getStandardFileManager(null, null, null)) {
            compiled = compiler.getTask(
                            messages,
                            manager,
                            null,
                            List.of("-proc:none", "-d", folder.toString()),
                            null,
                            manager.getJavaFileObjects(source))
                    .call();
        }
        assertTrue(compiled, messages::toString);
        String expected = PRINTED.matcher(page.code())
                .results()
                .map((MatchResult line) -> line.group(1) + "\n")
                .collect(Collectors.joining());
        assertTrue(!expected.isEmpty(), "an example shows nothing");
        assertEquals(expected, ran(folder));
    }

    /// All packages with a page, so that an example needs no lines for imports.
    private static String imports() throws IOException {
        return packageInfos().stream()
                .map(file -> file.getParent().toString().replace('\\', '/'))
                .map(folder -> folder.replaceAll(".*src/main/java/", "").replace('/', '.'))
                .filter(PackagePagesTest::isOnTheClassPath)
                .map(name -> "import " + name + ".*;\n")
                .collect(Collectors.joining("", "import module java.base;\n", ""));
    }

    private static boolean isOnTheClassPath(String name) {
        return PackagePagesTest.class.getClassLoader().getResource(name.replace('.', '/')) != null;
    }

    private static String ran(Path folder) throws Exception {
        PrintStream before = System.out;
        var out = new ByteArrayOutputStream();
        try (var loader = new URLClassLoader(
                        new URL[] {folder.toUri().toURL()}, PackagePagesTest.class.getClassLoader());
                PrintStream captured = new PrintStream(out, true, StandardCharsets.UTF_8)) {
            System.setOut(captured);
            loader.loadClass("Example").getMethod("main", String[].class).invoke(null, (Object) new String[0]);
        } finally {
            System.setOut(before);
        }
        return out.toString(StandardCharsets.UTF_8).replace(System.lineSeparator(), "\n");
    }
}
