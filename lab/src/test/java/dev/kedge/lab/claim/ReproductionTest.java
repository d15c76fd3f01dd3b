package dev.kedge.lab.claim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.kedge.run.RunFailedException;
import dev.kedge.run.Terminal;
import dev.kedge.run.result.PlatformJson;
import dev.kedge.tensor.Platform;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReproductionTest {
    @TempDir
    Path folder;

    /// Seeds that were run.
    private final ConcurrentLinkedQueue<Long> ran = new ConcurrentLinkedQueue<>();

    private final AtomicBoolean broken = new AtomicBoolean();

    private final Experiment experiment = Examples.experiment(seed -> {
        if (seed == 5 && broken.get()) {
            return Examples.outcome(seed).with("c", Double.NaN);
        }
        ran.add(seed);
        return Examples.outcome(seed);
    });

    private Results run(OptionalInt seeds) {
        return Reproduction.run(Examples.PAPER, Examples.claims(experiment), seeds, folder, Terminal.quiet());
    }

    private JsonNode json() throws IOException {
        return new ObjectMapper().readTree(folder.resolve("results.json").toFile());
    }

    private static List<String> keys(JsonNode node) {
        var keys = new ArrayList<String>();
        node.fieldNames().forEachRemaining(keys::add);
        return keys;
    }

    @Test
    void anExperimentIsRunOncePerSeedForAllItsClaims() {
        var results = run(OptionalInt.empty());
        assertEquals(6, ran.size());
        assertEquals(Set.of(1L, 2L, 3L, 4L, 5L, 6L), Set.copyOf(ran));
        assertEquals(
                List.of(Verdict.REPRODUCED, Verdict.NOT_SEEN, Verdict.CONTRADICTED, Verdict.REPRODUCED),
                results.findings().stream().map(Finding::verdict).toList());
        assertEquals("4 claims: 2 reproduced, 1 not seen at this scale, 1 contradicted.", results.sentence());
    }

    @Test
    void theShapeOfTheJson() throws IOException {
        run(OptionalInt.of(7));
        var json = json();
        assertEquals(List.of("paper", "seconds", "platform", "claims", "experiments"), keys(json));
        assertEquals(
                List.of("processor", "engine", "kernels", "aten", "openblas", "threads"), keys(json.path("platform")));
        assertEquals(Optional.of(Platform.here(1)), PlatformJson.read(json.path("platform")));
        assertEquals("f-dpo", json.path("paper").asText());
        var claim = json.path("claims").path(1);
        assertEquals(
                List.of(
                        "name",
                        "statement",
                        "experiment",
                        "measure",
                        "unit",
                        "method",
                        "direction",
                        "baseline",
                        "asked",
                        "effect",
                        "verdict",
                        "seeds"),
                keys(claim));
        assertEquals("not seen at this scale", claim.path("verdict").asText());
        assertEquals(List.of("value", "low", "high"), keys(claim.path("effect")));
        assertEquals(0.6, claim.path("effect").path("value").asDouble(), 1e-12);
        assertEquals(7, claim.path("seeds").asInt());
        assertEquals(1, json.path("claims").path(3).path("threshold").asDouble());
        var measured = json.path("experiments").path(0);
        assertEquals(List.of("name", "description", "seconds", "trials"), keys(measured));
        assertEquals(7, measured.path("trials").size());
        assertEquals(
                "{\"seed\":3,\"numbers\":{\"a\":2.3,\"b\":1.6}}",
                measured.path("trials").path(2).toString());
    }

    @Test
    void aTrialThatFailedIsNamedAndOnlyTheRestIsRunAgain() {
        broken.set(true);
        var e = assertThrows(RunFailedException.class, () -> run(OptionalInt.empty()));
        assertEquals("example-seed-5: 'c' must be finite, was NaN", e.getMessage());
        broken.set(false);
        run(OptionalInt.empty());
        assertEquals(6, ran.size(), ran.toString());
        run(OptionalInt.of(8));
        assertEquals(8, ran.size(), "two seeds more: " + ran);
    }

    @Test
    void theReportStandsAlone() throws IOException {
        run(OptionalInt.empty());
        var html = Files.readString(folder.resolve("report.html"));
        assertTrue(html.contains("A is more than B | &lt;says&gt; the paper."), html);
        assertTrue(html.contains("Numbers | out of &lt;thin&gt; air."));
        assertTrue(html.contains("contradicted") && html.contains("not seen at this scale"));
        assertTrue(html.contains("a picture") && html.contains("<svg"));
        assertTrue(html.contains("by more than 0.9\u202fnats"), "what is asked for is said");
        assertFalse(html.contains("<script") || html.contains("src=") || html.contains("NaN"));
    }

    @Test
    void fewerSeedsThanFiveAreRefusedBeforeAnythingIsRun() {
        var e = assertThrows(IllegalArgumentException.class, () -> run(OptionalInt.of(4)));
        assertEquals("at least 5 seeds are needed, was 4", e.getMessage());
        assertTrue(ran.isEmpty());
    }
}
