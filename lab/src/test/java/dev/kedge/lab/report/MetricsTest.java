package dev.kedge.lab.report;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class MetricsTest {
    @Test
    void phasesCountTheirOwnSteps() {
        var metrics = Metrics.parse("""
                {"step": 1, "time_s": 0.1, "phase": "sft", "loss": 2}
                {"step": 2, "time_s": 0.2, "phase": "sft", "loss": 1}

                {"step": 1, "time_s": 0.3, "phase": "dpo", "loss": 0.7, "kl": "NaN"}
                {"step": 2, "time_s": 0.4, "phase": "dpo", "kl": "-Infinity"}
                """, "m");
        assertEquals(
                List.of("sft", "dpo"),
                metrics.phases().stream().map(Metrics.Phase::name).toList());
        assertArrayEquals(
                new double[] {2, 1},
                metrics.phases().get(0).series().get("loss").values());
        var kl = metrics.phases().get(1).series().get("kl");
        assertArrayEquals(new double[] {1, 2}, kl.steps());
        assertArrayEquals(new double[] {Double.NaN, Double.NEGATIVE_INFINITY}, kl.values());
        assertFalse(metrics.truncated());
    }

    @Test
    void stepsRepeatedAfterAResumeReplaceTheLostOnes() {
        var metrics = Metrics.parse("""
                {"step": 1, "loss": 5}
                {"step": 2, "loss": 4}
                {"step": 3, "loss": 3}
                {"step": 3, "accuracy": 1}
                {"step": 2, "loss": 2}
                """, "m");
        var series = metrics.phases().getFirst().series();
        assertArrayEquals(new double[] {1, 2}, series.get("loss").steps());
        assertArrayEquals(new double[] {5, 2}, series.get("loss").values());
        assertArrayEquals(new double[] {3}, series.get("accuracy").steps());
    }

    @Test
    void anUnfinishedLastLineIsLeftOut() {
        var metrics = Metrics.parse("{\"step\":1,\"loss\":1}\n{\"step\":2,\"lo", "m");
        assertTrue(metrics.truncated());
        assertArrayEquals(
                new double[] {1},
                metrics.phases().getFirst().series().get("loss").steps());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{\"step\":1,\"lo | m:2: not valid JSON",
                "[1] | m:2: one JSON object a line is expected, got [1]",
                "{\"loss\":1} | m:2: 'step' must be a number, got none",
                "{\"step\":1,\"loss\":\"low\"} | m:2: 'loss' must be a number, \"NaN\", \"Infinity\" or \"-Infinity\", got",
                "{\"step\":1,\"loss\":[2]} | m:2: 'loss' must be a number"
            })
    void aMalformedLineIsNamed(String line, String message) {
        var text = "{\"step\":0,\"loss\":1}\n" + line + "\n{\"step\":9,\"loss\":1}\n";
        var e = assertThrows(IllegalArgumentException.class, () -> Metrics.parse(text, "m"));
        assertTrue(e.getMessage().startsWith(message), e.getMessage());
        assertFalse(e.getMessage().contains("\n"), e.getMessage());
    }
}
