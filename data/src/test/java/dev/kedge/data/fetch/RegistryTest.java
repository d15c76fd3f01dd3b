package dev.kedge.data.fetch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.data.RealData;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class RegistryTest {
    private static final Path FOLDER = Path.of("some", "folder");

    private final Registry registry = Registry.load();

    @Test
    void everyEntryIsWhole() {
        Set<String> names = new HashSet<>();
        for (Entry entry : registry.entries()) {
            assertTrue(names.add(entry.name()), entry.name());
            assertTrue(entry.name().matches("[a-z0-9_]+"), entry.name());
            assertFalse(
                    entry.what().isBlank()
                            || entry.licence().isBlank()
                            || entry.origin().isBlank(),
                    entry.name());
            assertFalse(entry.files().isEmpty(), entry.name());
            Set<String> paths = new HashSet<>();
            for (Entry.Item item : entry.files()) {
                assertTrue(paths.add(item.path()), item.path());
                Path path = Path.of(item.path());
                assertEquals(path.normalize(), path);
                assertFalse(path.isAbsolute() || path.startsWith(".."), item.path());
                assertTrue(item.bytes() > 0 && item.sha256().matches("[0-9a-f]{64}"), item.path());
                item.address().ifPresent(address -> assertEquals("https", address.getScheme(), item.path()));
                assertFalse(item.verified() && item.address().isEmpty(), item.path());
            }
        }
    }

    /// An address that names no revision may serve other bytes tomorrow: it is verified only where its owner promises
    /// the sum.
    @Test
    void verifiedAddressesArePinned() {
        for (Entry entry : registry.entries()) {
            for (Entry.Item item : entry.files()) {
                String address = item.address().map(Object::toString).orElse("");
                if (item.verified() && !address.startsWith("https://openaipublic.blob.core.windows.net/")) {
                    assertTrue(address.matches(".*/[0-9a-f]{40}/.*"), address);
                }
            }
        }
    }

    @Test
    void whatOnlyAMirrorBringsSaysWhy() {
        for (Entry entry : registry.entries()) {
            if (entry.files().stream().anyMatch(item -> item.address().isEmpty())) {
                assertTrue(entry.origin().toLowerCase().contains("mirror only"), entry.name());
            }
            if (entry.files().stream().anyMatch(item -> item.address().isPresent() && !item.verified())) {
                assertTrue(entry.origin().contains("not verified"), entry.name());
            }
        }
    }

    @Test
    void thePathSaysWhichEntryBringsIt() {
        assertEquals(Optional.of("hh_rlhf"), bringing(FOLDER.resolve("hh_rlhf/harmless-base-test.jsonl.gz")));
        assertEquals(Optional.of("hh_rlhf"), bringing(FOLDER.resolve("hh_rlhf")));
        assertEquals(Optional.of("hh_rlhf"), bringing(FOLDER.resolve("../folder/hh_rlhf/")));
        assertEquals(Optional.of("hh_rlhf"), bringing(FOLDER.resolve("hh_rlhf").toAbsolutePath()));
        assertEquals(Optional.of("tokenizers"), bringing(FOLDER.resolve("tokenizers/gpt2")));
        assertEquals(Optional.empty(), bringing(FOLDER.resolve("hh_rlhf/other.jsonl")));
        assertEquals(Optional.empty(), bringing(FOLDER.resolve("hh")));
        assertEquals(Optional.empty(), bringing(FOLDER));
        assertEquals(Optional.empty(), bringing(Path.of("hh_rlhf")));
        assertEquals(Optional.empty(), bringing(FOLDER.resolve("hh_rlhf/..")));
    }

    private Optional<String> bringing(Path path) {
        return registry.bringing(path, FOLDER).map(Entry::name);
    }

    @Test
    void everyRecipeNamesWhatAnEntryBrings() throws IOException {
        Pattern fetched = Pattern.compile(Fetched.FOLDER + "/[^\\s]+");
        int found = 0;
        try (Stream<Path> files = Files.list(Path.of(System.getProperty("kedge.root"), "recipes"))) {
            for (Path file : files.filter(f -> f.toString().endsWith(".yaml")).toList()) {
                Matcher paths = fetched.matcher(Files.readString(file));
                while (paths.find()) {
                    Path path = Path.of(paths.group());
                    assertTrue(registry.bringing(path, Fetched.FOLDER).isPresent(), file + ": " + path);
                    found++;
                }
            }
        }
        assertTrue(found > 10, "paths found in recipes: " + found);
    }

    @Test
    void sumsAreThoseOfTheRealFiles() throws IOException {
        for (Entry entry : registry.entries()) {
            for (Entry.Item item : entry.files()) {
                Path file = RealData.file(entry.name() + "/" + item.path());
                assertTrue(WholeFile.is(file, item), file.toString());
            }
        }
    }
}
