package dev.kedge.lab.claim;

import dev.kedge.lab.claim.Claim.Arm;
import dev.kedge.lab.claim.Claim.Threshold;
import dev.kedge.lab.plot.Plot;
import dev.kedge.lab.plot.Quantity;
import dev.kedge.lab.report.Page;
import dev.kedge.run.result.Frontier;
import dev.kedge.statistics.Estimate;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/// The report of a paper's claims: the verdicts at a glance, the pictures of the experiments, then claim by claim.
final class ClaimsPage {
    private static final String METHOD = "Every seed gives one difference between the arms, which share whatever is "
            + "random. The effect is the mean of these differences, positive where it is as the paper says, with its "
            + "95 % bootstrap interval (bias-corrected and accelerated). A claim counts as reproduced where the whole "
            + "interval is above what it asks for, as contradicted where the whole interval is below 0, and as not "
            + "seen at this scale otherwise.";

    private ClaimsPage() {}

    static String html(Results results) {
        var paper = results.paper();
        var meta = new ArrayList<String>();
        meta.add(
                "<span><a href=\"https://arxiv.org/abs/" + paper.arxiv() + "\">arXiv:" + paper.arxiv() + "</a></span>");
        meta.add(Page.meta(Integer.toString(paper.published().getYear())));
        meta.add(Page.meta(Quantity.duration(Math.round(results.seconds())) + " of one processor"));
        results.platform().ifPresent(platform -> meta.add(Page.meta(platform.toString())));
        var body = new StringBuilder(Page.head(meta, paper.title(), results.sentence()));
        body.append(overview(results.findings()));
        for (var measurement : results.measurements()) {
            body.append(pictures(measurement));
            results.findings().stream()
                    .filter(f -> f.measurement() == measurement)
                    .forEach(f -> body.append(claim(f)));
        }
        body.append(Page.section("How a verdict is found", "<p class=\"prose\">" + Page.escape(METHOD) + "</p>\n"));
        for (var measurement : results.measurements()) {
            body.append(
                    Page.section("All numbers of " + measurement.experiment().name(), numbers(measurement)));
        }
        return Page.html(paper.slug() + ": claims measured again", body.toString());
    }

    private static String overview(List<Finding> findings) {
        return Page.table(
                List.of("Claim", "Verdict", "Effect"),
                findings.stream()
                        .map(f -> List.of(
                                "<a class=\"broad\" href=\"#" + f.claim().name() + "\">"
                                        + Page.escape(f.claim().statement()) + "</a>",
                                "<span class=\"nowrap\">" + status(f.verdict()) + "</span>",
                                "<span class=\"nowrap\">" + Page.escape(f.effectInWords()) + "</span>"))
                        .toList());
    }

    private static String pictures(Measurement measurement) {
        var first = measurement.outcomes().getFirst().frontiers();
        var figures = IntStream.range(0, first.size())
                .mapToObj(i -> Frontier.mean(
                        measurement.outcomes().stream()
                                .map(o -> o.frontiers().get(i))
                                .toList(),
                        Finding.BOOTSTRAP))
                .map(f -> Page.figure(Page.WHOLE, width -> Plot.frontier(f, width)))
                .collect(Collectors.joining());
        int seeds = measurement.outcomes().size();
        var facts = seeds + " seeds, " + Quantity.duration(Math.round(measurement.seconds())) + " of one processor";
        return Page.section(
                "Experiment: " + measurement.experiment().name(),
                "<p class=\"prose\">" + Page.escape(measurement.experiment().description())
                        + "</p>\n<p class=\"quiet\">" + facts + "</p>\n" + figures);
    }

    private static String claim(Finding f) {
        var claim = f.claim();
        var said = claim.direction() + " is claimed"
                + (claim.asked() > 0 ? ", by more than " + Quantity.text(claim.asked(), claim.unit()) : "");
        return "<section class=\"claim\" id=\"" + claim.name() + "\">\n<h3>" + Page.escape(claim.statement())
                + "</h3>\n<p class=\"found\">" + status(f.verdict()) + "<b>" + Page.escape(f.effectInWords())
                + "</b><span class=\"quiet\">" + Page.escape(f.comparison() + "; " + said)
                + "</span></p>\n" + Page.figure(Page.COLUMN, width -> Plot.pairs(f.sample(), width)) + means(f)
                + "</section>\n";
    }

    private static String means(Finding f) {
        var arms = new ArrayList<String>();
        arms.add(mean(f, f.claim().method()));
        switch (f.claim().against()) {
            case Arm arm -> arms.add(mean(f, arm));
            case Threshold threshold ->
                arms.add("threshold "
                        + Quantity.text(threshold.value(), f.claim().unit()));
        }
        return "<p class=\"quiet\">" + Page.escape("Means: " + String.join(", ", arms)) + "</p>\n";
    }

    private static String mean(Finding f, Arm arm) {
        return arm.name() + " "
                + Quantity.text(
                        Finding.BOOTSTRAP.bca(f.values(arm)).value(), f.claim().unit());
    }

    private static String numbers(Measurement measurement) {
        var outcomes = measurement.outcomes();
        return "<details><summary>mean and 95 % interval over " + outcomes.size() + " seeds</summary>\n"
                + Page.table(
                        List.of("Number", "Mean", "Interval"),
                        outcomes.getFirst().numbers().keySet().stream()
                                .map(name -> row(
                                        name,
                                        Finding.BOOTSTRAP.bca(outcomes.stream()
                                                .mapToDouble(o -> o.number(name))
                                                .toArray())))
                                .toList())
                + "</details>\n";
    }

    private static List<String> row(String name, Estimate e) {
        return List.of(Page.escape(name), Quantity.number(e.value()), Quantity.interval(e, ""));
    }

    private static String status(Verdict verdict) {
        var tone =
                switch (verdict) {
                    case REPRODUCED -> "good";
                    case NOT_SEEN, WITHIN_ROUNDING -> "open";
                    case CONTRADICTED -> "bad";
                };
        return Page.status(tone, verdict.toString());
    }
}
