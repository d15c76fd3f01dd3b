package dev.kedge.objective.preference;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.kedge.objective.divergence.AlphaDivergence;
import dev.kedge.objective.divergence.BarrierDivergence;
import dev.kedge.objective.divergence.ForwardKl;
import dev.kedge.objective.divergence.JensenShannon;
import dev.kedge.objective.divergence.RegularizedOptimum;
import dev.kedge.objective.divergence.ReverseKl;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// The theorem of f-DPO: with labels from Bradley-Terry, the loss is least at the regularised optimum.
class FDpoOptimumTest {
    /// Rewards log k, so that i beats j with probability k_i/(k_i + k_j): k_i copies of one order and k_j of the
    /// other are the population, exactly.
    private static final int[] K = {1, 2, 3, 5, 8};

    private static final double[] REWARD =
            Arrays.stream(K).mapToDouble(Math::log).toArray();
    private static final double[] REF = {0.3, 0.1, 0.25, 0.2, 0.15};
    private static final double BETA = 0.7;
    private static final int STEPS = 600;

    static Stream<BarrierDivergence> divergences() {
        return Stream.of(new ReverseKl(), new ForwardKl(), new JensenShannon(), new AlphaDivergence(0.4));
    }

    @ParameterizedTest
    @MethodSource("divergences")
    void theMinimiserOfThePopulationLossIsTheRegularisedOptimum(BarrierDivergence divergence) {
        double[] logRef = Arrays.stream(REF).map(Math::log).toArray();
        double[] optimum = RegularizedOptimum.optimalPolicy(divergence, logRef, REWARD, BETA);
        double[] minimiser = minimise(divergence, logRef);
        double variation = 0;
        for (int y = 0; y < optimum.length; y++) {
            variation += Math.abs(optimum[y] - minimiser[y]) / 2;
        }
        assertEquals(0, variation, 1e-4);
    }

    private static double[] minimise(BarrierDivergence divergence, double[] logRef) {
        try (var _ = new Scope()) {
            Tensor winners = Tensor.of(
                    population().stream().mapToLong(p -> p[0]).toArray(),
                    population().size());
            Tensor losers = Tensor.of(
                    population().stream().mapToLong(p -> p[1]).toArray(),
                    population().size());
            double[] logits = logRef.clone();
            double[] m = new double[logits.length];
            double[] v = new double[logits.length];
            for (int step = 1; step <= STEPS; step++) {
                double[] g = gradient(divergence, logits, logRef, winners, losers);
                double rate = 0.05 * (1 - (double) step / STEPS); // Adam, to a stop
                for (int i = 0; i < g.length; i++) {
                    m[i] = 0.9 * m[i] + 0.1 * g[i];
                    v[i] = 0.99 * v[i] + 0.01 * g[i] * g[i];
                    double mean = m[i] / (1 - Math.pow(0.9, step));
                    logits[i] -= rate * mean / (Math.sqrt(v[i] / (1 - Math.pow(0.99, step))) + 1e-12);
                }
            }
            return Tensor.of(logits).softmax(0).toDoubles();
        }
    }

    private static double[] gradient(
            BarrierDivergence divergence, double[] logits, double[] logRef, Tensor winners, Tensor losers) {
        try (var _ = new Scope()) {
            Tensor leaf = Tensor.of(logits).requiresGrad();
            Tensor logProbs = leaf.logSoftmax(0);
            Tensor ref = Tensor.of(logRef);
            var lp = new PreferenceLogProbs(
                    logProbs.indexSelect(0, winners),
                    logProbs.indexSelect(0, losers),
                    ref.indexSelect(0, winners),
                    ref.indexSelect(0, losers));
            FDpo.fDpo(lp, divergence, BETA, lp.pairs()).value().backward();
            return leaf.grad().toDoubles();
        }
    }

    private static List<long[]> population() {
        List<long[]> pairs = new ArrayList<>();
        for (int i = 0; i < K.length; i++) {
            for (int j = 0; j < i; j++) {
                long[] iWins = {i, j};
                long[] jWins = {j, i};
                IntStream.range(0, K[i]).forEach(_ -> pairs.add(iWins));
                IntStream.range(0, K[j]).forEach(_ -> pairs.add(jWins));
            }
        }
        return pairs;
    }
}
