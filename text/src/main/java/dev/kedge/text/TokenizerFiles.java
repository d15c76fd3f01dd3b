package dev.kedge.text;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.io.CharConversionException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/// Finds and reads the files of a tokenizer.
final class TokenizerFiles {
    static final ObjectMapper JSON = new ObjectMapper();

    private TokenizerFiles() {}

    static Tokenizer load(Path path) {
        if (!Files.exists(path)) {
            throw new IllegalArgumentException(path + ": no such file or folder; expected a model folder");
        }
        if (Files.isDirectory(path)) {
            return fromFolder(path);
        }
        String name = path.getFileName().toString();
        if (name.matches("tok\\d*\\.bin|tokenizer\\.bin")) {
            return LlamaCTokenizer.read(path);
        }
        Path folder = path.toAbsolutePath().getParent();
        if (name.endsWith(".bin")) {
            List<Path> found = llamaC(folder);
            if (!found.isEmpty()) {
                return LlamaCTokenizer.read(choose(found, path));
            }
        }
        return fromFolder(folder);
    }

    private static Tokenizer fromFolder(Path folder) {
        JsonNode config = json(folder, "tokenizer_config.json");
        if (Files.exists(folder.resolve("tokenizer.json"))) {
            return config.path(CharTokenizer.MARK).asText().equals("char")
                    ? CharTokenizer.read(folder)
                    : HuggingFaceTokenizer.read(folder);
        }
        if (Files.exists(folder.resolve("vocab.json")) && Files.exists(folder.resolve("merges.txt"))) {
            return HuggingFaceTokenizer.read(folder);
        }
        if (config.has("char_ords")) {
            return CharTokenizer.fromCharOrds(folder.resolve("tokenizer_config.json"), config);
        }
        List<Path> found = llamaC(folder);
        if (!found.isEmpty()) {
            return LlamaCTokenizer.read(choose(found, null));
        }
        throw new IllegalArgumentException(
                folder + ": no tokenizer; expected tokenizer.json, vocab.json with merges.txt,"
                        + " tok*.bin, or tokenizer_config.json with char_ords");
    }

    private static List<Path> llamaC(Path folder) {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(f -> f.getFileName().toString().matches("tok\\d*\\.bin|tokenizer\\.bin"))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// The only one, or the one with as many pieces as the llama2.c model's header says.
    private static Path choose(List<Path> found, Path model) {
        if (found.size() == 1) {
            return found.getFirst();
        }
        if (model != null) {
            byte[] header = bytes(model, 28);
            int pieces = Math.abs(
                    ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN).getInt(20));
            for (Path path : found) {
                if (LlamaCTokenizer.read(path).vocabularySize() == pieces) {
                    return path;
                }
            }
        }
        throw new IllegalArgumentException(found.getFirst().getParent() + ": several tokenizers "
                + found.stream().map(Path::getFileName).toList() + " and none fits the model; name one of them");
    }

    private static byte[] bytes(Path file, int count) {
        try (var in = Files.newInputStream(file)) {
            byte[] bytes = in.readNBytes(count);
            if (bytes.length < count) {
                throw new IllegalArgumentException(file + ": shorter than the header of a llama2.c model");
            }
            return bytes;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// The JSON object in a file of the folder, or an empty one where the file is absent.
    static JsonNode json(Path folder, String name) {
        Path file = folder.resolve(name);
        if (!Files.exists(file)) {
            return JsonNodeFactory.instance.objectNode();
        }
        try {
            JsonNode node = JSON.readTree(Files.readAllBytes(file));
            if (!node.isObject()) {
                throw new IllegalArgumentException(file + ": not a JSON object");
            }
            return node;
        } catch (JacksonException e) {
            var at = e.getLocation();
            throw new IllegalArgumentException(
                    file + (at == null ? "" : ", line " + at.getLineNr()) + ": not JSON: " + e.getOriginalMessage(), e);
        } catch (CharConversionException e) {
            throw new IllegalArgumentException(file + ": not JSON: " + e.getMessage(), e);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// The ids that a key holds: a number, a list of numbers, or nothing.
    static List<Integer> ids(JsonNode node, String key) {
        List<Integer> ids = new ArrayList<>();
        JsonNode value = node.path(key);
        if (value.isInt()) {
            ids.add(value.asInt());
        }
        value.forEach(id -> ids.add(id.asInt()));
        return ids;
    }

    static void write(Path folder, String name, byte[] bytes) {
        try {
            Files.createDirectories(folder);
            Files.write(folder.resolve(name), bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static byte[] read(Path file) {
        try {
            return Files.readAllBytes(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
