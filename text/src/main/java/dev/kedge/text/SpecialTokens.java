package dev.kedge.text;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;

/// The special ids of a folder: named by text in tokenizer_config.json or special_tokens_map.json, else by id in
/// generation_config.json or config.json.
record SpecialTokens(OptionalInt bos, OptionalInt eos, OptionalInt pad, Set<Integer> stopIds) {
    private static final List<String> ROLES =
            List.of("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token");

    SpecialTokens {
        stopIds = Set.copyOf(stopIds);
    }

    /// `ids` are those of all tokens by their texts; an id that a file names and no token has is passed over.
    static SpecialTokens read(Path folder, Map<String, Integer> ids) {
        Map<String, String> texts = texts(folder);
        JsonNode generation = TokenizerFiles.json(folder, "generation_config.json");
        JsonNode model = TokenizerFiles.json(folder, "config.json");
        Set<Integer> stops = new LinkedHashSet<>(TokenizerFiles.ids(generation, "eos_token_id"));
        if (stops.isEmpty()) {
            stops.addAll(TokenizerFiles.ids(model, "eos_token_id"));
        }
        OptionalInt eos = one("eos", texts, ids, generation, model);
        eos.ifPresent(stops::add);
        return new SpecialTokens(
                one("bos", texts, ids, generation, model), eos, one("pad", texts, ids, generation, model), stops);
    }

    private static OptionalInt one(
            String role, Map<String, String> texts, Map<String, Integer> ids, JsonNode... configs) {
        Integer id = ids.get(texts.getOrDefault(role + "_token", ""));
        if (id != null) {
            return OptionalInt.of(id);
        }
        for (JsonNode config : configs) {
            for (int named : TokenizerFiles.ids(config, role + "_token_id")) {
                if (ids.containsValue(named)) {
                    return OptionalInt.of(named);
                }
            }
        }
        return OptionalInt.empty();
    }

    /// The texts of the special tokens by role (`bos_token`, ...), as chat templates see them.
    static Map<String, String> texts(Path folder) {
        Map<String, String> texts = new LinkedHashMap<>();
        JsonNode config = TokenizerFiles.json(folder, "tokenizer_config.json");
        if (config.has("char_ords")) {
            texts.putAll(CharTokenizer.CHAR_ORDS_ROLES);
        }
        for (JsonNode node : List.of(TokenizerFiles.json(folder, "special_tokens_map.json"), config)) {
            for (String role : ROLES) {
                JsonNode token = node.path(role);
                String text = token.isObject() ? token.path("content").asText("") : token.asText("");
                if (!text.isEmpty() && !token.isNull()) {
                    texts.put(role, text);
                }
            }
        }
        return texts;
    }
}
