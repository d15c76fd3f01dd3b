package dev.kedge.sequence;

import dev.kedge.nn.lm.Decoder;
import dev.kedge.tensor.Device;
import dev.kedge.text.Tokenizer;
import java.nio.file.Path;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/// A policy as it learns: kept every so many steps and at the end, to be evaluated afterwards.
///
/// @param folder    of all of them
/// @param unit      what is counted, such as `step`: a snapshot lies in `UNIT-N`
/// @param every     steps between two snapshots, >= 1
/// @param last      the last step, >= 1
/// @param tokenizer saved with each
public record Snapshots(Path folder, String unit, int every, int last, Tokenizer tokenizer) {
    public Snapshots {
        if (every < 1 || last < 1) {
            throw new IllegalArgumentException(
                    "a snapshot every >= 1 steps of >= 1 expected, were " + every + " and " + last);
        }
    }

    /// Where the policy after so many steps is kept.
    public Path at(int step) {
        return folder.resolve(unit + "-" + step);
    }

    /// The steps after which the policy is kept, in order.
    public IntStream steps() {
        return IntStream.rangeClosed(1, last).filter(this::isDue);
    }

    /// Whether the policy has learnt to the end.
    public boolean isComplete() {
        return Models.isComplete(at(last));
    }

    /// Trains a policy to the end, unless that is done.
    ///
    /// @param training moves a copy of the start, and has it kept on the way
    public void train(Decoder start, Consumer<Decoder> training) {
        if (!isComplete()) {
            try (Decoder policy = start.copy()) {
                training.accept(policy);
            }
        }
    }

    /// Keeps the policy if a snapshot is due and is not there yet. To be called behind the checkpoint: where that is,
    /// the snapshot can be made again.
    public void keep(int step, Decoder policy) {
        if (isDue(step) && !Models.isComplete(at(step))) {
            Models.save(policy, tokenizer, at(step));
        }
    }

    private boolean isDue(int step) {
        return step % every == 0 || step == last;
    }

    /// The policy after so many steps; the caller closes it.
    public Decoder load(int step, Device device) {
        return Models.load(at(step), device);
    }

    /// The policy after the last step; the caller closes it.
    public Decoder loadLast(Device device) {
        return load(last, device);
    }

    /// What each policy comes to, given its step, in order.
    public <T> List<T> evaluate(Device device, BiFunction<Integer, Decoder, T> evaluation) {
        return steps().mapToObj(step -> {
                    try (Decoder policy = load(step, device)) {
                        return evaluation.apply(step, policy);
                    }
                })
                .toList();
    }
}
