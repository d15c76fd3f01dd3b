package dev.kedge.data.fetch;

import dev.kedge.data.fetch.Entry.Item;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// What was fetched: each entry of the registry has a folder of its name.
///
/// A mirror is a folder with the same layout. What it has is copied from there, silently, by whoever asks for a path:
/// only the network waits for `./kedge fetch`.
///
/// @param folder  where entries lie
/// @param mirrors where files are looked for, in this order, before the network is asked
public record Fetched(Registry registry, Path folder, List<Path> mirrors) {
    /// Where entries lie, below the working directory.
    public static final Path FOLDER = Path.of("data", "fetched");

    private static final Path BESIDE = Path.of("..", "shared", "data");

    /// Told, as a file comes, how many of its bytes are here.
    public interface Progress {
        void arrived(Item item, long bytes);
    }

    /// How much of an entry is here.
    public enum State {
        HERE,
        PARTLY,
        ABSENT
    }

    public Fetched {
        mirrors = List.copyOf(mirrors);
    }

    /// The entries in [#FOLDER], with the mirrors given, the one that `KEDGE_MIRROR` names, and the folder
    /// `../shared/data`, as far as they exist.
    ///
    /// @throws IllegalArgumentException if a mirror that is named is no folder
    public static Fetched here(Map<String, String> environment, Optional<Path> given) {
        Optional<Path> set = Optional.ofNullable(environment.get("KEDGE_MIRROR"))
                .filter(value -> !value.isBlank())
                .map(Path::of);
        requireFolder("--mirror", given);
        requireFolder("KEDGE_MIRROR", set);
        List<Path> mirrors = Stream.of(given, set, Optional.of(BESIDE).filter(Files::isDirectory))
                .flatMap(Optional::stream)
                .toList();
        return new Fetched(Registry.load(), FOLDER, mirrors);
    }

    private static void requireFolder(String setting, Optional<Path> mirror) {
        mirror.filter(folder -> !Files.isDirectory(folder)).ifPresent(folder -> {
            throw new IllegalArgumentException(setting + ": " + folder + " is no folder");
        });
    }

    /// `path` itself, where what a registry's entry has there is now in [#FOLDER], copied from a mirror if need be. Any
    /// other path is given back as it is, there or not.
    ///
    /// @throws FetchException if an entry brings it and it is not there: the message says the one command to run
    public static Path resolve(Path path) {
        Path whole = path.toAbsolutePath().normalize();
        if (whole.startsWith(FOLDER.toAbsolutePath().normalize())) {
            here(System.getenv(), Optional.empty()).require(path);
        }
        return path;
    }

    /// As [#resolve], in this folder.
    void require(Path path) {
        registry.bringing(path, folder).ifPresent(entry -> {
            missing(entry, entry.files()).forEach(item -> fromMirror(entry, item));
            missing(entry, entry.at(path, home(entry))).findFirst().ifPresent(item -> {
                String problem = Files.exists(path) ? "lacks " + item.path() : "is not there";
                throw new FetchException(path + ": " + problem + "; run: ./kedge fetch " + entry.name());
            });
        });
    }

    private Stream<Item> missing(Entry entry, List<Item> items) {
        return items.stream().filter(item -> !Files.exists(target(entry, item)));
    }

    /// The folder of an entry.
    public Path home(Entry entry) {
        return folder.resolve(entry.name());
    }

    private Path target(Entry entry, Item item) {
        return home(entry).resolve(item.path());
    }

    /// How much of an entry is here, by names and sizes.
    public State state(Entry entry) {
        long there = entry.files().stream()
                .filter(item -> target(entry, item).toFile().length() == item.bytes())
                .count();
        return there == 0 ? State.ABSENT : there == entry.files().size() ? State.HERE : State.PARTLY;
    }

    /// Brings what is missing of an entry, or is there with other bytes, from a mirror or else from its publisher.
    ///
    /// @return how many files were brought
    /// @throws FetchException if a file cannot be had, or is not what the registry says. Files before it stay; what
    ///                        only a mirror has comes last
    public int fetch(Entry entry, Network network, Progress progress) {
        int brought = 0;
        List<Item> addressedFirst = entry.files().stream()
                .sorted(Comparator.comparing(item -> item.address().isEmpty()))
                .toList();
        for (Item item : addressedFirst) {
            Path target = target(entry, item);
            try {
                if (WholeFile.is(target, item)) {
                    continue;
                }
                if (!fromMirror(entry, item)) {
                    if (item.address().isEmpty()) {
                        throw new FetchException(target + ": only a mirror can bring it (--mirror DIR, with "
                                + entry.name() + "/" + item.path() + " in it). " + entry.origin());
                    }
                    network.bring(item, target, bytes -> progress.arrived(item, bytes));
                }
                brought++;
            } catch (IOException e) {
                throw new FetchException(target + ": cannot be written: " + e, e);
            }
        }
        return brought;
    }

    private boolean fromMirror(Entry entry, Item item) {
        for (Path mirror : mirrors) {
            Path from = mirror.resolve(entry.name()).resolve(item.path());
            if (Files.isRegularFile(from)) {
                try {
                    WholeFile.copy(from, item, target(entry, item));
                    return true;
                } catch (IOException e) {
                    throw new FetchException(from + ": cannot be copied to " + target(entry, item) + ": " + e, e);
                }
            }
        }
        return false;
    }
}
