package dev.kedge.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// What is written is the same on every machine: nothing takes digits, signs or letters from the default locale.
final class LocaleTest {
    private static final Path ROOT = Path.of(System.getProperty("kedge.root"));

    /// Calls that take the default locale where none is named.
    private static final Pattern WITHOUT = Pattern.compile("\\.formatted\\("
            + "|String\\.format\\((?!\\s*Locale\\.)"
            + "|\\.printf\\((?!\\s*Locale\\.)"
            + "|\\.to(?:Lower|Upper)Case\\(\\)"
            + "|(?:Number|Decimal|Message)Format\\b(?!Exception)"
            + "|ofPattern\\([^,)]*\\)"
            + "|ofLocalized");

    @Test
    void everyFormatNamesItsLocale() throws IOException {
        List<String> found = new ArrayList<>();
        int files = 0;
        for (Path file : sources()) {
            String text = Files.readString(file);
            WITHOUT.matcher(text)
                    .results()
                    .map(m -> ROOT.relativize(file) + ":"
                            + (1 + text.substring(0, m.start()).lines().count()) + " " + m.group())
                    .forEach(found::add);
            files++;
        }
        assertEquals(List.of(), found);
        assertTrue(files > 300, "only " + files + " files");
    }

    private static List<Path> sources() throws IOException {
        List<Path> sources = new ArrayList<>();
        try (DirectoryStream<Path> rooms = Files.newDirectoryStream(ROOT, f -> Files.isDirectory(main(f)))) {
            for (Path room : rooms) {
                try (Stream<Path> files = Files.walk(main(room))) {
                    files.filter(f -> f.toString().endsWith(".java")).forEach(sources::add);
                }
            }
        }
        return sources;
    }

    private static Path main(Path room) {
        return room.resolve("src").resolve("main").resolve("java");
    }
}
