package dev.kedge.nn.file;

import static dev.kedge.nn.file.InvalidFileException.quoted;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// The keys of a JSON object in a file; every wrong value ends in one line that names file, key, value and what would
/// do.
///
/// @param file  where the object stands
/// @param where the keys that lead to it, each with a dot behind; empty at the top
/// @param node  the object
record JsonFields(Path file, String where, ObjectNode node) {
    private static final long MAX_BYTES = 100_000_000;
    static final JsonMapper MAPPER = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .enable(SerializationFeature.INDENT_OUTPUT)
            .build();

    /// Reads a file that must hold one JSON object.
    static JsonFields read(Path file) {
        try {
            if (Files.size(file) > MAX_BYTES) {
                throw new InvalidFileException(file, "larger than " + MAX_BYTES + " bytes");
            }
            var text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(Files.readAllBytes(file)));
            return of(file, text.toString());
        } catch (CharacterCodingException _) {
            throw new InvalidFileException(file, "not UTF-8");
        } catch (IOException e) {
            throw new UncheckedIOException(file + ": cannot be read: " + e, e);
        }
    }

    /// Reads a text that must be one JSON object; `file` is for messages.
    static JsonFields of(Path file, String text) {
        try {
            if (MAPPER.readTree(text) instanceof ObjectNode object) {
                return new JsonFields(file, "", object);
            }
            throw new InvalidFileException(file, "must hold a JSON object");
        } catch (JsonProcessingException e) {
            String reason =
                    e.getOriginalMessage().lines().findFirst().orElse("").replaceAll("\\p{C}", "?");
            int line = e.getLocation() == null ? 0 : e.getLocation().getLineNr();
            throw new InvalidFileException(file, "line " + line + ": not valid JSON: " + reason);
        }
    }

    static byte[] bytes(JsonNode node) {
        try {
            return (MAPPER.writeValueAsString(node) + "\n").getBytes(StandardCharsets.UTF_8);
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Whether the key is there with a value other than null.
    boolean has(String key) {
        return node.hasNonNull(key);
    }

    int integer(String key) {
        JsonNode value = required(key, "an integer of at least 1");
        if (!value.isInt() || value.intValue() < 1) {
            throw wrong(key, "an integer from 1 to 2147483647");
        }
        return value.intValue();
    }

    int integer(String key, int otherwise) {
        return has(key) ? integer(key) : otherwise;
    }

    double number(String key) {
        JsonNode value = required(key, "a number");
        if (!value.isNumber() || !Double.isFinite(value.doubleValue())) {
            throw wrong(key, "a finite number");
        }
        return value.doubleValue();
    }

    double positive(String key) {
        double value = number(key);
        if (!(value > 0)) {
            throw wrong(key, "a number above 0");
        }
        return value;
    }

    double positive(String key, double otherwise) {
        return has(key) ? positive(key) : otherwise;
    }

    boolean flag(String key, boolean otherwise) {
        if (has(key) && !node.get(key).isBoolean()) {
            throw wrong(key, "true or false");
        }
        return has(key) ? node.get(key).booleanValue() : otherwise;
    }

    String text(String key) {
        if (!required(key, "a string").isTextual()) {
            throw wrong(key, "a string");
        }
        return node.get(key).textValue();
    }

    String text(String key, String otherwise) {
        return has(key) ? text(key) : otherwise;
    }

    /// A list of strings; empty when absent.
    List<String> texts(String key) {
        List<String> values = new ArrayList<>();
        if (has(key)) {
            if (!node.get(key).isArray()) {
                throw wrong(key, "a list of strings");
            }
            for (JsonNode value : node.get(key)) {
                if (!value.isTextual()) {
                    throw wrong(key, "a list of strings");
                }
                values.add(value.textValue());
            }
        }
        return values;
    }

    /// A token id or a list of them; empty when absent. -1 stands for none, as older files have it.
    List<Integer> tokens(String key) {
        List<Integer> values = new ArrayList<>();
        if (has(key)) {
            JsonNode value = node.get(key);
            for (JsonNode id : value.isArray() ? value : List.of(value)) {
                if (!id.isInt() || id.intValue() < -1) {
                    throw wrong(key, "a token id of at least 0, or a list of them");
                }
                if (id.intValue() >= 0) {
                    values.add(id.intValue());
                }
            }
        }
        return List.copyOf(values);
    }

    JsonFields object(String key) {
        if (required(key, "a JSON object") instanceof ObjectNode object) {
            return new JsonFields(file, where + key + ".", object);
        }
        throw wrong(key, "a JSON object");
    }

    /// Whether the value is absent, null, false, empty or 0: nothing is asked for.
    boolean asksForNothing(String key) {
        JsonNode value = node.get(key);
        return !has(key)
                || (value.isBoolean() && !value.booleanValue())
                || (value.isContainerNode() && value.isEmpty())
                || (value.isNumber() && value.doubleValue() == 0);
    }

    InvalidFileException wrong(String key, String right) {
        return new InvalidFileException(file, where + key + " is " + shown(node.get(key)) + ", must be " + right);
    }

    private JsonNode required(String key, String right) {
        if (!has(key)) {
            throw new InvalidFileException(file, where + key + " is missing, must be " + right);
        }
        return node.get(key);
    }

    private static String shown(JsonNode value) {
        String quoted = quoted(String.valueOf(value));
        return quoted.substring(1, quoted.length() - 1);
    }
}
