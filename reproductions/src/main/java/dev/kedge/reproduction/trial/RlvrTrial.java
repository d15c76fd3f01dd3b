package dev.kedge.reproduction.trial;

import dev.kedge.lab.report.Metrics;
import dev.kedge.nn.optim.Schedule;
import dev.kedge.recipe.policy.PolicyMethod;
import dev.kedge.recipe.policy.RlvrRecipe;
import dev.kedge.run.EpochBatches;
import dev.kedge.run.TrainingConfig;
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

    /// Several of them, which share what they start from where their worlds and seeds are the same.
    public static List<RlvrTrial> run(List<RlvrRecipe.Config> configs) {
        return RecipeTrial.run("rlvr", configs, RlvrRecipe::run).stream()
                .map(run -> new RlvrTrial(run.metrics()))
                .toList();
    }

    /// How a start is made: a rate of 3e-3 that falls after a warm-up.
    ///
    /// @param batch demonstrations a step
    public static TrainingConfig pretraining(int steps, int batch) {
        return new TrainingConfig(
                steps,
                batch,
                batch,
                EpochBatches.Order.SHUFFLED,
                3e-3,
                Schedule.Shape.COSINE,
                steps / 6,
                0.05,
                0.9,
                0.98,
                0.01,
                1,
                steps);
    }

    /// How a policy learns: at one rate, without decay.
    ///
    /// @param questions a step
    public static TrainingConfig learning(int steps, int questions, double rate) {
        return new TrainingConfig(
                steps,
                questions,
                questions,
                EpochBatches.Order.SHUFFLED,
                rate,
                Schedule.Shape.CONSTANT,
                0,
                1,
                0.9,
                0.98,
                0,
                1,
                steps);
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
}
