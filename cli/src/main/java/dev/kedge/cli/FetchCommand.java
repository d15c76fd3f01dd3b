package dev.kedge.cli;

import dev.kedge.config.ConfigException;
import dev.kedge.data.fetch.Entry;
import dev.kedge.data.fetch.Entry.Item;
import dev.kedge.data.fetch.Fetched;
import dev.kedge.data.fetch.Network;
import dev.kedge.run.Terminal;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Brings data sets and models by name.
@Command(
        name = "fetch",
        description = "Bring data sets and models into data/fetched; without a name, list what there is.",
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "A mirror is a folder with NAME/FILE in it; KEDGE_MIRROR names one too, and ../shared/data is one where it is.",
            "A proxy comes from https_proxy, http_proxy and no_proxy, or -Dhttps.proxyHost= and -Dhttps.proxyPort="
        })
final class FetchCommand implements Callable<Integer> {
    private static final double MIB = 1 << 20;

    @Parameters(arity = "0..*", paramLabel = "NAME", description = "What to bring.")
    List<String> names = List.of();

    @Option(names = "--mirror", paramLabel = "DIR", description = "Look in this folder before asking the network.")
    Path mirror;

    @Override
    public Integer call() {
        Fetched fetched = Fetched.here(System.getenv(), Optional.ofNullable(mirror));
        if (names.isEmpty()) {
            list(fetched);
            return 0;
        }
        List<Entry> entries =
                names.stream().map(name -> entry(fetched, name)).distinct().toList();
        try (Network network = Network.of(System.getenv())) {
            for (Entry entry : entries) {
                System.out.printf(
                        Locale.ROOT,
                        "%s: %s, %s, %s, licence %s%n",
                        entry.name(),
                        bring(fetched, entry, network) == 0 ? "was here" : "fetched",
                        fetched.home(entry),
                        size(entry.bytes()),
                        entry.licence());
            }
        }
        return 0;
    }

    private static int bring(Fetched fetched, Entry entry, Network network) {
        ProgressLine line = new ProgressLine(entry);
        try {
            return fetched.fetch(entry, network, line);
        } finally {
            line.clear();
        }
    }

    private static Entry entry(Fetched fetched, String name) {
        return fetched.registry()
                .entry(name)
                .orElseThrow(() -> new ConfigException("nothing is called \"" + name + "\"; there are: "
                        + String.join(
                                ", ",
                                fetched.registry().entries().stream()
                                        .map(Entry::name)
                                        .toList())));
    }

    private static void list(Fetched fetched) {
        for (Entry entry : fetched.registry().entries()) {
            String state =
                    switch (fetched.state(entry)) {
                        case HERE -> "here";
                        case PARTLY -> "partly here";
                        case ABSENT -> "not here";
                    };
            System.out.printf(Locale.ROOT, "%s  (%s, %s)%n", entry.name(), size(entry.bytes()), state);
            System.out.println("  " + entry.what());
            System.out.println("  licence: " + entry.licence());
            System.out.println("  origin: " + entry.origin());
            System.out.println();
        }
    }

    private static String size(long bytes) {
        return String.format(Locale.ROOT, "%.1f MiB", bytes / MIB);
    }

    /// A line that is drawn again in place where somebody watches, and one every few seconds in a log.
    private static final class ProgressLine implements Fetched.Progress {
        private final Entry entry;
        private final boolean watched = Terminal.standardError().mode() == Terminal.Mode.BAR;
        private final long between = watched ? 100_000_000L : 5_000_000_000L; // ns
        private long said = System.nanoTime();

        ProgressLine(Entry entry) {
            this.entry = entry;
        }

        @Override
        public void arrived(Item item, long bytes) {
            if (System.nanoTime() - said >= between) {
                said = System.nanoTime();
                String line = entry.name() + "/" + item.path() + ": " + size(bytes) + " of " + size(item.bytes());
                System.err.print(watched ? "\r\033[K" + line : line + System.lineSeparator());
            }
        }

        void clear() {
            if (watched) {
                System.err.print("\r\033[K");
            }
        }
    }
}
