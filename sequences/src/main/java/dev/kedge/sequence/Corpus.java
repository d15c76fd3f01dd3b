package dev.kedge.sequence;

import dev.kedge.config.ConfigException;
import dev.kedge.data.DataException;
import dev.kedge.data.DataException.Place;
import dev.kedge.data.Dataset;
import dev.kedge.data.Document;
import dev.kedge.data.Example;
import dev.kedge.data.Packing;
import dev.kedge.data.Preference;
import dev.kedge.data.PromptCompletion;
import dev.kedge.data.ReadOptions;
import dev.kedge.data.Split;
import dev.kedge.data.Tokenisation;
import dev.kedge.data.Tokenized;
import dev.kedge.data.Truncation;
import dev.kedge.run.Run;
import dev.kedge.text.ChatTemplate;
import dev.kedge.text.Tokenizer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Completions or text to learn from, or to judge by.
///
/// @param file          records with completions, or text
/// @param promptKey     the key that stands for `prompt` in the file, where it is another
/// @param completionKey the key that stands for `completion`
/// @param separator     between the documents of a text file
public record Corpus(
        Path file, Optional<String> promptKey, Optional<String> completionKey, Optional<String> separator) {
    /// Sequences to learn from, and others that are kept.
    ///
    /// @param model      the folder whose chat template is used, if it has one
    /// @param length     most tokens of a sequence
    /// @param truncation what happens to longer ones
    /// @param heldOut    examples (documents) kept
    /// @throws DataException if there are no more than these, or no sequence is left
    public Split<Tokenized> split(
            Path model, Tokenizer tokenizer, int length, Truncation truncation, int heldOut, long seed, Run run) {
        Map<String, String> keys = new LinkedHashMap<>();
        promptKey.ifPresent(key -> keys.put("prompt", key));
        completionKey.ifPresent(key -> keys.put("completion", key));
        ReadOptions options = ReadOptions.skipping().withKeys(keys);
        Dataset data = Dataset.read(file, separator.map(options::withSeparator).orElse(options));
        data.skipped().lines().forEach(line -> run.note("left out: " + line));
        if (data.examples().size() <= heldOut) {
            throw new ConfigException(file + ": has " + data.examples().size()
                    + " examples, more than held_out are needed, which is " + heldOut);
        }
        Split<Example> split = Split.seeded(data.examples(), heldOut, seed);
        return new Split<>(
                sequences(split.train(), model, tokenizer, length, truncation, run),
                sequences(split.heldOut(), model, tokenizer, length, truncation, run));
    }

    /// Documents are joined and cut into windows; everything else is one sequence each. Of a preference, the chosen
    /// reply.
    private List<Tokenized> sequences(
            List<Example> examples, Path model, Tokenizer tokenizer, int length, Truncation truncation, Run run) {
        if (examples.stream().allMatch(Document.class::isInstance)) {
            List<int[]> documents = examples.stream()
                    .map(e -> tokenizer.encode(((Document) e).text()))
                    .toList();
            int end = tokenizer.bos().isPresent() ? -1 : tokenizer.eos().orElse(-1); // BOS parts documents already
            return Packing.windows(documents, length, end);
        }
        Optional<ChatTemplate> template = Files.isDirectory(model) ? ChatTemplate.load(model) : Optional.empty();
        Tokenisation tokenisation = new Tokenisation(
                tokenizer, template.or(() -> Optional.of(ChatTemplate.HUMAN_ASSISTANT)), length, truncation);
        List<Example> replies = examples.stream()
                .map(e -> e instanceof Preference p ? new PromptCompletion(p.prompt(), p.chosen()) : e)
                .toList();
        var tokens = tokenisation.sequences(replies, ReadOptions.Wrong.SKIP);
        tokens.skipped().lines().forEach(line -> run.note("left out: " + line));
        if (tokens.items().isEmpty()) {
            throw new DataException(
                    Place.file(file),
                    "",
                    "no sequence is left of " + examples.size() + "; left out: "
                            + tokens.skipped().lines().getFirst());
        }
        return tokens.items();
    }
}
