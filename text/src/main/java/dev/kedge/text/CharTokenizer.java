package dev.kedge.text;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/// One id for each character (code point) of an alphabet, after the special tokens: for generated tasks.
public final class CharTokenizer implements Tokenizer {
    /// The key of tokenizer_config.json that tells a saved alphabet from other tokenizer.json files.
    static final String MARK = "kedge_tokenizer";

    /// The four tokens that the `char_ords` form has before its characters, in order of id.
    static final Map<String, String> CHAR_ORDS_ROLES = new LinkedHashMap<>();

    static {
        CHAR_ORDS_ROLES.put("sep_token", "S");
        CHAR_ORDS_ROLES.put("eos_token", "E");
        CHAR_ORDS_ROLES.put("pad_token", "P");
        CHAR_ORDS_ROLES.put("unk_token", "U");
    }

    private final List<String> pieces;
    private final Map<String, String> roles;
    private final Map<String, Integer> ids = new HashMap<>();
    private final List<String> specials;
    private final Set<Integer> stopIds = new TreeSet<>();
    private final Map<String, byte[]> files = new LinkedHashMap<>();

    private CharTokenizer(List<String> pieces, Map<String, String> roles) {
        this.pieces = List.copyOf(pieces);
        this.roles = Map.copyOf(roles);
        for (int id = 0; id < pieces.size(); id++) {
            if (ids.putIfAbsent(pieces.get(id), id) != null) {
                throw new IllegalArgumentException("'" + pieces.get(id) + "' is twice in the alphabet");
            }
        }
        this.specials = pieces.stream().filter(roles::containsValue).toList();
        eos().ifPresent(stopIds::add);
    }

    /// What the folders name beside the alphabet, and the files as they were read.
    private CharTokenizer foundIn(Path folder, Path model) {
        stopIds.addAll(
                SpecialTokens.read(folder, model, ids, Set.copyOf(specials)).stopIds());
        files.putAll(TokenizerFiles.huggingFace(folder));
        return this;
    }

    /// The alphabet's characters in order from id 3, after `<pad>` 0, `<bos>` 1 and `<eos>` 2; [#encode] puts BOS
    /// first.
    ///
    /// @throws IllegalArgumentException if a character is there twice
    public static CharTokenizer of(String alphabet) {
        List<String> pieces = new ArrayList<>(List.of("<pad>", "<bos>", "<eos>"));
        alphabet.codePoints().forEach(c -> pieces.add(Character.toString(c)));
        return new CharTokenizer(pieces, Map.of("pad_token", "<pad>", "bos_token", "<bos>", "eos_token", "<eos>"));
    }

    static CharTokenizer fromCharOrds(Path folder, Path model, JsonNode config) {
        Path file = folder.resolve("tokenizer_config.json");
        List<String> pieces = new ArrayList<>(CHAR_ORDS_ROLES.values());
        for (JsonNode ord : config.path("char_ords")) {
            if (!ord.isInt() || !Character.isValidCodePoint(ord.asInt())) {
                throw new IllegalArgumentException(file + ", key char_ords: " + ord + " is not a code point");
            }
            pieces.add(Character.toString(ord.asInt()));
        }
        try {
            return new CharTokenizer(pieces, CHAR_ORDS_ROLES).foundIn(folder, model);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(file + ", key char_ords: " + e.getMessage(), e);
        }
    }

    static CharTokenizer read(Path folder, Path model) {
        Map<Integer, String> byId = new TreeMap<>();
        TokenizerFiles.json(folder, "tokenizer.json")
                .path("model")
                .path("vocab")
                .properties()
                .forEach(e -> byId.put(e.getValue().asInt(-1), e.getKey()));
        List<String> pieces = new ArrayList<>(byId.values());
        if (pieces.isEmpty() || !byId.containsKey(0) || !byId.containsKey(pieces.size() - 1)) {
            throw new IllegalArgumentException(
                    folder.resolve("tokenizer.json") + ", key model.vocab: ids must run from 0 without a gap");
        }
        return new CharTokenizer(pieces, SpecialTokens.texts(folder)).foundIn(folder, model);
    }

    @Override
    public int[] encode(String text) {
        int[] plain = encodeOrdinary(text);
        if (bos().isEmpty()) {
            return plain;
        }
        int[] all = new int[plain.length + 1];
        all[0] = bos().getAsInt();
        System.arraycopy(plain, 0, all, 1, plain.length);
        return all;
    }

    /// @throws IllegalArgumentException if a character is not in the alphabet, which has no token for the unknown
    @Override
    public Encoding encodeWithOffsets(String text) {
        int[] ids = new int[text.length()];
        int[] starts = new int[text.length()];
        int[] ends = new int[text.length()];
        int size = 0;
        for (int at = 0; at < text.length(); size++) {
            int from = at;
            String piece = specials.stream()
                    .filter(s -> text.startsWith(s, from))
                    .findFirst()
                    .orElseGet(() -> Character.toString(text.codePointAt(from)));
            Integer id = this.ids.getOrDefault(piece, this.ids.get(roles.getOrDefault("unk_token", "")));
            if (id == null) {
                throw new IllegalArgumentException(String.format(
                        Locale.ROOT,
                        "character '%s' (U+%04X) at position %d is not in the alphabet",
                        piece,
                        piece.codePointAt(0),
                        at));
            }
            ids[size] = id;
            starts[size] = at;
            at += piece.length();
            ends[size] = at;
        }
        return new Encoding(Arrays.copyOf(ids, size), Arrays.copyOf(starts, size), Arrays.copyOf(ends, size));
    }

    @Override
    public String decode(int[] tokens, boolean keepSpecial) {
        StringBuilder out = new StringBuilder();
        for (int id : tokens) {
            String piece = token(id);
            out.append(keepSpecial || !specials.contains(piece) ? piece : "");
        }
        return out.toString();
    }

    @Override
    public String token(int id) {
        if (id < 0 || id >= pieces.size()) {
            throw new IllegalArgumentException("token id " + id + " is not in 0.." + (pieces.size() - 1));
        }
        return pieces.get(id);
    }

    @Override
    public int vocabularySize() {
        return pieces.size();
    }

    private OptionalInt role(String role) {
        Integer id = ids.get(roles.getOrDefault(role, ""));
        return id == null ? OptionalInt.empty() : OptionalInt.of(id);
    }

    @Override
    public OptionalInt bos() {
        return role("bos_token");
    }

    @Override
    public OptionalInt eos() {
        return role("eos_token");
    }

    @Override
    public OptionalInt pad() {
        return role("pad_token");
    }

    @Override
    public Set<Integer> stopIds() {
        return Collections.unmodifiableSet(stopIds);
    }

    /// Of an alphabet of our own, a tokenizer.json that Hugging Face's libraries read too (byte-pair encoding without
    /// merges) and a tokenizer_config.json. An unknown character, which this class refuses or maps to its unknown
    /// token, is dropped there unless the alphabet has an unknown token.
    @Override
    public Map<String, byte[]> files() {
        if (!files.isEmpty()) {
            return Collections.unmodifiableMap(files);
        }
        ObjectNode config = TokenizerFiles.JSON.createObjectNode();
        config.put(MARK, "char").put("tokenizer_class", "PreTrainedTokenizerFast");
        config.put("clean_up_tokenization_spaces", false);
        new TreeMap<>(roles).forEach(config::put);
        return Map.of("tokenizer.json", bytes(tokenizerJson()), "tokenizer_config.json", bytes(config));
    }

    private static byte[] bytes(JsonNode json) {
        return (json.toPrettyString() + "\n").getBytes(StandardCharsets.UTF_8);
    }

    private ObjectNode tokenizerJson() {
        ObjectNode json = TokenizerFiles.JSON.createObjectNode().put("version", "1.0");
        json.putNull("truncation").putNull("padding");
        ArrayNode added = json.putArray("added_tokens");
        for (String piece : specials) {
            ObjectNode token = added.addObject().put("id", ids.get(piece)).put("content", piece);
            for (String no : List.of("single_word", "lstrip", "rstrip", "normalized")) {
                token.put(no, false);
            }
            token.put("special", true);
        }
        json.putNull("normalizer").putNull("pre_tokenizer");
        postProcessor(json);
        json.putObject("decoder").put("type", "Fuse");
        ObjectNode model = json.putObject("model").put("type", "BPE");
        model.putNull("dropout");
        model.put("unk_token", roles.get("unk_token"));
        model.putNull("continuing_subword_prefix").putNull("end_of_word_suffix");
        model.put("fuse_unk", false).put("byte_fallback", false);
        ObjectNode vocabulary = model.putObject("vocab");
        for (int id = 0; id < pieces.size(); id++) {
            vocabulary.put(pieces.get(id), id);
        }
        model.putArray("merges");
        return json;
    }

    private void postProcessor(ObjectNode json) {
        if (bos().isEmpty()) {
            json.putNull("post_processor");
            return;
        }
        String bos = roles.get("bos_token");
        ObjectNode template = json.putObject("post_processor").put("type", "TemplateProcessing");
        for (String kind : List.of("single", "pair")) {
            ArrayNode steps = template.putArray(kind);
            for (String sequence : kind.equals("single") ? List.of("A") : List.of("A", "B")) {
                steps.addObject().putObject("SpecialToken").put("id", bos).put("type_id", 0);
                steps.addObject().putObject("Sequence").put("id", sequence).put("type_id", 0);
            }
        }
        ObjectNode token = template.putObject("special_tokens").putObject(bos).put("id", bos);
        token.putArray("ids").add(bos().getAsInt());
        token.putArray("tokens").add(bos);
    }
}
