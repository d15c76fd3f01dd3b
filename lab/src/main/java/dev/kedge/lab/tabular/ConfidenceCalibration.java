package dev.kedge.lab.tabular;

/// How far a policy's confidence is from how often it is right.
public final class ConfidenceCalibration {
    private ConfidenceCalibration() {}

    /// The expected calibration error of the likeliest outcome (Guo et al. 2017, arXiv:1706.04599, Eq. 3) where the
    /// truth is drawn from the reference: contexts are put into bins of equal width by the policy's confidence in
    /// its likeliest outcome, and in each the mean confidence is held against the mean probability of being right.
    ///
    /// The reference's own error is 0. That of a policy is at most the total variation between the two, and so at
    /// most `√(KL(π||ref)/2)`.
    ///
    /// @param logPolicy log-probabilities, nats, `[X, n]`
    /// @return in [0, 1]
    public static double error(Bandit task, double[][] logPolicy, int bins) {
        var surplus = new double[bins];
        for (int x = 0; x < logPolicy.length; x++) {
            int likeliest = 0;
            for (int y = 1; y < logPolicy[x].length; y++) {
                likeliest = logPolicy[x][y] > logPolicy[x][likeliest] ? y : likeliest;
            }
            double confidence = Math.exp(logPolicy[x][likeliest]);
            int bin = Math.min(bins - 1, (int) (confidence * bins));
            surplus[bin] += confidence - Math.exp(task.logRef()[x][likeliest]);
        }
        double error = 0;
        for (double s : surplus) {
            error += Math.abs(s) / logPolicy.length;
        }
        return error;
    }
}
