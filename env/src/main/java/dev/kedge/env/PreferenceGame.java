package dev.kedge.env;

import dev.kedge.tensor.Streams;
import java.util.Arrays;
import java.util.SplittableRandom;

/// A symmetric game of two players in which a preference decides: action i beats action j with probability
/// `P[i][j]`, and `P + Pᵀ = 1`. A mixed strategy, or policy, is a vector of probabilities of the actions.
public final class PreferenceGame {
    private static final double ROUNDING = 1e-9;

    private final double[][] p;

    /// @param winProbabilities `P`, `[n, n]`, copied
    /// @throws IllegalArgumentException naming row and column, if P is not square, an entry is no probability, an
    ///                                  entry and its mirror do not add up to 1, or the diagonal is not 1/2
    public PreferenceGame(double[][] winProbabilities) {
        p = Arrays.stream(winProbabilities).map(double[]::clone).toArray(double[][]::new);
        if (p.length == 0) {
            throw new IllegalArgumentException("a game needs at least one action");
        }
        for (int i = 0; i < p.length; i++) {
            if (p[i].length != p.length) {
                throw new IllegalArgumentException("row " + i + " of P has " + p[i].length + " entries, needs "
                        + p.length + ", one for each action");
            }
        }
        for (int i = 0; i < p.length; i++) {
            for (int j = 0; j <= i; j++) {
                requirePair(i, j);
            }
        }
    }

    private void requirePair(int i, int j) {
        requireProbability(i, j);
        requireProbability(j, i);
        if (i == j && Math.abs(p[i][i] - 0.5) > ROUNDING) {
            throw new IllegalArgumentException("P[" + i + "][" + i + "] must be 1/2, was " + p[i][i]);
        }
        if (Math.abs(p[i][j] + p[j][i] - 1) > ROUNDING) {
            throw new IllegalArgumentException("P[" + i + "][" + j + "] and P[" + j + "][" + i
                    + "] must add up to 1, were " + p[i][j] + " and " + p[j][i]);
        }
    }

    private void requireProbability(int i, int j) {
        if (!(p[i][j] >= 0 && p[i][j] <= 1)) {
            throw new IllegalArgumentException("P[" + i + "][" + j + "] must be in [0, 1], was " + p[i][j]);
        }
    }

    /// Three actions, each of which always beats the next: rock, scissors, paper.
    public static PreferenceGame rockPaperScissors() {
        return new PreferenceGame(new double[][] {{0.5, 1, 0}, {0, 0.5, 1}, {1, 0, 0.5}});
    }

    /// Below the diagonal independent draws from [0, 1): preferences without rhyme, hence with cycles.
    ///
    /// @param actions n, > 0
    public static PreferenceGame random(int actions, long seed) {
        var random = new SplittableRandom(Streams.of(seed, "game"));
        double[][] p = new double[actions][actions];
        for (int i = 0; i < actions; i++) {
            p[i][i] = 0.5;
            for (int j = 0; j < i; j++) {
                p[i][j] = random.nextDouble();
                p[j][i] = 1 - p[i][j];
            }
        }
        return new PreferenceGame(p);
    }

    /// Bradley and Terry: `P[i][j] = σ(rewards[i] - rewards[j])`, a game without cycles.
    ///
    /// @param rewards finite
    public static PreferenceGame bradleyTerry(double... rewards) {
        int n = rewards.length;
        double[][] p = new double[n][n];
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < n; j++) {
                p[i][j] = 1 / (1 + Math.exp(rewards[j] - rewards[i]));
            }
        }
        return new PreferenceGame(p);
    }

    /// This game with one more action, the last, which loses to every other: for answers that are no move at all.
    public PreferenceGame withOutsider() {
        int n = p.length;
        double[][] more = new double[n + 1][n + 1];
        for (int i = 0; i < n; i++) {
            System.arraycopy(p[i], 0, more[i], 0, n);
            more[i][n] = 1;
        }
        more[n][n] = 0.5;
        return new PreferenceGame(more);
    }

    /// How many actions, n.
    public int actions() {
        return p.length;
    }

    /// The probability that i beats j.
    public double winProbability(int i, int j) {
        return p[i][j];
    }

    /// A copy of P, `[n, n]`.
    public double[][] winProbabilities() {
        return Arrays.stream(p).map(double[]::clone).toArray(double[][]::new);
    }

    /// `P·opponent`: how often each action beats an opponent that plays a policy, `[n]`.
    ///
    /// @param opponent probabilities, `[n]`
    /// @throws IllegalArgumentException if their number is not n
    public double[] winRates(double[] opponent) {
        requireLength(opponent);
        double[] rates = new double[p.length];
        for (int i = 0; i < p.length; i++) {
            for (int j = 0; j < p.length; j++) {
                rates[i] += p[i][j] * opponent[j];
            }
        }
        return rates;
    }

    /// `firstᵀ·P·second`: how often the first policy beats the second.
    public double winRate(double[] first, double[] second) {
        requireLength(first);
        double[] rates = winRates(second);
        double sum = 0;
        for (int y = 0; y < first.length; y++) {
            sum += first[y] * rates[y];
        }
        return sum;
    }

    /// `max_y P(y > policy) - 1/2`: what the best answer to a policy wins beyond half of the time. 0 at an
    /// equilibrium only.
    public double exploitability(double[] policy) {
        return Arrays.stream(winRates(policy)).max().orElseThrow() - 0.5;
    }

    /// `max_q P(q > policy) - min_q P(policy > q)`: twice the [#exploitability].
    public double dualityGap(double[] policy) {
        return 2 * exploitability(policy);
    }

    /// An equilibrium: a policy that beats none less than half of the time. Where there are several, one of them.
    /// Its exploitability is below 1e-13, up to hundreds of actions.
    public double[] nash() {
        return MinimaxProgram.strategy(this);
    }

    private void requireLength(double[] policy) {
        if (policy.length != p.length) {
            throw new IllegalArgumentException(
                    "a policy over " + policy.length + " actions in a game of " + p.length + " actions");
        }
    }
}
