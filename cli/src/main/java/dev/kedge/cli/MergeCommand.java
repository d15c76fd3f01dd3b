package dev.kedge.cli;

import dev.kedge.nn.file.AdaptedModel;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Scope;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Makes one model of an adapter and its base.
@Command(
        name = "merge",
        description = "Add an adapter to its base model, and write the whole in float32.",
        mixinStandardHelpOptions = true)
final class MergeCommand implements Callable<Integer> {
    @Parameters(index = "0", paramLabel = "ADAPTER", description = "The adapter's folder.")
    Path adapter;

    @Parameters(index = "1", paramLabel = "OUT", description = "The folder to write, new or empty.")
    Path out;

    @Option(
            names = "--base",
            paramLabel = "DIR",
            description = "Where the base is now; by default, as the adapter says.")
    Path base;

    @Override
    public Integer call() {
        requireRoom();
        AdaptedModel adapted = AdaptedModel.of(adapter, Optional.ofNullable(base));
        try (Scope _ = new Scope()) {
            adapted.load(DType.FLOAT32, Device.CPU).save(out);
        }
        System.out.println(out + ": " + adapter + " added to " + adapted.base());
        return 0;
    }

    private void requireRoom() {
        if (Files.exists(out) && !Files.isDirectory(out)) {
            throw new IllegalArgumentException("OUT " + out + " is a file; a new folder would be right");
        }
        if (Files.exists(out) && isFull()) {
            throw new IllegalArgumentException("OUT " + out + " is not empty; a new folder would be right");
        }
    }

    private boolean isFull() {
        try (var files = Files.newDirectoryStream(out)) {
            return files.iterator().hasNext();
        } catch (IOException e) {
            throw new UncheckedIOException(out + ": cannot be read: " + e, e);
        }
    }
}
