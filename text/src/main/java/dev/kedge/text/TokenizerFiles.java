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
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// Finds and reads the files of a tokenizer.
final class TokenizerFiles {
    static final ObjectMapper JSON = new ObjectMapper();

    /// What a Hugging Face folder may hold of a tokenizer. All but the last are read; other libraries read that.
    private static final List<String> NAMES = List.of(
            "tokenizer.json",
            "vocab.json",
            "merges.txt",
            "added_tokens.json",
            "tokenizer_config.json",
            "special_tokens_map.json",
            "chat_template.jinja",
            "chat_template.json",
            "generation_config.json",
            "tokenizer.model");

    private static final String LLAMA_C = "tok\\d*\\.bin|tokenizer\\.bin";

    private TokenizerFiles() {}

    static Tokenizer load(Path path, Path model) {
        if (!Files.exists(path)) {
            throw new IllegalArgumentException(path + ": no such file or folder; expected a model folder");
        }
        if (Files.isDirectory(path)) {
            return fromFolder(path, model);
        }
        String name = path.getFileName().toString();
        if (name.matches(LLAMA_C)) {
            return LlamaCTokenizer.read(path);
        }
        Path folder = path.toAbsolutePath().getParent();
        if (name.endsWith(".bin")) {
            List<Path> found = llamaC(folder);
            if (!found.isEmpty()) {
                return LlamaCTokenizer.read(choose(found, Optional.of(path)));
            }
        }
        return fromFolder(folder, folder);
    }

    private static Tokenizer fromFolder(Path folder, Path model) {
        JsonNode config = json(folder, "tokenizer_config.json");
        if (Files.exists(folder.resolve("tokenizer.json"))) {
            return config.path(CharTokenizer.MARK).asText().equals("char")
                    ? CharTokenizer.read(folder, model)
                    : HuggingFaceTokenizer.read(folder, model);
        }
        if (isVocabularyWithMerges(folder)) {
            return HuggingFaceTokenizer.read(folder, model);
        }
        if (config.has("char_ords")) {
            return CharTokenizer.fromCharOrds(folder, model, config);
        }
        List<Path> found = llamaC(folder);
        if (!found.isEmpty()) {
            return LlamaCTokenizer.read(choose(found, Optional.empty()));
        }
        throw new IllegalArgumentException(
                folder + ": no tokenizer; expected tokenizer.json, vocab.json with merges.txt,"
                        + " tok*.bin, or tokenizer_config.json with char_ords");
    }

    private static boolean isVocabularyWithMerges(Path folder) {
        return Files.exists(folder.resolve("vocab.json")) && Files.exists(folder.resolve("merges.txt"));
    }

    static boolean isIn(Path folder) {
        return Files.exists(folder.resolve("tokenizer.json"))
                || isVocabularyWithMerges(folder)
                || json(folder, "tokenizer_config.json").has("char_ords")
                || !llamaC(folder).isEmpty();
    }

    /// As [#load] finds them; of several llama2.c tokenizers of which none fits the model, all.
    static Map<String, byte[]> of(Path path) {
        boolean isFolder = Files.isDirectory(path);
        Path folder = isFolder ? path : path.toAbsolutePath().getParent();
        List<Path> found = llamaC(folder);
        Map<String, byte[]> files = isFolder || found.isEmpty() ? huggingFace(folder) : new LinkedHashMap<>();
        boolean isLlamaC = !isFolder || Collections.disjoint(files.keySet(), List.of("tokenizer.json", "vocab.json"));
        if (isLlamaC) {
            Optional<Path> model = isFolder ? Optional.empty() : Optional.of(path);
            List<Path> read = chosen(found, model).map(List::of).orElse(found);
            read.forEach(file -> files.put(file.getFileName().toString(), read(file)));
        }
        return files;
    }

    /// The files that are there.
    static Map<String, byte[]> huggingFace(Path folder) {
        Map<String, byte[]> files = new LinkedHashMap<>();
        for (String name : NAMES) {
            if (Files.isRegularFile(folder.resolve(name))) {
                files.put(name, read(folder.resolve(name)));
            }
        }
        return files;
    }

    private static List<Path> llamaC(Path folder) {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(f -> f.getFileName().toString().matches(LLAMA_C))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Path choose(List<Path> found, Optional<Path> model) {
        return chosen(found, model)
                .orElseThrow(() -> new IllegalArgumentException(found.getFirst().getParent() + ": several tokenizers "
                        + found.stream().map(Path::getFileName).toList()
                        + " and none fits the model; name one of them"));
    }

    /// The only one, or the one with as many pieces as the llama2.c model's header says.
    private static Optional<Path> chosen(List<Path> found, Optional<Path> model) {
        if (found.size() <= 1 || model.isEmpty()) {
            return found.size() == 1 ? Optional.of(found.getFirst()) : Optional.empty();
        }
        byte[] header = bytes(model.get(), 28);
        int pieces =
                Math.abs(ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN).getInt(20));
        return found.stream()
                .filter(path -> LlamaCTokenizer.read(path).vocabularySize() == pieces)
                .findFirst();
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
        for (JsonNode id : value.isArray() ? value : List.of(value)) {
            if (id.isInt() && id.asInt() >= 0) { // -1 stands for none, as older files have it
                ids.add(id.asInt());
            }
        }
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
