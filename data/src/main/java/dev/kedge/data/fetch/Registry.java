package dev.kedge.data.fetch;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.StreamSupport;

/// All that can be fetched.
public record Registry(List<Entry> entries) {
    public Registry {
        entries = List.copyOf(entries);
    }

    /// The registry that Kedge carries.
    public static Registry load() {
        try (InputStream in = Registry.class.getResourceAsStream("registry.json")) {
            return new Registry(
                    StreamSupport.stream(new ObjectMapper().readTree(in).spliterator(), false)
                            .map(Registry::entry)
                            .toList());
        } catch (IOException e) {
            throw new UncheckedIOException("registry.json cannot be read: " + e, e);
        }
    }

    private static Entry entry(JsonNode node) {
        List<Entry.Item> files = StreamSupport.stream(node.get("files").spliterator(), false)
                .map(file -> new Entry.Item(
                        file.get("path").asText(),
                        file.get("bytes").asLong(),
                        file.get("sha256").asText(),
                        Optional.ofNullable(file.get("address")).map(address -> URI.create(address.asText())),
                        file.path("verified").asBoolean()))
                .toList();
        return new Entry(
                node.get("name").asText(),
                node.get("what").asText(),
                node.get("licence").asText(),
                node.get("origin").asText(),
                files);
    }

    /// The entry of that name.
    public Optional<Entry> entry(String name) {
        return entries.stream().filter(entry -> entry.name().equals(name)).findFirst();
    }

    /// The entry that brings `path`, where fetched entries lie in `folder`: the path is the entry's folder, or a file
    /// or folder in it.
    public Optional<Entry> bringing(Path path, Path folder) {
        return entries.stream()
                .filter(entry -> !entry.at(path, folder.resolve(entry.name())).isEmpty())
                .findFirst();
    }
}
