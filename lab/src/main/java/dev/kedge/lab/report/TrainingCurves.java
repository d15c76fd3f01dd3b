package dev.kedge.lab.report;

import dev.kedge.lab.plot.Line;
import dev.kedge.lab.plot.Plot;
import dev.kedge.lab.plot.Quantity;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;

/// Draws a phase's metrics as small multiples: one plot for each group of metrics, such as `reward/...` or `kl...`.
public final class TrainingCurves {
    static final int WIDTH = 360;
    private static final int MOST_CURVES = 4;
    private static final double LIKE_SCALES = 20;

    private TrainingCurves() {}

    private record Metric(String name, Metrics.Series series) {
        /// The largest finite size.
        double size() {
            double size = 0;
            for (double v : series.values()) {
                size = Double.isFinite(v) ? Math.max(size, Math.abs(v)) : size;
            }
            return size;
        }
    }

    /// One SVG for each group, the loss first and the bookkeeping last.
    public static List<String> draw(Metrics.Phase phase) {
        var groups = new LinkedHashMap<String, List<Metric>>();
        phase.series().forEach((name, series) -> groups.computeIfAbsent(group(name), _ -> new ArrayList<>())
                .add(new Metric(name, series)));
        return groups.entrySet().stream()
                .sorted(Comparator.comparingInt(e -> rank(e.getKey())))
                .flatMap(e -> alike(e.getValue()).stream().map(part -> plot(e.getKey(), part)))
                .toList();
    }

    private static String group(String metric) {
        int slash = metric.indexOf('/');
        if (slash > 0) {
            return metric.substring(0, slash);
        }
        return metric.startsWith("kl") ? "kl" : metric;
    }

    private static int rank(String group) {
        return switch (group) {
            case "loss" -> 0;
            case "reward", "rewards" -> 1;
            case "kl" -> 2;
            case "lr", "grad_norm" -> 8;
            default -> group.endsWith("_per_s") || group.endsWith("_s") ? 9 : 5;
        };
    }

    /// The group in parts whose curves can be read on one axis: at most four, of sizes within a factor of twenty.
    private static List<List<Metric>> alike(List<Metric> group) {
        var parts = new ArrayList<List<Metric>>();
        for (var metric : group) {
            parts.stream()
                    .filter(p -> p.size() < MOST_CURVES && p.stream().allMatch(q -> alike(q, metric)))
                    .findFirst()
                    .ifPresentOrElse(p -> p.add(metric), () -> parts.add(new ArrayList<>(List.of(metric))));
        }
        return parts;
    }

    private static boolean alike(Metric a, Metric b) {
        double small = Math.min(a.size(), b.size());
        double large = Math.max(a.size(), b.size());
        return small == 0 || large / small <= LIKE_SCALES;
    }

    private static String plot(String group, List<Metric> metrics) {
        boolean single = metrics.size() == 1;
        var lines = metrics.stream()
                .map(m -> Line.smoothed(single ? m.name : inGroup(m.name, group), m.series.steps(), m.series.values()))
                .toList();
        var svg = Plot.lines(single ? metrics.getFirst().name : group, "step", "", lines, WIDTH);
        return svg + lost(metrics);
    }

    private static String inGroup(String name, String group) {
        return name.startsWith(group + "/") ? name.substring(group.length() + 1) : name;
    }

    /// A gap in a curve is easily overlooked: says where values were not finite.
    private static String lost(List<Metric> metrics) {
        var lost = new StringBuilder();
        for (var m : metrics) {
            for (int i = 0; i < m.series.values().length; i++) {
                if (!Double.isFinite(m.series.values()[i])) {
                    var text = m.name + " is " + Quantity.number(m.series.values()[i]) + " at step "
                            + Quantity.number(m.series.steps()[i]);
                    lost.append("<figcaption class=\"warning\">")
                            .append(Page.escape(text))
                            .append("</figcaption>");
                    break;
                }
            }
        }
        return lost.toString();
    }
}
