package dev.kedge.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// `docs/api.txt` lists the types that programs may build on; packages that are for Kedge alone say so on their page.
class PublicSurfaceTest {
    private static final Path ROOT = Path.of(System.getProperty("kedge.root"));
    private static final String MARK = "Internal";

    /// A package is internal where its page says so, or that of a package above it.
    private static Set<String> internalPackages() throws IOException {
        Set<String> internal = new TreeSet<>();
        try (var rooms = Files.newDirectoryStream(ROOT)) {
            for (Path room : rooms) {
                Path sources = room.resolve("src/main/java");
                if (Files.isDirectory(sources)) {
                    try (Stream<Path> files = Files.walk(sources)) {
                        for (Path page : files.filter(f -> f.endsWith("package-info.java"))
                                .toList()) {
                            if (Files.readString(page).contains(MARK)) {
                                internal.add(sources.relativize(page.getParent())
                                        .toString()
                                        .replace('\\', '/')
                                        .replace('/', '.'));
                            }
                        }
                    }
                }
            }
        }
        return internal;
    }

    private static boolean isPublic(JavaClass type) {
        return type.getModifiers().contains(JavaModifier.PUBLIC) && type.isTopLevelClass();
    }

    /// Every objective is for users: their packages stand in the list, so that a new loss is no new line there.
    private static String listed(JavaClass type) {
        String room = type.getPackageName();
        return room.startsWith("dev.kedge.objective.") ? room + ".*" : type.getName();
    }

    private static Set<String> publicTypes() throws IOException {
        Set<String> internal = internalPackages();
        return new ClassFileImporter()
                .withImportOption(new ImportOption.DoNotIncludeTests()).importPackages("dev.kedge").stream()
                        .filter(PublicSurfaceTest::isPublic)
                        .filter(type ->
                                internal.stream().noneMatch(p -> (type.getPackageName() + ".").startsWith(p + ".")))
                        .map(PublicSurfaceTest::listed)
                        .collect(Collectors.toCollection(TreeSet::new));
    }

    @Test
    void publicTypesAreThoseListed() throws IOException {
        Set<String> there = publicTypes();
        Path written =
                Files.write(Files.createDirectories(ROOT.resolve("cli/target")).resolve("api.txt"), there);
        List<String> lines = Files.readAllLines(ROOT.resolve("docs/api.txt"));
        Set<String> listed = new TreeSet<>(lines);
        Set<String> appeared = new TreeSet<>(there);
        appeared.removeAll(listed);
        Set<String> vanished = new TreeSet<>(listed);
        vanished.removeAll(there);
        assertTrue(
                appeared.isEmpty() && vanished.isEmpty(),
                () -> "public types that docs/api.txt does not list: " + appeared + "; listed and not there: "
                        + vanished + "; make them package-private, or if it is meant: cp " + written + " "
                        + ROOT.resolve("docs/api.txt"));
        assertEquals(List.copyOf(listed), lines, "docs/api.txt is sorted, each type once");
    }

    @Test
    void whatIsReachedByCommandsIsMarkedInternal() throws IOException {
        assertTrue(internalPackages()
                .containsAll(Set.of(
                        "dev.kedge.bench",
                        "dev.kedge.cli",
                        "dev.kedge.lab",
                        "dev.kedge.recipe",
                        "dev.kedge.reproduction")));
    }
}
