package dev.kedge.stress;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/// What the fuzzer (Jazzer) calls with mutated inputs. A reader either takes an input or refuses it with one line, in
/// the exception that it documents; anything else is a find.
///
/// `main` writes each target's first inputs and prints the targets' names.
public final class Fuzz {
    private static FuzzTarget target;
    private static Path folder;

    private Fuzz() {}

    /// Called once, with the target's name.
    public static void fuzzerInitialize(String[] arguments) {
        target = FuzzTarget.valueOf(arguments[0]);
        try {
            folder = Files.createTempDirectory("kedge-fuzz");
            target.prepare(folder);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Called for every input.
    public static void fuzzerTestOneInput(byte[] input) throws IOException {
        try {
            target.read(input, folder);
        } catch (RuntimeException e) {
            if (!target.refusals.contains(e.getClass())) {
                throw e;
            }
            String message = e.getMessage();
            if (message == null || message.isBlank() || message.lines().count() > 1) {
                throw new AssertionError("a refusal is one line, was: " + message, e);
            }
        }
    }

    /// @param arguments the folder for the inputs, and Kedge's
    public static void main(String[] arguments) throws IOException {
        for (FuzzTarget each : FuzzTarget.values()) {
            Path corpus = Files.createDirectories(Path.of(arguments[0], each.name(), "corpus"));
            List<byte[]> seeds = each.seeds(Path.of(arguments[1]));
            for (int i = 0; i < seeds.size(); i++) {
                Files.write(corpus.resolve(String.format(Locale.ROOT, "seed-%03d", i)), seeds.get(i));
            }
            System.out.println(each.name());
        }
    }
}
