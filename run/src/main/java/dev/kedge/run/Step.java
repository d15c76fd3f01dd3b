package dev.kedge.run;

import dev.kedge.nn.optim.AdamW;
import dev.kedge.tensor.Scope;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;

/// What one step of a [Training] does, as its recipe planned it: functions that the training calls in its own order.
///
/// The gradient is a sum over `parts`. No part sees what another one did, and all see the same parameters: they may be
/// computed side by side, and what they measured is gathered in their order.
///
/// @param parts    each adds the gradient of its share of the step's loss to the parameters' and returns its share of
///                 the step's metrics, `loss` among them; where there is none, nothing moves and the step is only
///                 logged
/// @param completed completes the metrics of all parts, before anything moves
/// @param update   moves the parameters
/// @param then     what follows the update, before the step is logged and saved; may measure more
/// @param tokens   that the step learns from; 0 where they do not count
/// @param said     of the step on the terminal, where tokens do not count
/// @param isWhole  whether a checkpoint may follow: a half step has none
public record Step(
        List<Supplier<StepMetrics>> parts,
        Consumer<StepMetrics> completed,
        Update update,
        Consumer<StepMetrics> then,
        long tokens,
        Function<StepMetrics, String> said,
        boolean isWhole) {
    /// Moves parameters against their gradient.
    public interface Update {
        void apply(AdamW optimizer, double learningRate);
    }

    public Step {
        parts = List.copyOf(parts);
    }

    /// A step of these parts and nothing else.
    public static Step of(List<Supplier<StepMetrics>> parts) {
        return new Step(
                parts,
                _ -> {},
                AdamW::step,
                _ -> {},
                0,
                m -> String.format(Locale.ROOT, "loss %.4g", m.get("loss")),
                true);
    }

    /// A step on some examples, so many a part.
    ///
    /// @param microBatch examples a part, >= 1
    /// @param gradient   adds that of these examples
    public static <T> Step on(List<T> examples, int microBatch, Function<List<T>, StepMetrics> gradient) {
        List<Supplier<StepMetrics>> parts = new ArrayList<>();
        for (int from = 0; from < examples.size(); from += microBatch) {
            List<T> part = examples.subList(from, Math.min(from + microBatch, examples.size()));
            parts.add(() -> gradient.apply(part));
        }
        return of(parts);
    }

    /// A step on examples by their numbers.
    public static Step on(int[] examples, int microBatch, Function<int[], StepMetrics> gradient) {
        return on(
                Arrays.stream(examples).boxed().toList(),
                microBatch,
                part -> gradient.apply(part.stream().mapToInt(i -> i).toArray()));
    }

    /// Adds the gradient of all parts, each in a scope of its own: what a [Training] does first, and what a loop of
    /// one's own can call.
    ///
    /// @return what the parts measured, completed
    public StepMetrics gradient() {
        StepMetrics metrics = new StepMetrics();
        for (Supplier<StepMetrics> part : parts) {
            try (Scope _ = new Scope()) {
                metrics.gather(part.get());
            }
        }
        metrics.settle();
        completed.accept(metrics);
        return metrics;
    }

    /// The same with its tokens counted.
    public Step tokens(long count) {
        return new Step(parts, completed, update, then, count, said, isWhole);
    }

    /// The same with metrics completed by this, too.
    public Step completed(Consumer<StepMetrics> more) {
        return new Step(parts, completed.andThen(more), update, then, tokens, said, isWhole);
    }

    /// The same moved otherwise.
    public Step update(Update other) {
        return new Step(parts, completed, other, then, tokens, said, isWhole);
    }

    /// The same followed by this, too.
    public Step then(Consumer<StepMetrics> more) {
        return new Step(parts, completed, update, then.andThen(more), tokens, said, isWhole);
    }

    /// The same with other words for the terminal.
    public Step said(Function<StepMetrics, String> words) {
        return new Step(parts, completed, update, then, tokens, words, isWhole);
    }

    /// The same without a checkpoint behind it.
    public Step half() {
        return new Step(parts, completed, update, then, tokens, said, false);
    }
}
