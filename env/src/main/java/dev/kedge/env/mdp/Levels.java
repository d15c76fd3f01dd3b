package dev.kedge.env.mdp;

/// A quantity that is kept to whole levels from 0 on: between two of them each is taken with the probability that makes
/// the mean right, and beyond the ends the nearest one.
final class Levels {
    private Levels() {}

    @FunctionalInterface
    interface At {
        void level(int level, double probability);
    }

    /// @param x     what is rounded
    /// @param count how many levels there are
    static void round(double x, int count, At at) {
        double inside = Math.clamp(x, 0, count - 1);
        int below = Math.min((int) inside, count - 2);
        double share = inside - below;
        if (share < 1) {
            at.level(below, 1 - share);
        }
        if (share > 0) {
            at.level(below + 1, share);
        }
    }
}
