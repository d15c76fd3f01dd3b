package dev.kedge.statistics;

/// Which of two is larger more often, in paired comparisons: a share, its 95 % interval and a p-value that cannot
/// contradict each other.
///
/// What ties tells nothing of either, and counts half. The rest is binomial: `p` is that of the exact two-sided test
/// against one half, and the interval is Clopper and Pearson's (1934), which holds one half exactly where that test
/// does not reject it: both add up the same tail. Where all tie, the share is one half and `p` is 1.
///
/// @param share of comparisons that are positive, ties half
/// @param p     two-sided, against one half
/// @param ties  comparisons that are 0
public record SignTest(Estimate share, double p, int ties) {
    private static final double CONFIDENCE = 0.95;

    /// What the test says.
    public enum Verdict {
        MORE_OFTEN,
        LESS_OFTEN,
        NOT_TOLD_APART
    }

    /// @param differences of each comparison, none NaN; at least one
    public static SignTest of(double... differences) {
        int positive = 0;
        int negative = 0;
        for (double difference : differences) {
            if (Double.isNaN(difference)) {
                throw new IllegalArgumentException("a difference is NaN");
            }
            positive += difference > 0 ? 1 : 0;
            negative += difference < 0 ? 1 : 0;
        }
        int n = differences.length;
        int told = positive + negative;
        if (told == 0) {
            if (n == 0) {
                throw new IllegalArgumentException("at least one comparison is needed");
            }
            return new SignTest(new Estimate(0.5, 0.5, 0.5), 1, n);
        }
        Estimate ofTold = Proportions.clopperPearson(positive, told, CONFIDENCE);
        double half = 0.5 * (n - told);
        Estimate share = new Estimate(
                (positive + half) / n, (ofTold.low() * told + half) / n, (ofTold.high() * told + half) / n);
        return new SignTest(share, Proportions.binomialTest(positive, told, 0.5), n - told);
    }

    /// By `p`.
    public Verdict verdict() {
        return p >= 1 - CONFIDENCE
                ? Verdict.NOT_TOLD_APART
                : share.value() > 0.5 ? Verdict.MORE_OFTEN : Verdict.LESS_OFTEN;
    }
}
