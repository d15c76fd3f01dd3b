package dev.kedge.reproduction.trial;

import dev.kedge.lab.report.Metrics;
import dev.kedge.nn.optim.Schedule;
import dev.kedge.recipe.policy.Environment;
import dev.kedge.recipe.policy.PolicyMethod;
import dev.kedge.recipe.policy.RlvrRecipe;
import dev.kedge.recipe.policy.Truncated;
import dev.kedge.run.TrainingConfig;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/// A run of [RlvrRecipe] as an experiment: its methods learn from the same start, on the same questions in the same
/// order.
///
/// @param metrics a phase for each method, named by its title in lower case with dashes, and `held_out-` before it for
///                its policies on held-out questions
public record RlvrTrial(Metrics metrics) {
    public static RlvrTrial run(RlvrRecipe.Config config) {
        return run(List.of(config)).getFirst();
    }

    /// Several of them, which share what they start from where their environments and seeds are the same.
    public static List<RlvrTrial> run(List<RlvrRecipe.Config> configs) {
        return RecipeTrial.run("rlvr", configs, RlvrRecipe::run).stream()
                .map(run -> new RlvrTrial(run.metrics()))
                .toList();
    }

    /// How draws are used and policies are judged.
    ///
    /// @param steps         on one draw
    /// @param passes        through it
    /// @param snapshotEvery steps between policies that are judged
    /// @param samples       completions to a question that is judged
    public record Sampling(int steps, int passes, int snapshotEvery, int samples) {}

    /// On one thread of the processor.
    ///
    /// @param group completions a question
    public static RlvrRecipe.Config config(
            Environment environment,
            List<PolicyMethod> methods,
            int group,
            TrainingConfig training,
            Sampling sampling,
            long seed) {
        return new RlvrRecipe.Config(
                environment,
                methods,
                group,
                1,
                Truncated.JUDGED,
                training,
                sampling.steps,
                sampling.passes,
                sampling.snapshotEvery,
                sampling.samples,
                training.steps(),
                "cpu",
                1,
                seed);
    }

    /// How a start is made: a rate of 3e-3 that falls after a warm-up.
    ///
    /// @param batch demonstrations a step
    public static TrainingConfig pretraining(int steps, int batch) {
        return RecipeTrial.training(new Schedule(Schedule.Shape.COSINE, 3e-3, steps / 6, steps, 0.05), batch, 0.01);
    }

    /// How a policy learns: at one rate, without decay.
    ///
    /// @param questions a step
    public static TrainingConfig learning(int steps, int questions, double rate) {
        return RecipeTrial.training(new Schedule(Schedule.Shape.CONSTANT, rate, 0, steps, 1), questions, 0);
    }

    /// The phase of a method, where no other of its title came before.
    public static String phase(PolicyMethod method) {
        return method.title().toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]+", "-");
    }

    /// A metric of every step of a method's training.
    public double[] training(String method, String metric) {
        return metrics.series(method, metric).values().clone();
    }

    /// A metric of a method's policies on held-out questions, as they were kept along the way.
    public double[] heldOut(String method, String metric) {
        return metrics.series("held_out-" + method, metric).values().clone();
    }

    /// The last of [#heldOut].
    public double last(String method, String metric) {
        double[] values = heldOut(method, metric);
        return values[values.length - 1];
    }

    /// The mean over the last tenth of a training's values.
    public static double late(double[] values) {
        return Arrays.stream(values, values.length - (values.length + 9) / 10, values.length)
                .average()
                .orElseThrow();
    }
}
