package dev.kedge.lab.claim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.kedge.statistics.Estimate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class VerdictTest {
    @ParameterizedTest
    @CsvSource({
        "0.1, 0.9, 0, REPRODUCED",
        "0.1, 0.9, 0.05, REPRODUCED",
        // not all of the interval is above what is asked for
        "0.1, 0.9, 0.1, NOT_SEEN",
        "0.1, 0.9, 0.5, NOT_SEEN",
        // smaller than asked for, but not the opposite
        "0.1, 0.9, 2, NOT_SEEN",
        "0, 0.9, 0, NOT_SEEN",
        "-0.1, 0.9, 0, NOT_SEEN",
        "-0.9, 0, 0, NOT_SEEN",
        "0, 0, 0, NOT_SEEN",
        "-0.9, -0.1, 0, CONTRADICTED",
        "-0.9, -0.1, 2, CONTRADICTED"
    })
    void followsFromTheInterval(double low, double high, double asked, Verdict expected) {
        assertEquals(expected, Verdict.of(new Estimate((low + high) / 2, low, high), asked));
    }

    @Test
    void needsAnInterval() {
        assertThrows(IllegalArgumentException.class, () -> Verdict.of(Estimate.of(1), 0));
    }
}
