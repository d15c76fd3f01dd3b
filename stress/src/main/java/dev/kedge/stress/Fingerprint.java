package dev.kedge.stress;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// What a run found, without what time tells: every metric of every step, the summary, and the checksums of what it
/// saved. Two runs of one configuration have the same.
///
/// @param files by path in the run folder
record Fingerprint(Map<String, String> files) {
    private static final ObjectMapper JSON = new ObjectMapper();

    static Fingerprint of(Path run) throws IOException {
        Map<String, String> files = new TreeMap<>();
        StringBuilder metrics = new StringBuilder();
        for (String line : Files.readAllLines(run.resolve("metrics.jsonl"))) {
            metrics.append(timeless(JSON.readTree(line))).append('\n');
        }
        files.put("metrics.jsonl", metrics.toString());
        files.put(
                "summary.json",
                timeless(JSON.readTree(run.resolve("summary.json").toFile())).toString());
        try (var all = Files.walk(run)) {
            for (Path file :
                    all.filter(f -> f.toString().endsWith(".safetensors")).toList()) {
                files.put(run.relativize(file).toString(), sha256(file));
            }
        }
        return new Fingerprint(files);
    }

    /// The first difference, in words.
    Optional<String> difference(Fingerprint other) {
        TreeMap<String, String> all = new TreeMap<>(files);
        all.putAll(other.files);
        return all.keySet().stream()
                .filter(name -> !String.valueOf(files.get(name)).equals(String.valueOf(other.files.get(name))))
                .findFirst()
                .map(name -> name + " differs");
    }

    private static JsonNode timeless(JsonNode node) {
        if (node instanceof ObjectNode object) {
            var names = object.fieldNames();
            while (names.hasNext()) {
                String name = names.next();
                if (name.equals("time_s") || name.equals("tokens_per_s") || name.startsWith("seconds")) {
                    names.remove();
                }
            }
        }
        return node;
    }

    private static String sha256(Path file) throws IOException {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file));
            return HexFormat.of().formatHex(digest);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
