package dev.kedge.statistics;

import org.hipparchus.distribution.continuous.BetaDistribution;
import org.hipparchus.distribution.continuous.NormalDistribution;
import org.hipparchus.distribution.discrete.BinomialDistribution;

/// Inference about one proportion from counted successes.
public final class Proportions {
    /// Outcomes this much likelier than the observed one, relatively, still count as equally likely: the two tails of a
    /// symmetric distribution differ by rounding.
    private static final double EQUALLY_LIKELY = 1e-9;

    private Proportions() {}

    /// Wilson's score interval: the proportions p with |p̂ - p| <= z sqrt(p (1 - p) / n) (Wilson, 1927).
    ///
    /// @param confidence in (0, 1), for example 0.95
    public static Estimate wilson(int successes, int trials, double confidence) {
        checkCounts(successes, trials);
        double z = normalQuantile(confidence);
        double share = (double) successes / trials;
        double scale = 1 + z * z / trials;
        double centre = (share + z * z / (2.0 * trials)) / scale;
        double half = z / scale * Math.sqrt(share * (1 - share) / trials + z * z / (4.0 * trials * trials));
        // At the borders the formula gives 0 and 1 up to rounding; say so exactly.
        double low = successes == 0 ? 0 : centre - half;
        double high = successes == trials ? 1 : centre + half;
        return new Estimate(share, low, high);
    }

    /// Clopper and Pearson's exact interval: the proportions under which neither as many successes nor as few
    /// would have less than half the doubt's probability.
    ///
    /// @param confidence in (0, 1), for example 0.95
    public static Estimate clopperPearson(int successes, int trials, double confidence) {
        checkCounts(successes, trials);
        checkConfidence(confidence);
        double tail = (1 - confidence) / 2;
        int failures = trials - successes;
        double low =
                successes == 0 ? 0 : new BetaDistribution(successes, failures + 1.0).inverseCumulativeProbability(tail);
        double high = failures == 0
                ? 1
                : new BetaDistribution(successes + 1.0, failures).inverseCumulativeProbability(1 - tail);
        return new Estimate((double) successes / trials, low, high);
    }

    /// The p-value of the exact two-sided binomial test of `success probability = p0`: the probability under p0 of all
    /// outcomes that are at most as likely as the observed one (the method of small p-values).
    public static double binomialTest(int successes, int trials, double p0) {
        checkCounts(successes, trials);
        if (!(p0 >= 0 && p0 <= 1)) {
            throw new IllegalArgumentException("p0 must lie in [0, 1], got " + p0);
        }
        var binomial = new BinomialDistribution(trials, p0);
        double limit = binomial.logProbability(successes) + EQUALLY_LIKELY;
        double p = 0;
        for (int k = 0; k <= trials; k++) {
            if (binomial.logProbability(k) <= limit) {
                p += binomial.probability(k);
            }
        }
        return Math.min(1, p);
    }

    private static double normalQuantile(double confidence) {
        checkConfidence(confidence);
        return new NormalDistribution(0, 1).inverseCumulativeProbability(0.5 + confidence / 2);
    }

    private static void checkConfidence(double confidence) {
        if (!(confidence > 0 && confidence < 1)) {
            throw new IllegalArgumentException("confidence must lie in (0, 1), got " + confidence);
        }
    }

    private static void checkCounts(int successes, int trials) {
        if (trials < 1 || successes < 0 || successes > trials) {
            throw new IllegalArgumentException(
                    "0 <= successes <= trials and trials >= 1 are needed, got " + successes + " of " + trials);
        }
    }
}
