package dev.kedge.data.fetch;

import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// A data set or model of the registry.
///
/// @param name    what `./kedge fetch` calls it, and the folder that it gets
/// @param what    one paragraph
/// @param licence an SPDX id, or the publisher's words
/// @param origin  who publishes the files, and how it is known that their bytes are these
/// @param files   at least one
public record Entry(String name, String what, String licence, String origin, List<Item> files) {
    /// One file.
    ///
    /// @param path     relative to the entry's folder, here as in a mirror
    /// @param bytes    its size
    /// @param sha256   64 hexadecimal digits
    /// @param address  where its publisher has it; none for a file that only a mirror can bring: the entry's origin
    ///                 says why
    /// @param verified whether it is known that the address has these very bytes
    public record Item(String path, long bytes, String sha256, Optional<URI> address, boolean verified) {}

    public Entry {
        files = List.copyOf(files);
    }

    public long bytes() {
        return files.stream().mapToLong(Item::bytes).sum();
    }

    /// The files that `path` names: all for the folder `home` of the entry, one for a file in it, none for what is not
    /// the entry's.
    List<Item> at(Path path, Path home) {
        Path whole = path.toAbsolutePath().normalize();
        Path folder = home.toAbsolutePath().normalize();
        return files.stream()
                .filter(item ->
                        whole.startsWith(folder) && folder.resolve(item.path()).startsWith(whole))
                .toList();
    }
}
