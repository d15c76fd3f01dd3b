package dev.kedge.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class ProgressTest {
    private final ByteArrayOutputStream said = new ByteArrayOutputStream();
    private final AtomicLong nanos = new AtomicLong(77);

    private Progress progress(Terminal.Mode mode, long done, long total) {
        return new Progress(new Terminal(new PrintStream(said, true), mode), "dpo", done, total, nanos::get);
    }

    private String text() {
        return said.toString(StandardCharsets.UTF_8);
    }

    @Test
    void linesComeEveryFiveSecondsAndAtTheEnd() {
        try (Progress progress = progress(Terminal.Mode.LINES, 100, 110)) {
            for (int step = 101; step <= 110; step++) {
                nanos.addAndGet(2_000_000_000L);
                progress.step(step, 0.61234, 2500);
            }
        }
        assertEquals(
                List.of(
                        "dpo 101/110, loss 0.6123, 1.3k tokens/s, 0:00:18 left",
                        "dpo 104/110, loss 0.6123, 1.3k tokens/s, 0:00:12 left",
                        "dpo 107/110, loss 0.6123, 1.3k tokens/s, 0:00:06 left",
                        "dpo 110/110, loss 0.6123, 1.3k tokens/s, 0:00:00 left"),
                text().lines().toList());
    }

    @Test
    void aStepMaySayAnything() {
        try (Progress progress = progress(Terminal.Mode.LINES, 2, 4)) {
            nanos.addAndGet(3_000_000_000L);
            progress.step(3, "seed 3");
            progress.step(4, "seed 1");
        }
        assertEquals(
                List.of("dpo 3/4, seed 3, 0:00:03 left", "dpo 4/4, seed 1, 0:00:00 left"),
                text().lines().toList());
    }

    @Test
    void quietSaysNothing() {
        try (Progress progress = progress(Terminal.Mode.QUIET, 0, 1)) {
            progress.step(1, 0.5, 10);
        }
        assertEquals("", text());
    }

    @Test
    void theBarShowsPhaseStepsAndLoss() {
        try (Progress progress = progress(Terminal.Mode.BAR, 2, 4)) {
            nanos.addAndGet(1_000_000_000L);
            progress.step(3, 0.25, 40);
        }
        assertTrue(
                text().contains("dpo") && text().contains("3/4") && text().contains("loss 0.2500, 40 tokens/s"),
                text());
    }
}
