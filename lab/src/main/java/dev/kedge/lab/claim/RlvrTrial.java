package dev.kedge.lab.claim;

import dev.kedge.lab.Metrics;
import dev.kedge.recipe.RlvrRecipe;
import java.util.Arrays;

/// A run of [RlvrRecipe] as an experiment: its methods learn from the same start, on the same questions in the same
/// order.
///
/// @param metrics a phase for each method, named by its title in lower case with dashes, and `held_out-` before it for
///                its policies on held-out questions
record RlvrTrial(Metrics metrics) {
    static RlvrTrial run(RlvrRecipe.Config config) {
        return new RlvrTrial(RecipeTrial.run("rlvr", config, RlvrRecipe::run).metrics());
    }

    /// A metric of every step of a method's training.
    double[] training(String method, String metric) {
        return values(method, metric);
    }

    /// A metric of a method's policies on held-out questions, as they were kept along the way.
    double[] heldOut(String method, String metric) {
        return values("held_out-" + method, metric);
    }

    /// The last of [#heldOut].
    double last(String method, String metric) {
        double[] values = heldOut(method, metric);
        return values[values.length - 1];
    }

    private double[] values(String phase, String metric) {
        return metrics.phases().stream()
                .filter(p -> p.name().equals(phase))
                .findFirst()
                .map(p -> p.series().get(metric))
                .map(s -> Arrays.copyOf(s.values(), s.values().length))
                .orElseThrow(() -> new IllegalArgumentException("no " + metric + " of " + phase));
    }
}
