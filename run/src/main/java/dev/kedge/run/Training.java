package dev.kedge.run;

import dev.kedge.nn.Parameters;
import dev.kedge.nn.optim.AdamW;
import dev.kedge.nn.optim.Schedule;
import dev.kedge.tensor.Scope;
import java.util.List;
import java.util.function.IntConsumer;
import java.util.function.IntFunction;

/// The training loop of every recipe: what [Run] asks for to be resumable to the bit, in one place.
///
/// ```java
/// try (Training training = new Training(run, "dpo", config, policy.parameters())) {
///     training.run(step -> Step.on(batches.at(step), config.microBatch(), part -> gradient(part)));
/// }
/// ```
///
/// A phase goes on from the run's last checkpoint where that is of this phase. In each step, in this order:
///
/// 1. the recipe plans it: draws what has to be drawn, and says what its parts are ([Step]);
/// 2. each part adds its gradient; metrics are gathered in the order of the parts;
/// 3. the gradient is clipped, and [Run#guard] stops the run before a NaN reaches the parameters; log-probs of sampler
///    and trainer must agree where they were compared ([SamplerAgreement]);
/// 4. the parameters are moved at the schedule's learning rate; `lr` is logged as the optimiser applied it;
/// 5. what follows the update, such as a moving anchor;
/// 6. the step is logged and shown, and saved where a checkpoint is due.
///
/// A step is one [Scope], each part another one inside it.
public final class Training implements AutoCloseable {
    /// Where a training's steps stand in a phase that has more of them.
    ///
    /// @param before steps of the phase before this training's first
    /// @param cycles how often the configured steps are gone through, each time under the whole schedule
    /// @param total  steps of the whole phase
    public record Span(int before, int cycles, int total) {
        public Span {
            if (before < 0 || cycles < 1 || total < before) {
                throw new IllegalArgumentException("before >= 0, cycles >= 1 and total >= before expected, were "
                        + before + ", " + cycles + " and " + total);
            }
        }

        /// Once, and that is all of the phase.
        static Span once(TrainingConfig config) {
            return new Span(0, 1, config.steps());
        }
    }

    private final Run run;
    private final String phase;
    private final TrainingConfig config;
    private final Parameters trained;
    private final List<Remembered> remembered;
    private final Span span;
    private final AdamW optimizer;

    /// @param phase      its name in metrics and checkpoints
    /// @param trained    the parameters that move
    /// @param remembered what else a checkpoint holds
    public Training(Run run, String phase, TrainingConfig config, Parameters trained, Remembered... remembered) {
        this(run, phase, config, trained, Span.once(config), remembered);
    }

    /// A training that is a stretch of a longer phase.
    public Training(
            Run run, String phase, TrainingConfig config, Parameters trained, Span span, Remembered... remembered) {
        this.run = run;
        this.phase = phase;
        this.config = config;
        this.trained = trained;
        this.span = span;
        this.remembered = List.of(remembered);
        optimizer = config.optimizer(trained);
    }

    /// Who moves the parameters.
    public AdamW optimizer() {
        return optimizer;
    }

    /// Takes all steps that are left.
    ///
    /// @param plan of a step by its number, counted from 0 in this training: a function of that number, of the
    ///             parameters and of what is remembered, of nothing else
    /// @throws RunFailedException if a loss or a gradient is not finite, or sampler and trainer disagree
    public void run(IntFunction<Step> plan) {
        run(plan, _ -> {});
    }

    /// Takes all steps that are left.
    ///
    /// @param done is told how many steps are done, after the checkpoint if one was due, and once where it goes on
    ///             from one: what it makes of the parameters can be made again
    public void run(IntFunction<Step> plan, IntConsumer done) {
        Schedule schedule = config.schedules();
        int first = restore(done);
        int last = span.cycles() * config.steps();
        try (Progress progress = run.progress(phase, span.before() + first, span.total())) {
            for (int number = first; number < last; number++) {
                long start = System.nanoTime();
                long step = span.before() + number + 1L;
                try (Scope _ = new Scope()) {
                    Step planned = plan.apply(number);
                    StepMetrics metrics = take(planned, step, schedule.at(number % config.steps()));
                    planned.then().accept(metrics);
                    if (planned.tokens() > 0) {
                        metrics.put("tokens_per_s", planned.tokens() / ((System.nanoTime() - start) / 1e9));
                    }
                    run.log(phase, step, metrics.values());
                    if (planned.tokens() > 0) {
                        progress.step(step, metrics.get("loss"), planned.tokens());
                    } else {
                        progress.step(step, planned.said().apply(metrics));
                    }
                    if (planned.isWhole() && isDue(number + 1)) {
                        save(step);
                    }
                    if (planned.isWhole()) {
                        done.accept(number + 1);
                    }
                }
            }
        }
    }

    /// Gradient, guard, update.
    private StepMetrics take(Step planned, long step, double learningRate) {
        StepMetrics metrics = planned.gradient();
        if (!planned.parts().isEmpty()) {
            metrics.put("grad_norm", trained.clipGradient(config.maxGradNorm()));
            run.guard(phase, step, metrics.values());
            SamplerAgreement.in(metrics).ifPresent(SamplerAgreement::require);
            planned.update().apply(optimizer, learningRate);
            metrics.put("lr", optimizer.learningRate());
        }
        return metrics;
    }

    /// Reads the checkpoint of this training, if there is one.
    ///
    /// @return how many of its steps are done
    private int restore(IntConsumer done) {
        var saved = run.latest().filter(c -> c.phase().equals(phase) && c.step() > span.before());
        if (saved.isEmpty()) {
            return 0;
        }
        saved.get().restore("model", trained.named());
        saved.get().restore("optimizer", optimizer.state());
        remembered.forEach(r -> r.restore(saved.get()));
        int steps = (int) saved.get().step() - span.before();
        done.accept(steps);
        return steps;
    }

    private boolean isDue(int done) {
        return done % config.checkpointEvery() == 0 || done % config.steps() == 0;
    }

    private void save(long step) {
        Checkpoint checkpoint =
                Checkpoint.at(phase, step).tensors("model", trained.named()).tensors("optimizer", optimizer.state());
        remembered.forEach(r -> r.save(checkpoint));
        run.save(checkpoint);
    }

    @Override
    public void close() {
        optimizer.close();
    }
}
