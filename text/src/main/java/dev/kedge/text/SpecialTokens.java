package dev.kedge.text;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/// The special ids of a folder: named by text in tokenizer_config.json or special_tokens_map.json, else by id in
/// generation_config.json or config.json of the model.
record SpecialTokens(OptionalInt bos, OptionalInt eos, OptionalInt pad, Set<Integer> stopIds) {
    private static final List<String> ROLES =
            List.of("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token");

    SpecialTokens {
        stopIds = Set.copyOf(stopIds);
    }

    /// @param folder   of the tokenizer
    /// @param model    the folder of its model, the same or another
    /// @param ids      of all tokens by their texts; an id that a file names and no token has is passed over
    /// @param specials the texts of all special tokens
    static SpecialTokens read(Path folder, Path model, Map<String, Integer> ids, Set<String> specials) {
        Map<String, String> texts = texts(folder);
        JsonNode generation = TokenizerFiles.json(model, "generation_config.json");
        JsonNode config = TokenizerFiles.json(model, "config.json");
        Set<Integer> stops = new LinkedHashSet<>(TokenizerFiles.ids(generation, "eos_token_id"));
        stops.addAll(TokenizerFiles.ids(config, "eos_token_id"));
        OptionalInt eos = one("eos", texts, ids, generation, config);
        eos.ifPresent(stops::add);
        endOfTurn(folder, specials).map(ids::get).ifPresent(stops::add);
        return new SpecialTokens(
                one("bos", texts, ids, generation, config), eos, one("pad", texts, ids, generation, config), stops);
    }

    /// The special token that follows a reply in the folder's chat template.
    private static Optional<String> endOfTurn(Path folder, Set<String> specials) {
        try {
            return ChatTemplate.load(folder).map(ChatTemplate::endOfTurn).flatMap(end -> specials.stream()
                    .filter(end::startsWith)
                    .max(Comparator.comparingInt(String::length)));
        } catch (IllegalArgumentException _) {
            return Optional.empty(); // whoever writes with this template hears of it
        }
    }

    /// A generation_config.json that names these ids; null where no id ends a text.
    byte[] generationConfig() {
        if (stopIds.isEmpty()) {
            return null;
        }
        ObjectNode json = TokenizerFiles.JSON.createObjectNode();
        bos.ifPresent(id -> json.put("bos_token_id", id));
        pad.ifPresent(id -> json.put("pad_token_id", id));
        ArrayNode stops = json.putArray("eos_token_id");
        eos.ifPresent(stops::add);
        stopIds.stream().sorted().filter(id -> id != eos.orElse(-1)).forEach(stops::add);
        return (json.toPrettyString() + "\n").getBytes(StandardCharsets.UTF_8);
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
