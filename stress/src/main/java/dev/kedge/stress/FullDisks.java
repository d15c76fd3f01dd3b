package dev.kedge.stress;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// Runs on disks that are too small by more or less (a `tmpfs` of its own; needs the right to mount one), which must
/// end with one line and an exit code; with room made, they go on to the same run as one left in peace.
final class FullDisks {
    private FullDisks() {}

    /// @param disks of different sizes, over all recipes
    static boolean run(Path work, int disks) throws IOException, InterruptedException {
        List<String> faults = new ArrayList<>();
        int full = 0;
        List<ShortRun> recipes = ShortRun.all(Inputs.made(work));
        for (ShortRun recipe : recipes) {
            Path peace = work.resolve(recipe.name()).resolve("peace-of-disks").resolve("run");
            ChildProcess.run(List.of(), recipe.arguments(peace.toString())).requireSuccess(recipe.name());
            long bytes = size(peace);
            int sizes = disks / recipes.size();
            for (int i = 0; i < sizes; i++) {
                // Pages of the file system are 4 KiB, and a checkpoint is written before the last one goes.
                long kib = Math.max(4, bytes / 1024 * (i + 1) / (sizes + 1) / 4 * 4);
                Path disk = Files.createDirectories(work.resolve("disk"));
                command("mount", "-t", "tmpfs", "-o", "size=" + kib + "k", "kedge-stress", disk.toString());
                try {
                    Path folder = disk.resolve("run");
                    ChildProcess small = ChildProcess.run(List.of(), recipe.arguments(folder.toString()));
                    full += small.exit() == 0 ? 0 : 1;
                    Optional<String> fault = fault(recipe, small, folder, disk, Fingerprint.of(peace));
                    System.err.printf(
                            Locale.ROOT,
                            "%s on %d KiB: %s; %s%n",
                            recipe.name(),
                            kib,
                            said(small),
                            fault.orElse("with room: the same"));
                    fault.ifPresent(f -> faults.add(recipe.name() + " on " + kib + " KiB: " + f));
                } finally {
                    command("umount", disk.toString());
                }
            }
        }
        System.out.println(full + " disks were full; faults: " + faults.size());
        faults.forEach(System.out::println);
        return faults.isEmpty();
    }

    private static Optional<String> fault(
            ShortRun recipe, ChildProcess small, Path folder, Path disk, Fingerprint expected)
            throws IOException, InterruptedException {
        List<String> errors =
                small.lines().stream().filter(l -> l.startsWith("kedge: ")).toList();
        if (small.exit() != 0 && errors.size() != 1) {
            return Optional.of("not one line: " + String.join(" | ", small.lines()));
        }
        command("mount", "-o", "remount,size=1g", disk.toString());
        ChildProcess roomy = ChildProcess.run(List.of(), recipe.arguments(folder.toString()));
        return roomy.exit() == 0
                ? Fingerprint.of(folder).difference(expected)
                : Optional.of("does not go on: " + String.join(" | ", roomy.lines()));
    }

    private static String said(ChildProcess process) {
        return process.exit() == 0
                ? "fits"
                : process.exit() + ", " + process.lines().getLast();
    }

    private static void command(String... words) throws IOException, InterruptedException {
        int exit = new ProcessBuilder(words).inheritIO().start().waitFor();
        if (exit != 0) {
            throw new IllegalStateException(String.join(" ", words) + " ended with " + exit);
        }
    }

    private static long size(Path folder) throws IOException {
        try (var all = Files.walk(folder)) {
            return all.filter(Files::isRegularFile)
                    .mapToLong(f -> f.toFile().length())
                    .sum();
        }
    }
}
