package dev.kedge.lab.report;

import dev.kedge.lab.plot.Plot;
import dev.kedge.lab.plot.Quantity;
import dev.kedge.lab.plot.Svg;
import dev.kedge.run.result.Comparison;
import dev.kedge.run.result.Frontier;
import dev.kedge.run.result.Summary;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/// A run on one page: what was found, the frontier, before and after, training curves, facts, samples, configuration.
public final class Report {
    private static final int OPEN_SAMPLES = 8;

    private Report() {}

    /// Reads the run in `folder` and writes its `report.html` there, whole or not at all; returns the file.
    ///
    /// @throws IllegalArgumentException where [RecordedRun#read] does
    public static Path write(Path folder) {
        return Page.write(folder.resolve("report.html"), html(RecordedRun.read(folder)));
    }

    /// The page as text.
    public static String html(RecordedRun run) {
        var s = run.summary();
        var title = !s.title().isEmpty() ? s.title() : run.name();
        return Page.html(title, head(run, title) + body(run));
    }

    private static String head(RecordedRun run, String title) {
        var s = run.summary();
        var status = words(s.status());
        var meta = List.of(
                Page.status(tone(s.status()), status),
                Page.meta(s.recipe()),
                Page.meta(Double.isFinite(s.seconds()) ? Quantity.duration(s.seconds()) : ""),
                Page.meta(steps(run.metrics())));
        return Page.head(meta, title, s.verdict());
    }

    private static String words(Summary.Status status) {
        return status == Summary.Status.RUNNING ? "unfinished" : status.name().toLowerCase(Locale.ROOT);
    }

    private static String tone(Summary.Status status) {
        return switch (status) {
            case FINISHED -> "good";
            case FAILED -> "bad";
            case RUNNING -> "open";
        };
    }

    private static String steps(Metrics metrics) {
        double steps = metrics.phases().stream()
                .mapToDouble(p -> p.series().values().stream()
                        .mapToDouble(series -> series.steps()[series.steps().length - 1])
                        .max()
                        .orElse(0))
                .sum();
        return steps == 0 ? "" : Quantity.number(steps) + " steps";
    }

    private static String body(RecordedRun run) {
        var s = run.summary();
        var notes =
                s.notes().stream().map(n -> "<li>" + Svg.escape(n) + "</li>\n").collect(Collectors.joining());
        return s.frontiers().stream().map(Report::frontier).collect(Collectors.joining())
                + Page.section("Before and after", comparisons(s.comparisons()))
                + Page.section("Training", training(run.metrics()))
                + Page.section("Facts", facts(s.facts()))
                + Page.section("Samples", samples(s.samples()))
                + Page.section("Notes", notes.isEmpty() ? "" : "<ul>\n" + notes + "</ul>\n")
                + Page.section("Configuration", details("config.yaml", run.config()));
    }

    private static String frontier(Frontier frontier) {
        return "<section class=\"frontier\">\n" + Page.figure(Page.WHOLE, width -> Plot.frontier(frontier, width))
                + "</section>\n";
    }

    private static String comparisons(List<Comparison> comparisons) {
        var byUnit = new LinkedHashMap<String, List<Comparison>>();
        for (var c : comparisons) {
            byUnit.computeIfAbsent(c.unit(), _ -> new ArrayList<>()).add(c);
        }
        return byUnit.values().stream()
                .map(group -> Page.figure(Page.COLUMN, width -> Plot.bars("", group, width)))
                .collect(Collectors.joining());
    }

    private static String training(Metrics metrics) {
        var out = new StringBuilder();
        for (var phase : metrics.phases()) {
            if (phase.series().isEmpty()) {
                continue;
            }
            if (!phase.name().isEmpty()) {
                out.append("<h3>").append(Svg.escape(phase.name())).append("</h3>\n");
            }
            out.append("<div class=\"multiples\">\n");
            for (var plot : TrainingCurves.draw(phase)) {
                out.append("<figure>").append(plot).append("</figure>\n");
            }
            out.append("</div>\n");
        }
        if (out.isEmpty()) {
            out.append("<p class=\"quiet\">Nothing has been measured yet.</p>\n");
        }
        if (metrics.truncated()) {
            out.append("<p class=\"quiet\">The last line of the metrics is unfinished and was left out.</p>\n");
        }
        return out.toString();
    }

    private static String facts(List<Summary.Fact> facts) {
        if (facts.isEmpty()) {
            return "";
        }
        var rows = new StringBuilder();
        for (var f : facts) {
            var value = Quantity.text(f.estimate().value(), f.unit());
            rows.append("<tr><th scope=\"row\">").append(Svg.escape(f.name()));
            rows.append("</th><td class=\"value\">").append(Svg.escape(value));
            rows.append("</td><td class=\"quiet\">").append(Quantity.interval(f.estimate(), f.unit()));
            rows.append("</td><td class=\"quiet\">")
                    .append(Svg.escape(f.note()))
                    .append("</td></tr>\n");
        }
        return "<table class=\"facts\">\n" + rows + "</table>\n";
    }

    private static String samples(List<Summary.Sample> samples) {
        var first = samples.stream().limit(OPEN_SAMPLES).map(Report::sample).collect(Collectors.joining());
        var rest = samples.stream().skip(OPEN_SAMPLES).map(Report::sample).collect(Collectors.joining());
        return rest.isEmpty()
                ? first
                : first + "<details><summary>" + (samples.size() - OPEN_SAMPLES) + " more</summary>\n" + rest
                        + "</details>\n";
    }

    private static String sample(Summary.Sample s) {
        return "<article>\n<pre class=\"prompt\">" + Svg.escape(s.prompt()) + "</pre>\n<div class=\"sides\">"
                + side("before", s.before(), s.rewardBefore())
                + side("after", s.after(), s.rewardAfter())
                + "</div>\n"
                + (s.note().isEmpty() ? "" : "<p class=\"quiet\">" + Svg.escape(s.note()) + "</p>\n")
                + "</article>\n";
    }

    private static String side(String name, String answer, Optional<Double> reward) {
        var badge = reward.map(r -> "<b>reward " + Quantity.number(r) + "</b>").orElse("");
        return "<div class=\"" + name + "\"><p class=\"side\">" + name + badge + "</p><pre>" + Svg.escape(answer)
                + "</pre></div>";
    }

    private static String details(String summary, String text) {
        return text.isEmpty()
                ? ""
                : "<details><summary>" + summary + "</summary>\n<pre>" + Svg.escape(text) + "</pre></details>\n";
    }
}
