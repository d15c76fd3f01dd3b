package dev.kedge.nn.file;

import static dev.kedge.nn.file.InvalidFileException.quoted;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import dev.kedge.tensor.DType;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.TreeMap;

/// The JSON at the head of a safetensors file, read token by token so that a hostile one costs no more than its length.
///
/// @param metadata the free strings under `__metadata__`
/// @param entries  the tensors in the order of their bytes
record SafetensorsHeader(Map<String, String> metadata, SequencedMap<String, TensorEntry> entries) {
    static final String METADATA = "__metadata__";
    private static final int MAX_DIMENSIONS = 64;
    private static final JsonFactory JSON = JsonFactory.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .build();

    /// The names that the format gives to element types.
    static final Map<String, DType> DTYPES = new TreeMap<>(Map.of(
            "F64", DType.FLOAT64,
            "F32", DType.FLOAT32,
            "F16", DType.FLOAT16,
            "BF16", DType.BFLOAT16,
            "I64", DType.INT64,
            "I32", DType.INT32,
            "I16", DType.INT16,
            "I8", DType.INT8,
            "U8", DType.UINT8,
            "BOOL", DType.BOOL));

    static SafetensorsHeader parse(Path file, byte[] header, long dataLength) {
        try (JsonParser parser = JSON.createParser(decode(file, header))) {
            Map<String, String> metadata = new LinkedHashMap<>();
            Map<String, TensorEntry> entries = new LinkedHashMap<>();
            expect(file, parser, "the header", JsonToken.START_OBJECT);
            while (parser.nextToken() != JsonToken.END_OBJECT) {
                String name = parser.currentName();
                if (name.equals(METADATA)) {
                    metadata = readMetadata(file, parser);
                } else {
                    entries.put(name, readEntry(file, parser, name));
                }
            }
            if (parser.nextToken() != null) {
                throw new InvalidFileException(file, "the header goes on after its JSON object");
            }
            return new SafetensorsHeader(Collections.unmodifiableMap(metadata), tiled(file, entries, dataLength));
        } catch (JsonProcessingException e) {
            String reason = e.getOriginalMessage().lines().findFirst().orElse("");
            throw new InvalidFileException(file, "the header is not valid JSON: " + reason.replaceAll("\\p{C}", "?"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static char[] decode(Path file, byte[] header) {
        if (header.length == 0 || header[0] != '{') {
            throw new InvalidFileException(file, "the header does not begin with {");
        }
        try {
            var chars = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(header));
            return Arrays.copyOf(chars.array(), chars.limit());
        } catch (CharacterCodingException _) {
            throw new InvalidFileException(file, "the header is not UTF-8");
        }
    }

    private static void expect(Path file, JsonParser parser, String what, JsonToken token) throws IOException {
        if (parser.nextToken() != token) {
            throw new InvalidFileException(
                    file, what + " must be " + describe(token) + ", is " + describe(parser.currentToken()));
        }
    }

    private static String describe(JsonToken token) {
        return switch (token) {
            case START_OBJECT -> "a JSON object";
            case START_ARRAY -> "a list";
            case VALUE_STRING -> "a string";
            case VALUE_NUMBER_INT -> "an integer";
            case null -> "missing";
            default -> "something else";
        };
    }

    private static Map<String, String> readMetadata(Path file, JsonParser parser) throws IOException {
        Map<String, String> metadata = new LinkedHashMap<>();
        expect(file, parser, METADATA, JsonToken.START_OBJECT);
        while (parser.nextToken() != JsonToken.END_OBJECT) {
            String key = parser.currentName();
            expect(file, parser, METADATA + " " + quoted(key), JsonToken.VALUE_STRING);
            metadata.put(key, parser.getText());
        }
        return metadata;
    }

    private static TensorEntry readEntry(Path file, JsonParser parser, String name) throws IOException {
        String where = "tensor " + quoted(name);
        DType dtype = null;
        long[] shape = null;
        long[] offsets = null;
        expect(file, parser, where, JsonToken.START_OBJECT);
        while (parser.nextToken() != JsonToken.END_OBJECT) {
            String key = parser.currentName();
            switch (key) {
                case "dtype" -> dtype = readDType(file, parser, where);
                case "shape" -> shape = readLongs(file, parser, where + " shape", MAX_DIMENSIONS);
                case "data_offsets" -> offsets = readLongs(file, parser, where + " data_offsets", 2);
                default ->
                    throw new InvalidFileException(
                            file, where + ": unknown key " + quoted(key) + "; known are dtype, shape, data_offsets");
            }
        }
        if (dtype == null || shape == null || offsets == null || offsets.length != 2) {
            throw new InvalidFileException(file, where + ": needs dtype, shape and two data_offsets");
        }
        return checked(file, where, new TensorEntry(dtype, shape, offsets[0], offsets[1]));
    }

    private static DType readDType(Path file, JsonParser parser, String where) throws IOException {
        expect(file, parser, where + " dtype", JsonToken.VALUE_STRING);
        DType dtype = DTYPES.get(parser.getText());
        if (dtype == null) {
            throw new InvalidFileException(
                    file,
                    where + ": dtype " + quoted(parser.getText()) + " is not supported; supported are "
                            + String.join(", ", DTYPES.keySet()));
        }
        return dtype;
    }

    private static long[] readLongs(Path file, JsonParser parser, String where, int limit) throws IOException {
        List<Long> values = new ArrayList<>();
        expect(file, parser, where, JsonToken.START_ARRAY);
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            boolean isLong = parser.currentToken() == JsonToken.VALUE_NUMBER_INT
                    && parser.getNumberType() != JsonParser.NumberType.BIG_INTEGER;
            if (!isLong || parser.getLongValue() < 0) {
                throw new InvalidFileException(
                        file, where + ": " + quoted(parser.getText()) + " is not an integer from 0 to 2^63 - 1");
            }
            if (values.size() == limit) {
                throw new InvalidFileException(file, where + ": more than " + limit + " numbers");
            }
            values.add(parser.getLongValue());
        }
        return values.stream().mapToLong(Long::longValue).toArray();
    }

    private static TensorEntry checked(Path file, String where, TensorEntry entry) {
        if (entry.begin() > entry.end()) {
            throw new InvalidFileException(
                    file, where + ": begins at " + entry.begin() + ", after its end " + entry.end());
        }
        long strides = entry.dtype().bytes();
        boolean empty = false;
        try {
            for (long size : entry.shape()) {
                // The engine computes strides over empty dimensions too, so these may not overflow either.
                strides = Math.multiplyExact(strides, Math.max(size, 1));
                empty |= size == 0;
            }
        } catch (ArithmeticException _) {
            throw new InvalidFileException(file, where + ": shape " + Arrays.toString(entry.shape()) + " overflows");
        }
        if ((empty ? 0 : strides) != entry.bytes()) {
            throw new InvalidFileException(
                    file,
                    where + ": " + entry.dtype() + Arrays.toString(entry.shape()) + " needs " + (empty ? 0 : strides)
                            + " bytes, data_offsets give " + entry.bytes());
        }
        return entry;
    }

    /// The entries in the order of their bytes, which must fill the data without gap or overlap.
    private static SequencedMap<String, TensorEntry> tiled(
            Path file, Map<String, TensorEntry> entries, long dataLength) {
        SequencedMap<String, TensorEntry> ordered = new LinkedHashMap<>();
        entries.entrySet().stream()
                .sorted(Map.Entry.comparingByValue(
                        Comparator.comparingLong(TensorEntry::begin).thenComparingLong(TensorEntry::end)))
                .forEach(e -> ordered.put(e.getKey(), e.getValue()));
        long reached = 0;
        for (var e : ordered.entrySet()) {
            String where = "tensor " + quoted(e.getKey());
            TensorEntry entry = e.getValue();
            if (entry.end() > dataLength) {
                throw new InvalidFileException(
                        file, where + ": ends at byte " + entry.end() + " of " + dataLength + " bytes of data");
            }
            if (entry.begin() != reached) {
                String fault = entry.begin() < reached ? "overlaps the tensor before it" : "leaves a gap before it";
                throw new InvalidFileException(
                        file, where + ": begins at byte " + entry.begin() + ", not " + reached + ": " + fault);
            }
            reached = entry.end();
        }
        if (reached != dataLength) {
            throw new InvalidFileException(
                    file, (dataLength - reached) + " bytes after the last tensor, which ends at byte " + reached);
        }
        return Collections.unmodifiableSequencedMap(ordered);
    }
}
