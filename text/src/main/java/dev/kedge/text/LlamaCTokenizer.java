package dev.kedge.text;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;
import java.util.PriorityQueue;
import java.util.Set;

/// The tokenizer file of llama2.c: little-endian int32 longest piece, then for each id a float32 score, an int32 length
/// and that many bytes. Id 0 is unknown, 1 BOS, 2 EOS, 3 to 258 the bytes.
///
/// A text is a space and then its characters, bytes where the vocabulary lacks the character; the adjacent pair whose
/// join has the best score is merged, the leftmost of equals, until no join is in the vocabulary. The special tokens
/// have no spelling in this format, so none is recognised in a text.
public final class LlamaCTokenizer implements Tokenizer {
    private static final int BOS = 1;
    private static final int GONE = -1;
    private static final int EOS = 2;
    private static final int FIRST_BYTE = 3;

    private final byte[] file;
    private final byte[][] pieces;
    private final float[] scores;
    private final String name;
    private final Map<ByteBuffer, Integer> ids = new HashMap<>();

    private LlamaCTokenizer(byte[] file, byte[][] pieces, float[] scores, String name) {
        this.file = file;
        this.pieces = pieces;
        this.scores = scores;
        this.name = name;
        for (int id = 0; id < pieces.length; id++) {
            ids.putIfAbsent(ByteBuffer.wrap(pieces[id]), id);
        }
    }

    static LlamaCTokenizer read(Path path) {
        byte[] bytes = TokenizerFiles.read(path);
        ByteBuffer in = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        if (bytes.length < 4 || in.getInt(0) <= 0 || in.getInt(0) > 1 << 16) {
            throw new IllegalArgumentException(path + ": not a llama2.c tokenizer: no longest piece at byte 0");
        }
        int longest = in.getInt();
        byte[][] pieces = new byte[16][];
        float[] scores = new float[16];
        int size = 0;
        while (in.hasRemaining()) {
            int at = in.position();
            if (size == pieces.length) {
                pieces = Arrays.copyOf(pieces, 2 * size);
                scores = Arrays.copyOf(scores, 2 * size);
            }
            float score = in.remaining() < 8 ? Float.NaN : in.getFloat();
            int length = in.remaining() < 4 ? -1 : in.getInt();
            if (Float.isNaN(score) || length < 0 || length > longest || length > in.remaining()) {
                throw new IllegalArgumentException(path + ": damaged at byte " + at + ", piece " + size
                        + ": expected a score, a length of at most " + longest + " and that many bytes");
            }
            pieces[size] = new byte[length];
            in.get(pieces[size]);
            scores[size++] = score;
        }
        requireBytes(path, pieces, size);
        String name = path.getFileName().toString();
        return new LlamaCTokenizer(bytes, Arrays.copyOf(pieces, size), Arrays.copyOf(scores, size), name);
    }

    private static void requireBytes(Path path, byte[][] pieces, int size) {
        if (size < FIRST_BYTE + 256) {
            throw new IllegalArgumentException(
                    path + ": only " + size + " pieces; expected at least 259, or it is cut");
        }
        for (int b = 0; b < 256; b++) {
            String piece = new String(pieces[FIRST_BYTE + b], StandardCharsets.UTF_8);
            if (!piece.equals(String.format(Locale.ROOT, "<0x%02X>", b))) {
                throw new IllegalArgumentException(path + ": piece " + (FIRST_BYTE + b) + " is '" + piece
                        + "', expected the byte " + String.format(Locale.ROOT, "<0x%02X>", b));
            }
        }
    }

    @Override
    public int[] encode(String text) {
        int[] plain = encodeOrdinary(text);
        int[] all = new int[plain.length + 1];
        all[0] = BOS;
        System.arraycopy(plain, 0, all, 1, plain.length);
        return all;
    }

    /// A symbol of the text under merging: a doubly linked list of pieces.
    private static final class Symbol {
        int id;
        final int start;
        int end;
        final int order;
        Symbol before;
        Symbol after;

        Symbol(int id, int start, int end, int order) {
            this.id = id;
            this.start = start;
            this.end = end;
            this.order = order;
        }
    }

    private record Merge(Symbol left, Symbol right, int leftId, int rightId, int id, float score) {}

    @Override
    public Encoding encodeWithOffsets(String text) {
        if (text.isEmpty()) {
            return new Encoding(new int[0], new int[0], new int[0]);
        }
        Symbol first = symbols(HuggingFaceTokenizer.wellFormed(text));
        PriorityQueue<Merge> merges = new PriorityQueue<>(
                Comparator.comparingDouble((Merge m) -> -m.score()).thenComparingInt(m -> m.left().order));
        for (Symbol s = first; s.after != null; s = s.after) {
            offer(s, merges);
        }
        while (!merges.isEmpty()) {
            Merge merge = merges.poll();
            Symbol left = merge.left();
            Symbol right = merge.right();
            if (left.after != right || left.id != merge.leftId() || right.id != merge.rightId()) {
                continue; // one of the two has been merged since
            }
            left.id = merge.id();
            right.id = GONE; // what was offered with it on the left no longer holds
            left.end = right.end;
            left.after = right.after;
            if (right.after != null) {
                right.after.before = left;
                offer(left, merges);
            }
            if (left.before != null) {
                offer(left.before, merges);
            }
        }
        int size = 0;
        for (Symbol s = first; s != null; s = s.after) {
            size++;
        }
        Encoding encoding = new Encoding(new int[size], new int[size], new int[size]);
        int i = 0;
        for (Symbol s = first; s != null; s = s.after, i++) {
            encoding.ids()[i] = s.id;
            encoding.starts()[i] = s.start;
            encoding.ends()[i] = s.end;
        }
        return encoding;
    }

    /// The space before the text, which covers nothing of it, and the text's characters.
    private Symbol symbols(String text) {
        Integer space = ids.get(ByteBuffer.wrap(new byte[] {' '}));
        Symbol first = new Symbol(space == null ? FIRST_BYTE + ' ' : space, 0, 0, 0);
        Symbol last = first;
        int order = 1;
        for (int at = 0; at < text.length(); ) {
            int end = at + Character.charCount(text.codePointAt(at));
            byte[] bytes = text.substring(at, end).getBytes(StandardCharsets.UTF_8);
            Integer id = ids.get(ByteBuffer.wrap(bytes));
            for (int b = 0; b < (id == null ? bytes.length : 1); b++) {
                Symbol next = new Symbol(id == null ? FIRST_BYTE + (bytes[b] & 0xFF) : id, at, end, order++);
                next.before = last;
                last.after = next;
                last = next;
            }
            at = end;
        }
        return first;
    }

    private void offer(Symbol left, PriorityQueue<Merge> merges) {
        byte[] a = pieces[left.id];
        byte[] b = pieces[left.after.id];
        byte[] joined = Arrays.copyOf(a, a.length + b.length);
        System.arraycopy(b, 0, joined, a.length, b.length);
        Integer id = ids.get(ByteBuffer.wrap(joined));
        if (id != null) {
            merges.add(new Merge(left, left.after, left.id, left.after.id, id, scores[id]));
        }
    }

    /// The text; a space that follows BOS is dropped, and of the ids' first piece when there is no BOS, so that the
    /// text of what was encoded comes back.
    @Override
    public String decode(int[] tokens, boolean keepSpecial) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (int i = 0; i < tokens.length; i++) {
            int id = tokens[i];
            requireId(id);
            boolean special = id < FIRST_BYTE;
            if (special && !keepSpecial) {
                continue;
            }
            byte[] piece = special
                    ? token(id).strip().getBytes(StandardCharsets.UTF_8)
                    : id < FIRST_BYTE + 256 ? new byte[] {(byte) (id - FIRST_BYTE)} : pieces[id];
            boolean afterBos = i == 0 || tokens[i - 1] == BOS;
            int from = afterBos && piece.length > 0 && piece[0] == ' ' ? 1 : 0;
            out.write(piece, from, piece.length - from);
        }
        return out.toString(StandardCharsets.UTF_8);
    }

    @Override
    public String token(int id) {
        requireId(id);
        return new String(pieces[id], StandardCharsets.UTF_8);
    }

    private void requireId(int id) {
        if (id < 0 || id >= pieces.length) {
            throw new IllegalArgumentException("token id " + id + " is not in 0.." + (pieces.length - 1));
        }
    }

    @Override
    public int vocabularySize() {
        return pieces.length;
    }

    @Override
    public OptionalInt bos() {
        return OptionalInt.of(BOS);
    }

    @Override
    public OptionalInt eos() {
        return OptionalInt.of(EOS);
    }

    @Override
    public OptionalInt pad() {
        return OptionalInt.empty();
    }

    /// EOS, and BOS too: the models of this format mark the end of a story by the beginning of the next.
    @Override
    public Set<Integer> stopIds() {
        return Set.of(BOS, EOS);
    }

    @Override
    public Map<String, byte[]> files() {
        return Map.of(name, file);
    }
}
