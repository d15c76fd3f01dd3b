package dev.kedge.lab.catalogue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/// How many conformance cases of one paper passed, failed, or wait for an adapter: as the
/// conformance test of the objectives last counted them.
public record Conformance(int passed, int failed, int pending) {
    private static final String RESOURCE = "/conformance.json";

    /// Whether at least one case passed and none failed or is pending.
    public boolean passes() {
        return passed > 0 && failed == 0 && pending == 0;
    }

    /// The counts by paper slug from the class-path resource `conformance.json`; empty where the build has none.
    public static Map<String, Conformance> load() {
        try (var in = Conformance.class.getResourceAsStream(RESOURCE)) {
            return in == null ? Map.of() : parse(new String(in.readAllBytes(), StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read the resource conformance.json", e);
        }
    }

    /// The counts in `json`, an object `{"slug": {"passed": n, "failed": n, "pending": n}, ...}`; a count that is
    /// absent is 0. Throws [IllegalArgumentException] where it is something else.
    public static Map<String, Conformance> parse(String json) {
        var counts = new LinkedHashMap<String, Conformance>();
        for (var entry : object(json).properties()) {
            counts.put(
                    entry.getKey(),
                    new Conformance(
                            count(entry.getKey(), entry.getValue(), "passed"),
                            count(entry.getKey(), entry.getValue(), "failed"),
                            count(entry.getKey(), entry.getValue(), "pending")));
        }
        return counts;
    }

    private static JsonNode object(String json) {
        try {
            var root = new ObjectMapper().readTree(json);
            if (root.isObject()) {
                return root;
            }
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("conformance.json: not valid JSON: " + e.getOriginalMessage(), e);
        }
        throw new IllegalArgumentException("conformance.json: an object from slug to counts is expected");
    }

    private static int count(String slug, JsonNode counts, String key) {
        var value = counts.path(key);
        if (value.isMissingNode() && counts.isObject()) {
            return 0;
        }
        if (!value.canConvertToInt() || value.intValue() < 0) {
            throw new IllegalArgumentException(
                    "conformance.json: " + slug + ": '" + key + "' must be a count, got " + value);
        }
        return value.intValue();
    }
}
