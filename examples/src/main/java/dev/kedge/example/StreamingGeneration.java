package dev.kedge.example;

import dev.kedge.nn.lm.Decoder;
import dev.kedge.nn.lm.DecoderConfig;
import dev.kedge.nn.lm.Generator;
import dev.kedge.nn.lm.Generator.Completion;
import dev.kedge.nn.lm.Sampling;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Rng;
import dev.kedge.text.CharTokenizer;
import dev.kedge.text.StreamDecoder;
import dev.kedge.text.Tokenizer;
import java.util.List;
import java.util.function.Consumer;

/// Generation, shown as it comes: the listener hears of every token, and a [StreamDecoder] gives out only text that no
/// later token can change, such as a character of several tokens.
public final class StreamingGeneration {
    private StreamingGeneration() {}

    public static void main(String[] args) {
        Completion completion = continued("once upon a time", 24, System.out::print);
        System.out.println();
        System.out.println(completion.tokens().length + " tokens, ended by " + completion.reason());
    }

    /// Continues a prompt with a model that has learnt nothing yet.
    ///
    /// @param text takes what becomes certain, piece by piece
    public static Completion continued(String prompt, int maxTokens, Consumer<String> text) {
        try (Tokenizer tokenizer = CharTokenizer.of("abcdefghijklmnopqrstuvwxyz ")) {
            DecoderConfig shape = DecoderConfig.small(tokenizer.vocabularySize(), 32, 2, 2, 64);
            Decoder model = Decoder.random(shape, Rng.seeded(7), Device.CPU);
            StreamDecoder stream = new StreamDecoder(tokenizer);
            var options = new Generator.Options(
                    new Sampling(0.8, 0, 0.95, 0), // temperature, no top-k, top-p, no min-p
                    maxTokens,
                    1,
                    tokenizer.stopIds(),
                    null, // or a rule on the ids so far, for stop strings
                    42, // equal seeds, equal text
                    false);
            try (var _ = model.parameters()) {
                Completion completion = Generator.generate(
                                model,
                                List.of(tokenizer.encode(prompt)),
                                options,
                                (_, token) -> text.accept(stream.feed(token)))
                        .getFirst();
                text.accept(stream.finish());
                return completion;
            }
        }
    }
}
