package dev.kedge.recipe.policy;

import dev.kedge.run.result.Frontier;
import dev.kedge.run.result.Summary;
import dev.kedge.statistics.Bootstrap;
import dev.kedge.statistics.Estimate;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// How often policies win against their start on held-out questions when answers are selected, both sides selecting
/// alike: over the divergence from it, because strengths of methods do not mean the same.
///
/// @param start what the start answered, drawn apart from what policies are judged by
/// @param n     answers to select from
record WinRates(HeldOut start, int n, Bootstrap bootstrap) {
    /// The policies of one method, in the order in which they were kept.
    record Way(String title, List<HeldOut> policies) {}

    /// Means over questions, by the names of metrics.
    Map<String, Double> metrics(HeldOut policy) {
        Map<String, Double> metrics = new LinkedHashMap<>();
        for (Selection selection : Selection.values()) {
            metrics.put(
                    "win/" + selection.name().toLowerCase(Locale.ROOT),
                    Bootstrap.mean(selection.winRates(n, policy, start)));
        }
        return metrics;
    }

    /// The summary with a frontier for each selection, and in its verdict where methods stand at equal divergence.
    Summary on(Summary summary, List<Way> ways) {
        double reach = ways.stream()
                .mapToDouble(w -> Bootstrap.mean(w.policies.getLast().kl()))
                .min()
                .orElse(0);
        Summary with = summary;
        StringBuilder verdict = new StringBuilder(summary.verdict());
        verdict.append(String.format(Locale.ROOT, " Win rates against the start, at %.2f nats:", reach));
        for (Selection selection : Selection.values()) {
            List<Frontier.Arm> arms =
                    ways.stream().map(way -> arm(way, selection)).toList();
            with = with.frontier(new Frontier(
                    "Wins against the start, " + said(selection),
                    "KL(policy || start), nats",
                    "win rate, ties one half",
                    arms,
                    List.of()));
            verdict.append(selection == Selection.ANY ? " " : "; ")
                    .append(said(selection))
                    .append(": ");
            List<String> stands = arms.stream()
                    .map(arm -> String.format(Locale.ROOT, "%s %.3f", arm.name(), at(reach, arm)))
                    .toList();
            verdict.append(String.join(", ", stands));
        }
        return with.verdict(verdict.append('.').toString());
    }

    private String said(Selection selection) {
        return switch (selection) {
            case ANY -> "single answers";
            case BEST -> "best of " + n;
            case WORST -> "worst of " + n;
        };
    }

    private Frontier.Arm arm(Way way, Selection selection) {
        List<Frontier.Point> points = new ArrayList<>();
        points.add(new Frontier.Point(0, Estimate.of(0.5), "start")); // against itself, exactly
        for (HeldOut policy : way.policies) {
            points.add(new Frontier.Point(
                    Bootstrap.mean(policy.kl()), bootstrap.bca(selection.winRates(n, policy, start)), ""));
        }
        return new Frontier.Arm(way.title, points);
    }

    /// The win rate at x nats, between the policies of which no other wins more at no more divergence: on its way a
    /// policy may be further from the start than it ends.
    private static double at(double x, Frontier.Arm arm) {
        List<Frontier.Point> sorted = arm.points().stream()
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
