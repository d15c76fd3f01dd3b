package dev.kedge.sequence;

import dev.kedge.data.Tokenized;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.nn.lm.Generator;
import dev.kedge.run.result.Summary;
import dev.kedge.text.Tokenizer;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// What a model makes of a few prompts, before it learns and after: for a report.
///
/// @param prompts tokens
/// @param length  of what is written, at most, tokens
public record Samples(Tokenizer tokenizer, List<int[]> prompts, int length) {
    /// How so many of some sequences begin: with their prompts, or with a quarter of what has none.
    public static Samples of(Tokenizer tokenizer, List<Tokenized> sequences, int count, int length) {
        return new Samples(
                tokenizer,
                sequences.stream().limit(count).map(Samples::beginning).toList(),
                length);
    }

    private static int[] beginning(Tokenized sequence) {
        return sequence.promptLength() > 1
                ? sequence.prompt()
                : Arrays.copyOf(sequence.tokens(), Math.max(1, sequence.length() / 4));
    }

    /// Greedy continuations, one of each prompt.
    public List<String> continuations(Decoder model) {
        return Generator.generate(model, prompts, Generator.Options.greedy(length, tokenizer.stopIds()), null).stream()
                .map(c -> tokenizer.decode(c.tokens()))
                .toList();
    }

    /// The summary with prompts and both continuations.
    public Summary shown(Summary summary, List<String> before, List<String> after) {
        Summary all = summary;
        for (int i = 0; i < prompts.size(); i++) {
            all = all.sample(new Summary.Sample(
                    tokenizer.decode(prompts.get(i)),
                    before.get(i),
                    after.get(i),
                    Optional.empty(),
                    Optional.empty(),
                    ""));
        }
        return all;
    }
}
