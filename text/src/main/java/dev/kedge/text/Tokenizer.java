package dev.kedge.text;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;

/// Turns text into token ids and back. Safe for use by several threads; closing frees native memory where there is any.
public sealed interface Tokenizer extends AutoCloseable permits HuggingFaceTokenizer, LlamaCTokenizer, CharTokenizer {
    /// Token ids, and for each the half-open range of the text that it covers, in UTF-16 units: `starts[i]..ends[i]`.
    /// A token that the tokenizer itself added, or that covers nothing, has an empty range. Tokens that are parts
    /// of one character all cover that character.
    record Encoding(int[] ids, int[] starts, int[] ends) {}

    /// The ids of a text with the special tokens that this tokenizer adds by itself, such as BOS.
    int[] encode(String text);

    /// The ids of a text as it stands: no token is added, special tokens written in the text are recognised. This is
    /// the way to encode a rendered chat template.
    default int[] encodeOrdinary(String text) {
        return encodeWithOffsets(text).ids();
    }

    /// The ids of an answer: as [#encodeOrdinary], and the end of the text behind them.
    ///
    /// @throws java.util.NoSuchElementException if the tokenizer has no end-of-text token
    default int[] encodeAnswer(String text) {
        int[] ids = encodeOrdinary(text);
        int[] ended = Arrays.copyOf(ids, ids.length + 1);
        ended[ids.length] = eos().orElseThrow();
        return ended;
    }

    /// As [#encodeOrdinary], with the place of each token in the text.
    Encoding encodeWithOffsets(String text);

    /// The text of token ids without the special tokens; bytes that are not UTF-8 become U+FFFD.
    ///
    /// @throws IllegalArgumentException if an id is not in the vocabulary
    default String decode(int[] ids) {
        return decode(ids, false);
    }

    /// The text of token ids, with the special tokens written out if `keepSpecial`.
    String decode(int[] ids, boolean keepSpecial);

    /// The piece of one id as it stands in the vocabulary, for display.
    String token(int id);

    /// The number of ids, special ones included: every id is below it. A model's embedding may be longer.
    int vocabularySize();

    /// Whether an id has a token: one of a model's embedding may have none, and ids may have gaps.
    default boolean hasToken(int id) {
        return id >= 0 && id < vocabularySize();
    }

    /// The id that begins a text, if the tokenizer or its model names one.
    OptionalInt bos();

    /// The id that ends a text, if the tokenizer or its model names one; of several, the tokenizer's own.
    OptionalInt eos();

    /// The id that fills a batch, if the tokenizer or its model names one.
    OptionalInt pad();

    /// All ids at which generation stops: [#eos], what the model's generation_config.json and config.json add, and the
    /// special token with which its chat template ends a reply.
    Set<Integer> stopIds();

    /// The files that [#load] reads, by name, byte for byte as they were found.
    Map<String, byte[]> files();

    /// Writes [#files] into a folder, which is made if need be.
    ///
    /// @throws java.io.UncheckedIOException if a file cannot be written
    default void save(Path folder) {
        files().forEach((name, bytes) -> TokenizerFiles.write(folder, name, bytes));
    }

    /// Frees native memory; the tokenizer cannot be used after it.
    @Override
    default void close() {}

    /// Loads the tokenizer of a model folder, or from one of its files.
    ///
    /// Looked for in this order: `tokenizer.json`; `vocab.json` with `merges.txt` (byte-level BPE: see
    /// [HuggingFaceTokenizer] for how GPT-2 and Qwen2 are told apart); `tokenizer_config.json` with `char_ords`;
    /// a llama2.c `tok*.bin`, also beside a given llama2.c model file.
    ///
    /// @throws IllegalArgumentException if there is no tokenizer, or it is damaged; one line that names the file
    static Tokenizer load(Path modelFolderOrFile) {
        return TokenizerFiles.load(modelFolderOrFile, modelFolderOrFile);
    }

    /// Loads a tokenizer that lies apart from its model, as that of an adapter may: special ids that its own folder
    /// does not name are taken from the model's generation_config.json and config.json.
    ///
    /// @throws IllegalArgumentException as [#load(Path)]
    static Tokenizer load(Path tokenizer, Path model) {
        return TokenizerFiles.load(tokenizer, model);
    }

    /// Whether a folder holds one of the forms that [#load] reads.
    static boolean isIn(Path folder) {
        return TokenizerFiles.isIn(folder);
    }

    /// The files of a model's tokenizer, chat template and generation settings, by name: those that [#load] and
    /// [ChatTemplate#load] read, and tokenizer.model, which others do. Empty where there are none.
    ///
    /// @throws java.io.UncheckedIOException if a file cannot be read
    static Map<String, byte[]> filesOf(Path modelFolderOrFile) {
        return TokenizerFiles.of(modelFolderOrFile);
    }
}
