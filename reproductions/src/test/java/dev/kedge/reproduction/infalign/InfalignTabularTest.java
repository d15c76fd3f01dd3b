package dev.kedge.reproduction.infalign;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.reproduction.infalign.InfalignTabular.Arm;
import dev.kedge.reproduction.infalign.InfalignTabular.Problem;
import dev.kedge.reproduction.infalign.InfalignTabular.Scale;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class InfalignTabularTest {
    private final Problem problem = new Problem(new Scale(40, 200, 500), 5);

    /// The continuous limit, by numerical integration. With n answers a quantile is off by 1/n or so, and win rates by
    /// as much times the slope of the density, of which 0.02 is a generous bound at n = 200.
    @ParameterizedTest
    @CsvSource({
        "IDENTITY, 0.25, 0.6989, 0.7304, 0.7847",
        "LOGARITHM, 0.25, 0.6902, 0.6902, 0.8364",
        "EXPONENTIAL, 0.25, 0.6479, 0.7966, 0.6167",
        "NEGATIVE, 0.25, 0.6523, 0.6110, 0.8563",
        "OPTIMAL_BEST, 0.25, 0.6467, 0.7969, 0.6154",
        "OPTIMAL_WORST, 0.25, 0.6587, 0.6163, 0.8583",
        "IDENTITY, 0.5, 0.7737, 0.7998, 0.8860",
        "EXPONENTIAL, 0.5, 0.7117, 0.8715, 0.6763",
        "NEGATIVE, 0.5, 0.7358, 0.6859, 0.9476"
    })
    void winRatesAreThoseOfTheContinuousLimit(Arm arm, double kl, double single, double best, double worst) {
        var wins = problem.wins(arm, kl);
        assertEquals(single, wins.single(), 0.02);
        assertEquals(best, wins.best(), 0.02);
        assertEquals(worst, wins.worst(), 0.02);
    }

    /// No transform of the quantile does better than the one that is optimal for the selection, but for what a finite
    /// number of answers makes of it.
    @Test
    void nothingBeatsTheOptimum() {
        double best = problem.wins(Arm.OPTIMAL_BEST, 0.25).best();
        double worst = problem.wins(Arm.OPTIMAL_WORST, 0.25).worst();
        for (var arm : List.of(Arm.REWARD, Arm.IDENTITY, Arm.EXPONENTIAL, Arm.NEGATIVE, Arm.LOGARITHM)) {
            var wins = problem.wins(arm, 0.25);
            assertTrue(wins.best() < best + 1e-3, arm.title);
            assertTrue(wins.worst() < worst + 1e-3, arm.title);
        }
    }
}
