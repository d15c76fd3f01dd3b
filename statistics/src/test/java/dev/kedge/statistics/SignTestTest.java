package dev.kedge.statistics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.kedge.statistics.SignTest.Verdict;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

final class SignTestTest {
    private static SignTest of(int positive, int negative, int ties) {
        double[] differences = new double[positive + negative + ties];
        Arrays.fill(differences, 0, positive, 1.5);
        Arrays.fill(differences, positive, positive + negative, -0.1);
        return SignTest.of(differences);
    }

    /// Every count that ten comparisons can have, and some more: words, interval and p-value say the same.
    @Test
    void intervalAndTestNeverContradictEachOther() {
        for (int n : new int[] {1, 4, 6, 10, 37, 100}) {
            for (int ties = 0; ties < n; ties += Math.max(1, n / 5)) {
                for (int k = 0; k <= n - ties; k++) {
                    SignTest test = of(k, n - ties - k, ties);
                    String what = k + " of " + n + ", ties " + ties + ": " + test;
                    assertEquals(test.share().low() > 0.5, test.verdict() == Verdict.MORE_OFTEN, what);
                    assertEquals(test.share().high() < 0.5, test.verdict() == Verdict.LESS_OFTEN, what);
                    assertEquals(test.p() < 0.05, test.verdict() != Verdict.NOT_TOLD_APART, what);
                    assertEquals((k + 0.5 * ties) / n, test.share().value(), 1e-12, what);
                }
            }
        }
    }

    @Test
    void fourOfFourIsNoEvidence() {
        assertEquals(Verdict.NOT_TOLD_APART, of(4, 0, 0).verdict());
        assertEquals(0.125, of(4, 0, 0).p(), 1e-12);
        assertEquals(Verdict.MORE_OFTEN, of(6, 0, 0).verdict());
    }

    @Test
    void tiesAloneAreOneHalf() {
        assertEquals(new SignTest(new Estimate(0.5, 0.5, 0.5), 1, 3), of(0, 0, 3));
        assertEquals(of(0, 0, 1), SignTest.of(-0.0));
    }

    @Test
    void whatCannotBeComparedIsRefused() {
        assertThrows(IllegalArgumentException.class, SignTest::of);
        assertThrows(IllegalArgumentException.class, () -> SignTest.of(1, Double.NaN));
    }

    /// Of n in n it begins at the n-th root of half the doubt; 3 of 10 and 1 of 29 as in Newcombe (1998) and tables.
    @Test
    void clopperPearsonAgreesWithPublishedIntervals() {
        assertEquals(
                Math.pow(0.025, 0.2), Proportions.clopperPearson(5, 5, 0.95).low(), 1e-9);
        assertEquals(new Estimate(0, 0, 0.1684), rounded(Proportions.clopperPearson(0, 20, 0.95)));
        assertEquals(new Estimate(0.0345, 0.0009, 0.1776), rounded(Proportions.clopperPearson(1, 29, 0.95)));
        assertThrows(IllegalArgumentException.class, () -> Proportions.clopperPearson(1, 2, 1));
    }

    private static Estimate rounded(Estimate e) {
        return new Estimate(
                Math.round(1e4 * e.value()) / 1e4, Math.round(1e4 * e.low()) / 1e4, Math.round(1e4 * e.high()) / 1e4);
    }
}
