package dev.kedge.lab.compare;

import dev.kedge.lab.compare.MethodComparison.Pairing;
import dev.kedge.lab.compare.MethodComparison.Place;
import dev.kedge.lab.plot.Plot;
import dev.kedge.lab.plot.Quantity;
import dev.kedge.lab.report.Page;
import dev.kedge.run.result.Frontier;
import dev.kedge.statistics.Estimate;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/// The report of a comparison: the frontiers beside the optimum, what is missing from it, who is above whom.
final class MethodComparisonPage {
    private static final String METHOD = "Strengths of different methods do not mean the same, so methods are "
            + "compared at equal divergence from the reference: by how much %s is missing from the best policy of "
            + "that divergence, which is known exactly. Of a sweep its frontier counts, the points that no other of "
            + "its points dominates, with straight lines between them. Differences are paired by seed; behind each "
            + "stands its 95 %% bootstrap interval over seeds (bias-corrected and accelerated).";

    private MethodComparisonPage() {}

    static String html(MethodComparison comparison) {
        var names = comparison.entries().stream().map(e -> e.method().name()).toList();
        var title = names.size() == 1 ? names.getFirst() : list(names);
        var meta = List.of(
                Page.meta(comparison.task().measure() + " against divergence"),
                Page.meta(comparison.seeds() + " seeds"));
        var measure = comparison.task().measure();
        return Page.html(
                title,
                Page.head(meta, title, comparison.sentence())
                        + picture(comparison.frontier())
                        + picture(comparison.missing())
                        + comparison.gaps().map(MethodComparisonPage::picture).orElse("")
                        + Page.section("Methods", places(comparison))
                        + Page.section("Each against each", pairings(measure, comparison.pairings()))
                        + comparison.gaps().map(MethodComparisonPage::gaps).orElse("")
                        + Page.section("Task", prose(ComparedMethods.training(comparison.task())))
                        + Page.section("How they are compared", prose(String.format(Locale.ROOT, METHOD, measure))));
    }

    private static String picture(Frontier frontier) {
        return "<section class=\"frontier\">\n" + Page.figure(Page.WHOLE, width -> Plot.frontier(frontier, width))
                + "</section>\n";
    }

    private static String gaps(Frontier gaps) {
        return Page.section(
                gaps.title(),
                Page.table(
                        List.of("Method", "Duality gap at each β"),
                        gaps.arms().stream()
                                .filter(arm -> !arm.points().isEmpty())
                                .map(arm -> List.of(
                                        "<b class=\"nowrap\">" + arm.name() + "</b>",
                                        arm.points().stream()
                                                .map(MethodComparisonPage::gap)
                                                .collect(Collectors.joining(", "))))
                                .toList()));
    }

    private static String gap(Frontier.Point p) {
        return "<span class=\"nowrap\">" + Quantity.number(p.y().value()) + " <span class=\"quiet\">at " + p.label()
                + "</span></span>";
    }

    private static String prose(String text) {
        return "<p class=\"prose\">" + Page.escape(text) + "</p>\n";
    }

    private static String list(List<String> names) {
        return names.stream().limit(names.size() - 1L).collect(Collectors.joining(", ")) + " and " + names.getLast();
    }

    private static String places(MethodComparison comparison) {
        var measure = comparison.task().measure();
        return Page.table(
                List.of(
                        "Method",
                        "What it is",
                        "Missing " + measure + " at equal divergence",
                        "Most " + measure,
                        "At KL"),
                comparison.places().stream().map(MethodComparisonPage::row).toList());
    }

    private static List<String> row(Place place) {
        return List.of(
                "<b class=\"nowrap\">" + place.method().name() + "</b>",
                "<span class=\"broad\">" + Page.escape(place.method().description()) + "</span>",
                place.missing().map(MethodComparisonPage::words).orElse("none in common"),
                words(place.mostReward()),
                Quantity.number(place.kl().value()));
    }

    private static String pairings(String measure, List<Pairing> pairings) {
        return Page.table(
                List.of("First", "Second", "How much more " + measure + " the first has", "Where"),
                pairings.stream()
                        .map(p -> List.of(
                                name(p.first()),
                                name(p.second()),
                                p.advantage().map(MethodComparisonPage::words).orElse("none in common"),
                                "<span class=\"quiet broad\">"
                                        + Page.escape(p.dominance().sentence()) + "</span>"))
                        .toList());
    }

    private static String name(ComparedMethod method) {
        return "<span class=\"nowrap\">" + method.name() + "</span>";
    }

    private static String words(Estimate e) {
        return "<span class=\"nowrap\">" + Quantity.number(e.value()) + " <span class=\"quiet\">("
                + Quantity.interval(e, "") + ")</span></span>";
    }
}
