package dev.kedge.text;

import ai.djl.huggingface.tokenizers.jni.CharSpan;
import ai.djl.huggingface.tokenizers.jni.LibUtils;
import ai.djl.huggingface.tokenizers.jni.TokenizersLibrary;
import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/// A `tokenizer.json` in Hugging Face's own tokenizers library, or a `vocab.json` with a `merges.txt`.
///
/// A vocabulary with merges is byte-level BPE, but does not say how text is split before merging. That is told by
/// tokenizer_config.json's `tokenizer_class`, else config.json's `model_type`, else the vocabulary itself: Qwen2 splits
/// numbers into digits and so can have learned no piece with two digits, GPT-2 has thousands.
///
/// Truncation and padding are off whatever the file says, and decoding never tidies spaces: `decode` gives back what
/// the tokens say. Unpaired surrogates are encoded as U+FFFD. Nothing is fetched from anywhere.
public final class HuggingFaceTokenizer implements Tokenizer {
    private final long handle;
    private final ReadWriteLock lock = new ReentrantReadWriteLock();
    private boolean closed = false;
    private final String[] pieces;
    private final boolean byteFallback;
    private final SpecialTokens special;
    private final Map<String, byte[]> files;

    private HuggingFaceTokenizer(
            long handle, String[] pieces, boolean byteFallback, SpecialTokens special, Map<String, byte[]> files) {
        this.handle = handle;
        this.pieces = pieces;
        this.byteFallback = byteFallback;
        this.special = special;
        this.files = files;
    }

    static HuggingFaceTokenizer read(Path folder, Path model) {
        Map<String, byte[]> files = TokenizerFiles.huggingFace(folder);
        Path file = folder.resolve(files.containsKey("tokenizer.json") ? "tokenizer.json" : "vocab.json");
        JsonNode json = files.containsKey("tokenizer.json")
                ? TokenizerFiles.json(folder, "tokenizer.json")
                : ByteLevelBpe.tokenizerJson(folder);
        String[] pieces = pieces(json, file);
        Map<String, Integer> ids = new LinkedHashMap<>();
        for (int id = 0; id < pieces.length; id++) {
            ids.putIfAbsent(pieces[id], id);
        }
        Set<String> specials = new LinkedHashSet<>();
        json.path("added_tokens").forEach(token -> {
            if (token.path("special").asBoolean()) {
                specials.add(token.path("content").asText());
            }
        });
        SpecialTokens special = SpecialTokens.read(folder, model, ids, specials);
        boolean byteFallback = json.path("model").path("byte_fallback").asBoolean();
        files.computeIfAbsent("generation_config.json", _ -> special.generationConfig());
        return new HuggingFaceTokenizer(open(json, file), pieces, byteFallback, special, files);
    }

    private static synchronized long open(JsonNode json, Path file) {
        // Offline, the binding takes the CPU natives from its own jar; otherwise it would phone home and, beside a GPU,
        // download others. It unpacks them to a folder of its own name and moves that in one step, so that processes
        // which start together do not see each other's half-written files.
        System.setProperty("ai.djl.offline", "true");
        System.setProperty("OPT_OUT_TRACKING", "true");
        LibUtils.checkStatus();
        long handle;
        try {
            handle = TokenizersLibrary.LIB.createTokenizerFromString(json.toString());
        } catch (RuntimeException e) {
            String reason = e.getMessage() == null
                    ? ""
                    : e.getMessage().lines().findFirst().orElse("");
            throw new IllegalArgumentException(file + ": not a tokenizer: " + reason, e);
        }
        TokenizersLibrary.LIB.disableTruncation(handle);
        TokenizersLibrary.LIB.disablePadding(handle);
        return handle;
    }

    private static String[] pieces(JsonNode json, Path file) {
        Map<Integer, String> byId = new LinkedHashMap<>();
        JsonNode vocabulary = json.path("model").path("vocab");
        if (vocabulary.isArray()) {
            for (int id = 0; id < vocabulary.size(); id++) {
                byId.put(id, vocabulary.get(id).path(0).asText());
            }
        } else {
            vocabulary.properties().forEach(e -> byId.put(e.getValue().asInt(), e.getKey()));
        }
        json.path("added_tokens")
                .forEach(t -> byId.put(t.path("id").asInt(), t.path("content").asText()));
        int size = byId.keySet().stream().mapToInt(id -> id + 1).max().orElse(0);
        if (size == 0 || size > 1 << 24 || byId.keySet().stream().anyMatch(id -> id < 0)) {
            throw new IllegalArgumentException(file + ", key model.vocab: no vocabulary of ids from 0 to 2^24");
        }
        String[] pieces = new String[size];
        byId.forEach((id, piece) -> pieces[id] = piece);
        return pieces;
    }

    @Override
    public int[] encode(String text) {
        return encode(text, true).ids();
    }

    @Override
    public Encoding encodeWithOffsets(String text) {
        return encode(text, false);
    }

    private Encoding encode(String text, boolean addSpecial) {
        String clean = wellFormed(text);
        lock.readLock().lock();
        try {
            requireOpen();
            long encoding = TokenizersLibrary.LIB.encode(handle, clean, addSpecial);
            try {
                return encoding(encoding, clean);
            } finally {
                TokenizersLibrary.LIB.deleteEncoding(encoding);
            }
        } finally {
            lock.readLock().unlock();
        }
    }

    private static Encoding encoding(long encoding, String text) {
        long[] ids = TokenizersLibrary.LIB.getTokenIds(encoding);
        CharSpan[] spans = TokenizersLibrary.LIB.getTokenCharSpans(encoding);
        int[] unit = units(text);
        int[] starts = new int[ids.length];
        int[] ends = new int[ids.length];
        for (int i = 0; i < ids.length; i++) {
            if (spans[i] != null && spans[i].getStart() >= 0) {
                starts[i] = unit[Math.min(spans[i].getStart(), unit.length - 1)];
                ends[i] = unit[Math.min(spans[i].getEnd(), unit.length - 1)];
            }
        }
        return new Encoding(ints(ids), starts, ends);
    }

    /// The UTF-16 index of each code point, and of the end.
    private static int[] units(String text) {
        int[] units = new int[text.codePointCount(0, text.length()) + 1];
        for (int i = 0, at = 0; i < units.length; i++) {
            units[i] = at;
            at += at < text.length() ? Character.charCount(text.codePointAt(at)) : 0;
        }
        return units;
    }

    private static int[] ints(long[] ids) {
        int[] ints = new int[ids.length];
        for (int i = 0; i < ids.length; i++) {
            ints[i] = Math.toIntExact(ids[i]);
        }
        return ints;
    }

    /// The text with U+FFFD, of the same length, for each unpaired surrogate.
    static String wellFormed(String text) {
        return text.codePoints().anyMatch(c -> c >= 0xD800 && c <= 0xDFFF)
                ? text.codePoints()
                        .map(c -> c >= 0xD800 && c <= 0xDFFF ? 0xFFFD : c)
                        .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                        .toString()
                : text;
    }

    @Override
    public String decode(int[] ids, boolean keepSpecial) {
        long[] longs = new long[ids.length];
        for (int i = 0; i < ids.length; i++) {
            requireId(ids[i]);
            longs[i] = ids[i];
        }
        lock.readLock().lock();
        try {
            requireOpen();
            return ids.length == 0 ? "" : TokenizersLibrary.LIB.decode(handle, longs, !keepSpecial);
        } finally {
            lock.readLock().unlock();
        }
    }

    /// Whether the decoder joins a run of byte pieces such as `<0xE4>` and judges it as a whole.
    boolean byteFallback() {
        return byteFallback;
    }

    @Override
    public String token(int id) {
        requireId(id);
        return pieces[id] == null ? "" : pieces[id];
    }

    @Override
    public boolean hasToken(int id) {
        return id >= 0 && id < pieces.length && pieces[id] != null;
    }

    private void requireId(int id) {
        if (id < 0 || id >= pieces.length) {
            throw new IllegalArgumentException("token id " + id + " is not in 0.." + (pieces.length - 1));
        }
    }

    private void requireOpen() {
        if (closed) {
            throw new IllegalStateException("the tokenizer is closed");
        }
    }

    @Override
    public int vocabularySize() {
        return pieces.length;
    }

    @Override
    public OptionalInt bos() {
        return special.bos();
    }

    @Override
    public OptionalInt eos() {
        return special.eos();
    }

    @Override
    public OptionalInt pad() {
        return special.pad();
    }

    @Override
    public Set<Integer> stopIds() {
        return special.stopIds();
    }

    /// The files as they were read; where there is no generation_config.json, one that names the special ids, as these
    /// may come from the model's config.json.
    @Override
    public Map<String, byte[]> files() {
        return Collections.unmodifiableMap(files);
    }

    @Override
    public void close() {
        lock.writeLock().lock();
        try {
            if (!closed) {
                closed = true;
                TokenizersLibrary.LIB.deleteTokenizer(handle);
            }
        } finally {
            lock.writeLock().unlock();
        }
    }
}
