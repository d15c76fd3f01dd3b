package dev.kedge.run.result;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.kedge.run.Run;
import dev.kedge.run.Terminal;
import dev.kedge.run.result.Frontier.Arm;
import dev.kedge.run.result.Frontier.Point;
import dev.kedge.run.result.Summary.Sample;
import dev.kedge.statistics.Estimate;
import dev.kedge.tensor.Kernels;
import dev.kedge.tensor.Platform;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SummaryTest {
    private static final Platform PLATFORM = new Platform("one", "2.10.0", Kernels.PORTABLE, "AVX2", "Haswell", 1);

    private static final ObjectMapper JSON = new ObjectMapper();

    @Test
    void isWrittenAsDocumented(@TempDir Path folder) throws IOException {
        record Config(int steps) {}
        Summary summary = Summary.of("dpo", Summary.Status.FINISHED, 12.5)
                .title("DPO")
                .verdict("learned")
                .fact("accuracy", "accuracy", new Estimate(0.81, 0.78, 0.84), "share", "held out")
                .fact("perplexity", "perplexity", Estimate.of(Double.NaN), "", "")
                .comparison("reward", "nats", Estimate.of(0.1), new Estimate(0.9, 0.8, Double.POSITIVE_INFINITY))
                .frontier(new Frontier(
                        "reward over KL",
                        "KL (nats)",
                        "reward",
                        List.of(new Arm("dpo", List.of(new Point(0.1, new Estimate(1, 0.9, 1.1), "beta 0.1")))),
                        List.of(new Point(0, Estimate.of(0.5), ""))))
                .frontier(new Frontier("wins over KL", "KL (nats)", "wins", List.of(), List.of()))
                .sample(new Sample("2+2", "5", "4", Optional.of(0.0), Optional.of(1.0), ""))
                .note("one")
                .note("two");
        try (Run run = Run.start(folder.resolve("run"), "dpo", new Config(1), Terminal.quiet())) {
            assertEquals("running", read(folder).get("status").textValue());
            run.summarise(summary);
        }
        String expected = """
                {"title":"DPO","recipe":"dpo","verdict":"learned","status":"finished","seconds":12.5,
                 "facts":[{"key":"accuracy","name":"accuracy",
                           "value":0.81,"low":0.78,"high":0.84,"unit":"share","note":"held out"},
                          {"key":"perplexity","name":"perplexity","value":"NaN"}],
                 "comparisons":[{"name":"reward","unit":"nats","before":{"value":0.1},
                                 "after":{"value":0.9,"low":0.8,"high":"Infinity"}}],
                 "frontier":{"title":"reward over KL","x":"KL (nats)","y":"reward",
                   "arms":[{"name":"dpo","points":[{"x":0.1,"y":1.0,"low":0.9,"high":1.1,"label":"beta 0.1"}]}],
                   "optimum":[{"x":0.0,"y":0.5}]},
                 "more_frontiers":[{"title":"wins over KL","x":"KL (nats)","y":"wins"}],
                 "samples":[{"prompt":"2+2","before":"5","after":"4","reward_before":0.0,"reward_after":1.0}],
                 "notes":["one","two"]}
                """;
        ObjectNode written = (ObjectNode) read(folder);
        assertEquals(Optional.of(Platform.here()), PlatformJson.read(written.remove("engine")));
        assertEquals(JSON.readTree(expected), written);
    }

    @Test
    void everyPartMayBeEmpty() throws IOException {
        assertEquals(
                JSON.readTree("""
                        {"recipe":"dpo","status":"failed","seconds":"NaN",
                         "engine":{"processor":"one","engine":"2.10.0","kernels":"portable","aten":"AVX2",
                                   "openblas":"Haswell","threads":1}}
                        """),
                JSON.readTree(SummaryJson.bytes(Summary.of("dpo", Summary.Status.FAILED, Double.NaN), PLATFORM)));
    }

    /// A key is what the fact was given; an old file has none, and its names are made into keys.
    @Test
    void factsAreFoundByTheirKeys() throws IOException {
        var summary = Summary.of("dpo", Summary.Status.FINISHED, 1)
                .fact("best", "best reward, \u221a\u03c7\u00b2", Estimate.of(2), "", "")
                .fact(Summary.key("kl", "Half, and half"), "KL, half and half", Estimate.of(3), "nats", "");
        assertEquals(2, summary.number("best"));
        assertEquals(3, summary.number("kl_half_and_half"));
        var read = SummaryJson.parse(new String(SummaryJson.bytes(summary, PLATFORM), StandardCharsets.UTF_8), "f");
        assertEquals(summary.facts(), read.facts());
        var old = SummaryJson.parse("{\"facts\": [{\"name\": \"A b\", \"value\": 1}]}", "f");
        assertEquals(1, old.number("a_b"));
        var missing = assertThrows(IllegalArgumentException.class, () -> summary.number("KL, half and half"));
        assertEquals("no fact 'KL, half and half' among [best, kl_half_and_half]", missing.getMessage());
        assertThrows(IllegalArgumentException.class, () -> summary.fact("A b", "n", Estimate.of(1), "", ""));
    }

    private static JsonNode read(Path folder) throws IOException {
        return JSON.readTree(folder.resolve("run/summary.json").toFile());
    }

    /// A share is scaled where it is shown: 75 with "%" would be read as 7500 %.
    @Test
    void noShareLiesOutsideOfAWhole() {
        Summary summary = Summary.of("tiny", Summary.Status.FINISHED, 1);
        Estimate half = new Estimate(0.5, 0, 1);
        assertEquals(0.75, summary.fact("a", "a", 0.75, "%", "").number("a"));
        assertEquals(-1, summary.fact("a", "a less b", -1, "%", "").number("a"), "a difference of shares");
        assertEquals(
                1,
                summary.comparison("a", "%", half, Estimate.of(Double.NaN))
                        .comparisons()
                        .size());
        assertEquals(75, summary.fact("a", "a", 75, "tokens", "").number("a"));
        var e = assertThrows(IllegalArgumentException.class, () -> summary.fact("a", "unread", 75, "%", ""));
        assertTrue(e.getMessage().startsWith("unread: a share in [-1, 1] expected before \"%\", was "), e.getMessage());
        Estimate wide = new Estimate(0.5, 0, 1.2);
        assertThrows(IllegalArgumentException.class, () -> summary.fact("a", "a", wide, "%", ""));
        assertThrows(IllegalArgumentException.class, () -> summary.comparison("a", "%", half, wide));
        assertThrows(IllegalArgumentException.class, () -> summary.comparison("a", "%", Estimate.of(-0.1), half));
    }
}
