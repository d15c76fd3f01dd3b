package dev.kedge.lab.compare;

import dev.kedge.env.PreferenceGame;
import dev.kedge.lab.tabular.Bandit;
import dev.kedge.objective.preference.PreferenceLogProbs;
import dev.kedge.tensor.Streams;
import dev.kedge.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/// Outcomes drawn independently from policies, and a judge's labels of them. Contexts take turns. Outcomes are numbered
/// through all contexts, `x·n + y`; a policy is its log-probabilities, nats, [X·n].
final class PairSampler {
    private final List<PreferenceGame> judges;
    private final SplittableRandom random;

    /// @param judges one a context
    PairSampler(List<PreferenceGame> judges, long seed) {
        this.judges = judges;
        random = new SplittableRandom(Streams.of(seed, "outcomes and labels"));
    }

    /// Two outcomes of the same context each, and one label: whether the first won.
    record LabelledPairs(long[] first, long[] second, boolean[] firstWins) {
        int count() {
            return first.length;
        }

        /// @param logPolicy `[X, n]`; gradient flows
        PreferenceLogProbs logProbs(Tensor logPolicy, Tensor logRef) {
            return PreferenceLogProbs.judged(
                    at(logPolicy, first),
                    at(logPolicy, second),
                    at(logRef, first),
                    at(logRef, second),
                    firstIsChosen());
        }

        /// Winners and losers.
        Bandit.Pairs sorted() {
            return new Bandit.Pairs(where(true), where(false));
        }

        private long[] where(boolean winners) {
            return IntStream.range(0, count())
                    .mapToLong(i -> firstWins[i] == winners ? first[i] : second[i])
                    .toArray();
        }

        Tensor firstIsChosen() {
            return Tensor.mask(firstWins, count());
        }
    }

    /// Of a table `[X, n]` the entries of outcomes, `[B]`.
    static Tensor at(Tensor table, long[] outcomes) {
        return table.reshape(-1).indexSelect(0, Tensor.of(outcomes, outcomes.length));
    }

    LabelledPairs pairs(double[] firstPolicy, double[] secondPolicy, int count) {
        long[] first = outcomes(firstPolicy, count);
        long[] second = outcomes(secondPolicy, count);
        return new LabelledPairs(first, second, firstWins(first, second));
    }

    long[] outcomes(double[] logPolicy, int count) {
        int n = outcomes();
        long[] drawn = new long[count];
        for (int i = 0; i < count; i++) {
            int from = i % judges.size() * n;
            double left = random.nextDouble();
            int y = 0;
            while (y < n - 1 && (left -= Math.exp(logPolicy[from + y])) >= 0) {
                y++;
            }
            drawn[i] = from + y;
        }
        return drawn;
    }

    long[] uniform(int count) {
        double[] logPolicy = new double[judges.size() * outcomes()];
        Arrays.fill(logPolicy, -Math.log(outcomes()));
        return outcomes(logPolicy, count);
    }

    boolean[] firstWins(long[] first, long[] second) {
        int n = outcomes();
        boolean[] wins = new boolean[first.length];
        for (int i = 0; i < wins.length; i++) {
            var judge = judges.get((int) (first[i] / n));
            wins[i] = random.nextDouble() < judge.winProbability((int) (first[i] % n), (int) (second[i] % n));
        }
        return wins;
    }

    private int outcomes() {
        return judges.getFirst().actions();
    }
}
