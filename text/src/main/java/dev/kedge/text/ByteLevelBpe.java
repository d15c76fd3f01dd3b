package dev.kedge.text;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/// Builds a tokenizer.json from vocab.json and merges.txt (byte-level BPE, Radford et al. 2019).
final class ByteLevelBpe {
    private static final String END_OF_TEXT = "<|endoftext|>";
    private static final Set<String> QWEN =
            Set.of("Qwen2Tokenizer", "Qwen2TokenizerFast", "qwen2", "qwen2_moe", "qwen3");
    private static final Set<String> GPT2 = Set.of("GPT2Tokenizer", "GPT2TokenizerFast", "gpt2", "gpt_neo", "gptj");

    /// Qwen2's split: contractions, words with one leading mark, single digits, other marks, line ends, spaces.
    private static final String QWEN_SPLIT = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}|"
            + " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

    private ByteLevelBpe() {}

    static JsonNode tokenizerJson(Path folder) {
        JsonNode vocabulary = TokenizerFiles.json(folder, "vocab.json");
        ObjectNode json = TokenizerFiles.JSON.createObjectNode();
        json.put("version", "1.0");
        addedTokens(folder, vocabulary, json.putArray("added_tokens"));
        if (isQwen(folder, vocabulary)) {
            json.putObject("normalizer").put("type", "NFC");
            ArrayNode steps =
                    json.putObject("pre_tokenizer").put("type", "Sequence").putArray("pretokenizers");
            ObjectNode split = steps.addObject().put("type", "Split");
            split.putObject("pattern").put("Regex", QWEN_SPLIT);
            split.put("behavior", "Isolated").put("invert", false);
            byteLevel(steps.addObject(), false);
        } else {
            byteLevel(json.putObject("pre_tokenizer"), true);
        }
        byteLevel(json.putObject("decoder"), true);
        ObjectNode model = json.putObject("model").put("type", "BPE");
        model.set("vocab", vocabulary);
        merges(folder.resolve("merges.txt"), vocabulary, model.putArray("merges"));
        return json;
    }

    private static void byteLevel(ObjectNode node, boolean regex) {
        node.put("type", "ByteLevel")
                .put("add_prefix_space", false)
                .put("trim_offsets", false)
                .put("use_regex", regex);
    }

    private static boolean isQwen(Path folder, JsonNode vocabulary) {
        String named = TokenizerFiles.json(folder, "tokenizer_config.json")
                .path("tokenizer_class")
                .asText();
        String type =
                TokenizerFiles.json(folder, "config.json").path("model_type").asText();
        for (String name : new String[] {named, type}) {
            if (QWEN.contains(name) || GPT2.contains(name)) {
                return QWEN.contains(name);
            }
        }
        for (var entry : vocabulary.properties()) {
            if (entry.getKey().matches(".*\\d\\d.*")) {
                return false;
            }
        }
        return true;
    }

    /// The tokens beside the vocabulary, in order of id; both classes have `<|endoftext|>`, at the next free id if
    /// need be.
    private static void addedTokens(Path folder, JsonNode vocabulary, ArrayNode out) {
        Map<String, Integer> ids = new LinkedHashMap<>();
        Map<String, Boolean> special = new LinkedHashMap<>();
        TokenizerFiles.json(folder, "added_tokens.json")
                .properties()
                .forEach(e -> ids.put(e.getKey(), e.getValue().asInt()));
        TokenizerFiles.json(folder, "tokenizer_config.json")
                .path("added_tokens_decoder")
                .properties()
                .forEach(e -> {
                    String content = e.getValue().path("content").asText();
                    ids.put(content, Integer.valueOf(e.getKey()));
                    special.put(content, e.getValue().path("special").asBoolean());
                });
        if (!ids.containsKey(END_OF_TEXT)) {
            int next = Math.max(
                    vocabulary.size(),
                    ids.values().stream().mapToInt(id -> id + 1).max().orElse(0));
            ids.put(END_OF_TEXT, vocabulary.path(END_OF_TEXT).asInt(next));
        }
        Map<Integer, String> ordered = new TreeMap<>();
        ids.forEach((content, id) -> ordered.put(id, content));
        ordered.forEach((id, content) -> out.addObject()
                .put("id", id)
                .put("content", content)
                .put("single_word", false)
                .put("lstrip", false)
                .put("rstrip", false)
                .put("normalized", false)
                .put("special", special.getOrDefault(content, true)));
    }

    private static void merges(Path file, JsonNode vocabulary, ArrayNode out) {
        String[] lines = new String(TokenizerFiles.read(file), StandardCharsets.UTF_8).split("\n");
        for (int i = 0; i < lines.length; i++) {
            String line = lines[i].stripTrailing();
            if (line.isEmpty() || (i == 0 && line.startsWith("#version"))) {
                continue;
            }
            String[] pair = line.split(" ");
            if (pair.length != 2 || !vocabulary.has(pair[0] + pair[1])) {
                throw new IllegalArgumentException(file + ", line " + (i + 1)
                        + ": expected two pieces whose join is in vocab.json, found: " + line);
            }
            out.add(line);
        }
    }
}
