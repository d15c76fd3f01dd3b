package dev.kedge.cli;

import dev.kedge.nn.file.GenerationConfig;
import dev.kedge.nn.file.ModelFolder;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.nn.lm.DecoderConfig;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Rng;
import dev.kedge.text.CharTokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// A random model of a few numbers, and a recipe for it.
final class TinyFiles {
    static final CharTokenizer TOKENIZER = CharTokenizer.of("abcdefgh ");

    private TinyFiles() {}

    static Path model(Path folder) {
        return model(folder, TOKENIZER);
    }

    static Path model(Path folder, CharTokenizer tokenizer) {
        return model(folder, tokenizer, tokenizer.vocabularySize());
    }

    /// An embedding of so many rows.
    static Path model(Path folder, CharTokenizer tokenizer, int rows) {
        try (Rng rng = Rng.seeded(1);
                Decoder decoder = Decoder.random(DecoderConfig.small(rows, 16, 1, 2, 24), rng, Device.CPU)) {
            tokenizer.save(folder);
            ModelFolder.save(
                    folder,
                    decoder.config(),
                    decoder.parameters().named(),
                    GenerationConfig.of(List.of(2), Optional.of(1), Optional.of(0)));
        }
        return folder;
    }

    static Path completions(Path file) throws IOException {
        return Files.writeString(file, "{\"prompt\": \"ab \", \"completion\": \"cd\"}\n".repeat(20));
    }

    static Path dpo(Path file, Path model, Path data) throws IOException {
        return Files.writeString(file, """
                recipe: dpo
                model: %s
                data: %s
                loss:
                  kind: sigmoid
                  beta: 0.1
                max_length: 64
                truncation: drop
                held_out: 4
                training:
                  steps: 4
                  batch_size: 4
                  micro_batch: 4
                  batches: shuffled
                  learning_rate: 1e-2
                  schedule: constant
                  warmup_steps: 0
                  min_lr_ratio: 1
                  beta1: 0.9
                  beta2: 0.98
                  weight_decay: 0
                  max_grad_norm: 1
                  checkpoint_every: 2
                evaluation:
                  kl_prompts: 2
                  reply_tokens: 3
                  temperature: 1
                  samples: 1
                device: cpu
                threads: 1
                seed: 1
                """.formatted(model, data));
    }

    static Path sft(Path file, Path model, Path data) throws IOException {
        return Files.writeString(file, """
                recipe: sft
                model: %s
                data: %s
                max_length: 24
                truncation: drop
                held_out: 4
                training:
                  steps: 6
                  batch_size: 4
                  micro_batch: 4
                  batches: shuffled
                  learning_rate: 1e-2
                  schedule: constant
                  warmup_steps: 0
                  min_lr_ratio: 1
                  beta1: 0.9
                  beta2: 0.98
                  weight_decay: 0
                  max_grad_norm: 1
                  checkpoint_every: 2
                samples: 1
                sample_tokens: 3
                device: cpu
                threads: 1
                seed: 1
                """.formatted(model, data));
    }
}
