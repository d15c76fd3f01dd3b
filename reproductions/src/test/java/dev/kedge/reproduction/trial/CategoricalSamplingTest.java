package dev.kedge.reproduction.trial;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class CategoricalSamplingTest {
    @Test
    void outcomesComeAsOftenAsTheirProbabilitiesSay() {
        double[] probabilities = {0.1, 0, 0.6, 0.3};
        var random = new SplittableRandom(7);
        int draws = 100_000;
        int[] counts = new int[4];
        for (int i = 0; i < draws; i++) {
            counts[CategoricalSampling.draw(probabilities, random)]++;
        }
        for (int y = 0; y < 4; y++) {
            double p = probabilities[y];
            double fiveSigma = 5 * Math.sqrt(p * (1 - p) / draws);
            assertEquals(p, counts[y] / (double) draws, fiveSigma, "outcome " + y);
        }
    }

    @Test
    void whatRoundingLeavesOverGoesToAnOutcomeThatCanHappen() {
        var random = new SplittableRandom(7);
        for (int i = 0; i < 100; i++) {
            assertEquals(1, CategoricalSampling.draw(new double[] {0, 1e-9, 0}, random));
        }
    }
}
