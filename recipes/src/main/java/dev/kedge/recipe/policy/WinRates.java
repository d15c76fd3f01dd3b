package dev.kedge.recipe.policy;

import dev.kedge.run.result.Frontier;
import dev.kedge.run.result.Summary;
import dev.kedge.statistics.Bootstrap;
import dev.kedge.statistics.Estimate;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/// How often policies win against their start on held-out questions when answers are selected, both sides selecting
/// alike: over the divergence from it, because strengths of methods do not mean the same.
///
/// @param start what the start answered, sampled apart from what policies are evaluated by
/// @param n     answers to select from
record WinRates(HeldOut start, int n, Bootstrap bootstrap) {
    /// Means over questions, by the names of metrics; what could not be judged has none.
    Map<String, Double> metrics(HeldOut policy) {
        Map<String, Double> metrics = new LinkedHashMap<>();
        for (Selection selection : Selection.values()) {
            rates(selection, policy)
                    .mean()
                    .ifPresent(rate -> metrics.put("win/" + selection.name().toLowerCase(Locale.ROOT), rate));
        }
        return metrics;
    }

    /// The summary with a frontier for each selection, and in its verdict where methods stand at equal divergence.
    Summary on(Summary summary, List<EvaluatedMethod> methods) {
        double reach =
                Collections.min(methods, EvaluatedMethod.byDivergence()).last().divergence();
        Summary with = summary;
        List<String> verdicts = new ArrayList<>();
        for (Selection selection : Selection.values()) {
            var start = Optional.of(new Frontier.Point(0, Estimate.of(0.5), "start")); // against itself, exactly
            List<Frontier.Arm> curves = methods.stream()
                    .map(m -> m.curve(m.title(), start, p -> rates(selection, p).estimate(bootstrap), ""))
                    .toList();
            with = with.frontier(EvaluatedMethod.frontier(
                    "Wins against the start, " + said(selection), "win rate, ties one half", curves));
            verdicts.add(said(selection) + ": "
                    + curves.stream()
                            .map(c -> c.points().size() > 1
                                    ? String.format(Locale.ROOT, "%s %.3f", c.name(), at(reach, c))
                                    : c.name() + " could not be judged")
                            .collect(Collectors.joining(", ")));
        }
        return with.verdict(String.format(
                Locale.ROOT,
                "%s Win rates against the start, at %.2f nats: %s.",
                summary.verdict(),
                reach,
                String.join("; ", verdicts)));
    }

    private PerQuestion rates(Selection selection, HeldOut policy) {
        return new PerQuestion(selection.winRates(n, policy, start));
    }

    private String said(Selection selection) {
        return switch (selection) {
            case ANY -> "single answers";
            case BEST -> "best of " + n;
            case WORST -> "worst of " + n;
        };
    }

    /// The win rate at x nats, between the policies of which no other wins more at no more divergence: on its way a
    /// policy may be further from the start than it ends.
    private static double at(double x, Frontier.Arm curve) {
        List<Frontier.Point> sorted = curve.points().stream()
                .sorted(Comparator.comparingDouble(Frontier.Point::x))
                .toList();
        Frontier.Point below = sorted.getFirst();
        for (Frontier.Point next : sorted) {
            double gain = next.y().value() - below.y().value();
            if (gain > 0 && next.x() >= x) {
                double share = next.x() > below.x() ? (x - below.x()) / (next.x() - below.x()) : 1;
                return below.y().value() + share * gain;
            }
            below = gain > 0 ? next : below;
        }
        return below.y().value();
    }
}
