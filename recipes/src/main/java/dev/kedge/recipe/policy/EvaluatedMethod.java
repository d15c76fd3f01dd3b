package dev.kedge.recipe.policy;

import dev.kedge.run.result.Frontier;
import dev.kedge.statistics.Estimate;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/// A method's policies on held-out questions, in the order in which they were kept.
///
/// @param phase that trained them
/// @param title of the method, for readers
record EvaluatedMethod(String phase, String title, List<HeldOut> policies) {
    HeldOut last() {
        return policies.getLast();
    }

    /// By how far the last policy is from the start.
    static Comparator<EvaluatedMethod> byDivergence() {
        return Comparator.comparingDouble(method -> method.last().divergence());
    }

    /// A curve over the divergence from the start, through what could be judged.
    ///
    /// @param start empty where it could not be judged
    /// @param y     of each policy, likewise
    /// @param last  what the last point is labelled
    Frontier.Arm curve(
            String name, Optional<Frontier.Point> start, Function<HeldOut, Optional<Estimate>> y, String last) {
        List<Frontier.Point> points = new ArrayList<>(start.stream().toList());
        for (HeldOut policy : policies) {
            y.apply(policy)
                    .map(found -> new Frontier.Point(policy.divergence(), found, policy == last() ? last : ""))
                    .ifPresent(points::add);
        }
        return new Frontier.Arm(name, points);
    }

    /// Curves over the divergence from the start.
    static Frontier frontier(String title, String y, List<Frontier.Arm> curves) {
        return new Frontier(title, "KL(policy || start), nats", y, curves, List.of());
    }
}
