package dev.kedge.sequence;

import dev.kedge.data.Tokenized;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.run.Run;
import dev.kedge.run.TrainingConfig;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Rng;
import dev.kedge.tensor.Streams;
import dev.kedge.text.Tokenizer;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;

/// How the decoders of a generated task are pre-trained: each once a run, and kept in its folder.
///
/// @param seed of the random weights and of the order of the text, each of its own for every phase
public record Pretraining(Run run, Tokenizer tokenizer, Device device, TrainingConfig config, long seed) {
    /// The decoder of a folder: made there where the run has not made it yet.
    ///
    /// @param phase its name in metrics and checkpoints
    /// @param fresh a decoder with random weights
    /// @param text  that it learns
    public Decoder decoder(String phase, Path folder, Function<Rng, Decoder> fresh, Supplier<List<Tokenized>> text) {
        if (!Models.isComplete(folder)) {
            try (Rng rng = Rng.seeded(Streams.of(seed, "weights of " + phase));
                    Decoder model = fresh.apply(rng)) {
                long order = Streams.of(seed, "order of " + phase);
                SupervisedTraining.train(run, phase, model, text.get(), Models.padId(tokenizer), config, order);
                Models.save(model, tokenizer, folder);
            }
        }
        return Models.load(folder, device);
    }
}
