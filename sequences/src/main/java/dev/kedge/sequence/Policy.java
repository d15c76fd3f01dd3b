package dev.kedge.sequence;

import dev.kedge.data.Tokenized;
import dev.kedge.nn.Parameters;
import dev.kedge.nn.file.AdapterFile;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.nn.lm.Lora;
import dev.kedge.run.Run;
import dev.kedge.run.TrainingConfig;
import dev.kedge.tensor.Gradients;
import dev.kedge.tensor.InPlace;
import dev.kedge.tensor.Rng;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Streams;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// A policy that moves away from where it started: all weights of a model, or low-rank adapters on it.
///
/// Where it started is the reference. It is written to the run's folder `reference` before anything moves, so that a
/// run that was stopped starts there again. A policy with adapters has it in the same weights; one whose weights all
/// move keeps a copy of it if its loss needs one, else reads it from that folder when it is first asked for: that is
/// after training, to measure how far the policy has moved.
public final class Policy implements AutoCloseable {
    /// @param rank  of every update, >= 1
    /// @param alpha numerator of the scale
    public record Adapter(int rank, double alpha) {
        public Adapter {
            if (rank < 1 || !(alpha > 0 && alpha < Double.POSITIVE_INFINITY)) {
                throw new IllegalArgumentException(
                        "rank >= 1 and a finite alpha > 0 expected, were " + rank + " and " + alpha);
            }
        }
    }

    private final PretrainedModel model;
    private final Path start;
    private final Decoder decoder;
    private final Optional<Lora> lora;
    private Decoder reference; // null: not asked for yet

    private Policy(PretrainedModel model, Path start, Decoder decoder, Optional<Lora> lora, Decoder reference) {
        this.model = model;
        this.start = start;
        this.decoder = decoder;
        this.lora = lora;
        this.reference = reference;
    }

    /// The policy of a run, before its first step.
    ///
    /// @param model          taken as the start; stays the caller's, who closes it after the policy
    /// @param sft            fine-tuning on `demonstrations` first; absent: none
    /// @param adapter        train low-rank adapters only; absent: all weights
    /// @param needsReference whether the loss asks for the reference
    public static Policy start(
            PretrainedModel model,
            Run run,
            Optional<TrainingConfig> sft,
            List<Tokenized> demonstrations,
            Optional<Adapter> adapter,
            boolean needsReference,
            long seed) {
        Path start = run.folder().resolve("reference");
        Decoder base = model.decoder();
        if (Models.isComplete(start)) {
            try (Decoder saved = Models.load(start, base.device())) {
                copy(saved, base);
            }
        } else {
            if (sft.isPresent()) {
                try (Decoder tuned = base.copy()) { // the start itself stays without gradients and masks
                    long order = Streams.of(seed, "sft");
                    SupervisedTraining.train(run, "sft", tuned, demonstrations, model.padId(), sft.get(), order);
                    copy(tuned, base);
                }
            }
            model.save(base, start);
        }
        if (adapter.isPresent()) {
            try (Rng rng = Rng.seeded(Streams.of(seed, "adapter"))) {
                Lora lora = Lora.create(
                        base,
                        Models.projections(base),
                        adapter.get().rank(),
                        adapter.get().alpha(),
                        rng);
                return new Policy(model, start, base.withAdapter(lora), Optional.of(lora), base.withoutAdapter());
            }
        }
        return needsReference
                ? new Policy(model, start, base.copy(), Optional.empty(), base)
                : new Policy(model, start, base, Optional.empty(), null);
    }

    private static void copy(Decoder from, Decoder to) {
        try (var _ = Gradients.off();
                Scope _ = new Scope()) {
            InPlace.copy_(to.parameters().flat(), from.parameters().flat());
        }
    }

    public PretrainedModel model() {
        return model;
    }

    public Decoder decoder() {
        return decoder;
    }

    /// The parameters that move.
    public Parameters trained() {
        return lora.map(Lora::parameters).orElse(decoder.parameters());
    }

    /// Where the policy started; never moves.
    public Decoder reference() {
        if (reference == null) {
            reference = Models.load(start, decoder.device());
        }
        return reference;
    }

    /// Writes what was learnt: to the run's folder `model` all weights, or to `adapter` the adapter alone.
    public void save(Run run) {
        if (lora.isEmpty()) {
            model.save(decoder, run.folder().resolve("model"));
            return;
        }
        new AdapterFile(model.found().origin().family(), decoder.config())
                .write(
                        run.folder().resolve("adapter"),
                        lora.get().weights(),
                        start,
                        reference().parameters().named());
    }

    @Override
    public void close() {
        lora.ifPresent(Lora::close);
        for (Decoder own : reference == null ? List.of(decoder) : List.of(decoder, reference)) {
            if (own != model.decoder()) {
                own.close();
            }
        }
    }
}
