package dev.kedge.cli;

import dev.kedge.data.Dataset;
import dev.kedge.data.Preview;
import dev.kedge.data.ReadOptions;
import dev.kedge.data.Tokenisation;
import dev.kedge.data.Truncation;
import dev.kedge.sequence.Models;
import dev.kedge.text.ChatTemplate;
import dev.kedge.text.Tokenizer;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// Shows examples as the model sees them.
@Command(
        name = "preview",
        description = "Show examples with their tokens, and which of them are learnt.",
        mixinStandardHelpOptions = true)
final class PreviewCommand implements Callable<Integer> {
    @Option(
            names = "--model",
            required = true,
            paramLabel = "DIR",
            description = "The folder of the tokenizer and its template.")
    Path model;

    @Option(
            names = "--data",
            required = true,
            paramLabel = "FILE",
            description = "JSONL, JSON, Parquet or text; gzip too.")
    Path data;

    @Option(names = "--key", paramLabel = "KNOWN=YOURS", description = "The file's key for prompt, completion, ...")
    Map<String, String> keys = new HashMap<>();

    @Option(names = "--count", defaultValue = "1", paramLabel = "N", description = "Examples (${DEFAULT-VALUE}).")
    int count;

    @Option(names = "--skip", defaultValue = "0", paramLabel = "N", description = "Examples to pass over first.")
    int skip;

    @Option(
            names = "--max-length",
            defaultValue = "512",
            paramLabel = "N",
            description = "Tokens of a sequence (${DEFAULT-VALUE}).")
    int maxLength;

    @Option(names = "--truncation", defaultValue = "keep_prompt_end", description = "${COMPLETION-CANDIDATES}")
    Truncation truncation;

    @Option(names = "--colour", negatable = true, description = "Force colours on or off.")
    Boolean colour;

    @Override
    public Integer call() {
        boolean colours = colour != null ? colour : System.console() != null && System.getenv("NO_COLOR") == null;
        Dataset dataset = Dataset.read(data, ReadOptions.skipping().withKeys(keys));
        try (Tokenizer tokenizer = Models.tokenizer(model)) {
            Models.requireRows(model, tokenizer);
            Optional<ChatTemplate> template = Models.chatTemplate(model);
            Tokenisation tokenisation = new Tokenisation(
                    tokenizer, template.or(() -> Optional.of(ChatTemplate.HUMAN_ASSISTANT)), maxLength, truncation);
            dataset.examples().stream()
                    .skip(skip)
                    .limit(count)
                    .forEach(example -> System.out.println(Preview.of(example, tokenisation, colours)));
        }
        System.out.println(dataset.examples().size() + " examples");
        dataset.skipped().lines().forEach(line -> System.out.println("left out: " + line));
        return 0;
    }
}
