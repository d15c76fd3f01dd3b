package dev.kedge.lab.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.run.result.Frontier;
import dev.kedge.run.result.Summary;
import dev.kedge.run.result.SummaryJson;
import dev.kedge.statistics.Estimate;
import dev.kedge.tensor.Platform;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class ReportTest {
    @TempDir
    private Path folder;

    @Test
    void aFinishedRunGivesOneSelfContainedPage() throws IOException {
        var report = Report.write(ExampleRun.write(folder));
        assertEquals(folder.resolve("report.html"), report);
        assertFalse(Files.exists(folder.resolve("report.html.unfinished")));
        var html = Files.readString(report);
        assertEquals(1, count(html, "<h1>"));
        assertTrue(html.contains("<h1>Preference tuning of a small decoder</h1>"));
        for (var outside : new String[] {"http:", "https:", "<script", "<link", "<img", "@import", "url(", " src="}) {
            assertFalse(html.contains(outside), outside);
        }
        assertEquals(html, Report.html(RecordedRun.read(folder)));
    }

    /// Arabic digits, an apostrophe between thousands or a decimal comma are for readers, not for files.
    @ParameterizedTest
    @ValueSource(strings = {"ar-EG", "de-CH", "hi-IN-u-nu-deva", "tr-TR"})
    void theSameInEveryLocale(String tag) throws IOException {
        RecordedRun run = RecordedRun.read(ExampleRun.write(folder));
        Summary summary = Summary.of("dpo", Summary.Status.FINISHED, 12345.25)
                .fact("accuracy", "accuracy", new Estimate(0.25, 0.125, 0.375), "%", "")
                .comparison("reward", "", Estimate.of(-1234.5), Estimate.of(1e-7));
        Platform platform = Platform.here();
        Locale before = Locale.getDefault();
        try {
            Locale.setDefault(Locale.ROOT);
            String page = Report.html(run);
            String json = new String(SummaryJson.bytes(summary, platform), StandardCharsets.UTF_8);
            Locale.setDefault(Locale.forLanguageTag(tag));
            assertEquals(page, Report.html(run));
            assertEquals(json, new String(SummaryJson.bytes(summary, platform), StandardCharsets.UTF_8));
        } finally {
            Locale.setDefault(before);
        }
    }

    /// More than one frontier: all are drawn, the first where a single one would be.
    @Test
    void furtherFrontiersFollowTheFirst() {
        var frontier = "{\"title\": \"%s\", \"x\": \"KL\", \"y\": \"wins\", \"arms\": "
                + "[{\"name\": \"a\", \"points\": [{\"x\": 0.1, \"y\": 0.6}]}]}";
        var summary = SummaryJson.parse(
                "{\"frontier\": " + frontier.formatted("first") + ", \"more_frontiers\": ["
                        + frontier.formatted("second") + ", " + frontier.formatted("third") + "]}",
                "summary.json");
        assertEquals(
                List.of("first", "second", "third"),
                summary.frontiers().stream().map(Frontier::title).toList());
        assertEquals(
                0.6,
                summary.frontiers()
                        .getLast()
                        .arms()
                        .getFirst()
                        .points()
                        .getFirst()
                        .y()
                        .value());
        assertTrue(SummaryJson.parse("{}", "summary.json").frontiers().isEmpty());
    }

    /// Frontier and two units of comparisons, each for wide and narrow screens; of the metrics: loss, grad_norm and
    /// tokens_per_s of the first phase; loss, rewards, kl, the far larger kl_max, accuracy, lr and tokens_per_s of
    /// the second.
    @Test
    void everyPlotIsInlineAndInReadingOrder() {
        var html = Report.html(RecordedRun.read(ExampleRun.write(folder)));
        assertEquals(2 * 3 + 3 + 7, count(html, "<svg "));
        assertEquals(count(html, "<svg "), count(html, "</svg>"));
        assertEquals(0, count(html, " id="));
        int last = 0;
        for (var part : new String[] {
            "class=\"verdict\"",
            "Reward against divergence</text>",
            ">Before and after<",
            ">Training<",
            ">sft<",
            ">dpo<",
            ">loss</text>",
            ">reward</text>",
            ">kl</text>",
            ">lr</text>",
            ">tokens_per_s</text>",
            ">Facts<",
            ">Samples<",
            ">Notes<",
            ">Configuration<"
        }) {
            int at = html.indexOf(part, last);
            assertTrue(at > last, part);
            last = at;
        }
    }

    @Test
    void textIsEscapedAndKeepsItsSpaces() {
        var html = Report.html(RecordedRun.read(ExampleRun.write(folder)));
        assertTrue(html.contains(
                "&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;quoted&quot;\n    indented\tline</pre>"));
        assertTrue(html.contains("<pre>a &lt; b\n   kept   spaces</pre>"));
        assertTrue(html.contains("<pre>a &amp;lt; b</pre>"));
        assertTrue(html.contains("beta: 0.1 # &lt;strength&gt;"));
        assertTrue(html.contains("<b>reward \u22121.25</b>"));
    }

    @Test
    void sharesAreShownInPercentWithTheirIntervals() {
        var html = Report.html(RecordedRun.read(ExampleRun.write(folder)));
        assertTrue(html.contains("<td class=\"value\">41\u202f%</td><td class=\"quiet\">38 to 44</td>"));
        assertTrue(html.contains(">83\u202f% (80 to 86)</text>"));
        assertTrue(html.contains("<td class=\"value\">812\u202f544</td>"));
    }

    @Test
    void aRunWithoutSummaryIsUnfinished() throws IOException {
        Files.writeString(folder.resolve("metrics.jsonl"), "{\"step\":1,\"loss\":1}\n{\"step\":2,\"loss\":0.5}\n{\"st");
        var html = Report.html(RecordedRun.read(folder));
        assertTrue(html.contains(">unfinished</span>"));
        assertTrue(html.contains("<h1>" + folder.getFileName() + "</h1>"));
        assertTrue(html.contains("unfinished and was left out"));
        assertEquals(1, count(html, "<svg "));
        assertFalse(html.contains(">Facts<"));
    }

    @Test
    void aRunThatHasMeasuredNothingSaysSo() throws IOException {
        Files.writeString(folder.resolve("metrics.jsonl"), "");
        assertTrue(Report.html(RecordedRun.read(folder)).contains("Nothing has been measured yet."));
    }

    @Test
    void aDivergedMetricIsNamedUnderItsPlot() throws IOException {
        Files.writeString(folder.resolve("metrics.jsonl"), "{\"step\":1,\"loss\":1}\n{\"step\":2,\"loss\":\"NaN\"}\n");
        assertTrue(Report.html(RecordedRun.read(folder)).contains("loss is NaN at step 2"));
    }

    @Test
    void missingMetricsAndBrokenSummariesAreNamed() throws IOException {
        var missing = assertThrows(IllegalArgumentException.class, () -> Report.write(folder));
        assertTrue(missing.getMessage().contains("metrics.jsonl: no such file"), missing.getMessage());
        Files.writeString(folder.resolve("metrics.jsonl"), "");
        Files.writeString(folder.resolve("summary.json"), "{\"title\": \"x\",\n \"facts\": [}\n");
        var broken = assertThrows(IllegalArgumentException.class, () -> Report.write(folder));
        assertTrue(broken.getMessage().contains("summary.json:2: not valid JSON"), broken.getMessage());
        assertFalse(broken.getMessage().contains("\n"));
        Files.writeString(folder.resolve("summary.json"), "{\"facts\": [{}, {\"name\": \"n\", \"low\": \"big\"}]}");
        var mistyped = assertThrows(IllegalArgumentException.class, () -> Report.write(folder));
        assertTrue(
                mistyped.getMessage().endsWith("summary.json: 'facts[1].low' must be a number, got \"big\""),
                mistyped.getMessage());
        assertFalse(Files.exists(folder.resolve("report.html")));
    }

    private static int count(String html, String part) {
        return (int)
                Pattern.compile(Pattern.quote(part)).matcher(html).results().count();
    }
}
