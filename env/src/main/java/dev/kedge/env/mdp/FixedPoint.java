package dev.kedge.env.mdp;

/// The fixed point of a Bellman operator T, by repeating it until a bound says that it is near enough.
///
/// T is monotone, and `T(v + c) = T(v) + discount·c` for constants c. So with `d = T(v) - v` and
/// `w = discount/(1 - discount)` the fixed point lies between `T(v) + w·min d` and `T(v) + w·max d` in every state
/// (MacQueen 1966). The middle is returned; half the distance is the bound. It falls by the discount in each sweep at
/// least, and much faster where the process forgets its start.
///
/// @param values     of the states: `[S]`
/// @param errorBound on each of them: half that distance, and for rounding 2⁻⁵² of the largest value, `/(1 - discount)`
/// @param sweeps     how often the operator was applied
record FixedPoint(double[] values, double errorBound, int sweeps) {
    /// Sweeps allowed beyond those that the contraction needs in exact arithmetic.
    private static final int SPARE = 100;

    @FunctionalInterface
    interface Operator {
        /// Writes `T(from)` to `to`.
        void apply(double[] from, double[] to);
    }

    /// @param tolerance what the bound has to fall to, finite and > 0
    /// @throws ArithmeticException if rounding prevents that
    static FixedPoint of(Operator operator, int states, double discount, double tolerance) {
        if (!(tolerance > 0 && tolerance < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("tolerance must be finite and > 0, was " + tolerance);
        }
        double weight = discount / (1 - discount);
        double[] from = new double[states];
        double[] to = new double[states];
        long allowed = Long.MAX_VALUE;
        for (int sweep = 1; ; sweep++) {
            operator.apply(from, to);
            double least = Double.POSITIVE_INFINITY;
            double most = Double.NEGATIVE_INFINITY;
            double largest = 0;
            for (int s = 0; s < states; s++) {
                least = Math.min(least, to[s] - from[s]);
                most = Math.max(most, to[s] - from[s]);
                largest = Math.max(largest, Math.abs(to[s]));
            }
            double bound = weight * (most - least) / 2 + Math.ulp(1.0) * largest / (1 - discount);
            if (bound <= tolerance) {
                for (int s = 0; s < states; s++) {
                    to[s] += weight * (most + least) / 2;
                }
                return new FixedPoint(to, bound, sweep);
            }
            if (sweep == 1) {
                allowed = SPARE + (long) Math.ceil(Math.log(tolerance / bound) / Math.log(discount));
            }
            if (sweep > allowed) {
                throw new ArithmeticException("rounding keeps the error bound at " + bound + ", above the tolerance "
                        + tolerance + ": ask for less, or scale the rewards down");
            }
            double[] swap = from;
            from = to;
            to = swap;
        }
    }
}
