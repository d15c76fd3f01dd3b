package dev.kedge.text;

import java.util.Arrays;

/// Decodes ids one by one and gives out only text that later ids cannot change: a character whose bytes are not all
/// there waits, and so does a run of byte pieces that is judged as a whole. What was given out, followed by
/// [#finish], equals the decoding of all ids at once, for the decoders of generating models (byte-level, byte
/// fallback, characters). For one thread.
public final class StreamDecoder {
    private final Tokenizer tokenizer;
    private final boolean byteRuns;
    private int[] window = new int[8];
    private int size = 0;
    private int context = 0;
    private int given = 0;
    private boolean inRun = false;

    /// A decoder at the beginning of a text; special tokens are skipped.
    public StreamDecoder(Tokenizer tokenizer) {
        this.tokenizer = tokenizer;
        this.byteRuns = tokenizer instanceof HuggingFaceTokenizer h && h.byteFallback();
    }

    /// Takes one id and returns the text that has become certain, often empty.
    ///
    /// @throws IllegalArgumentException if the id is not in the vocabulary
    public String feed(int id) {
        String piece = tokenizer.token(id);
        if (size == window.length) {
            window = Arrays.copyOf(window, 2 * size);
        }
        String before = inRun ? text() : "";
        window[size++] = id;
        String text = text();
        // A skipped special token does not end a run: the bytes after it join those before.
        inRun = byteRuns && (piece.matches("<0x[0-9A-F]{2}>") || (inRun && text.equals(before)));
        if (inRun) {
            return "";
        }
        int certain = text.length();
        while (certain > 0 && text.charAt(certain - 1) == '\uFFFD') {
            certain--;
        }
        if (certain <= given) {
            return "";
        }
        String news = text.substring(given, certain);
        given = certain;
        if (certain == text.length()) {
            moveOn();
        }
        return news;
    }

    /// The text that was waiting; the decoder is then at the beginning of a new text.
    public String finish() {
        String text = text();
        String rest = text.length() > given ? text.substring(given) : "";
        size = 0;
        context = 0;
        given = 0;
        inRun = false;
        return rest;
    }

    private String text() {
        return tokenizer.decode(Arrays.copyOf(window, size));
    }

    /// Drops the ids before those that gave the last text, which stay: a decoder treats the first piece differently.
    private void moveOn() {
        window = Arrays.copyOfRange(window, context, Math.max(size, context + 8));
        size -= context;
        context = size;
        given = text().length();
    }
}
