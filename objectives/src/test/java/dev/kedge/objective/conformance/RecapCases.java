package dev.kedge.objective.conformance;

import dev.kedge.objective.supervised.Recap;
import dev.kedge.objective.supervised.Recap.Statistics;
import dev.kedge.tensor.Tensor;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.ToDoubleFunction;
import java.util.stream.LongStream;

/// Cases of RECAP (arXiv:2510.21978): from histories of signals to weights.
final class RecapCases {
    private RecapCases() {}

    static Optional<Map<String, Object>> outputs(Case c) {
        if (!c.hasInputs("history", "current_losses") || !c.hasParams("W", "T")) {
            return Optional.empty();
        }
        Tensor history = c.tensor("history");
        if (history.size(1) != 2 * (long) c.number("W")) {
            throw new IllegalArgumentException("a history of " + history.size(1) + " does not fill two windows");
        }
        List<Statistics> all = LongStream.range(0, history.size(0))
                .mapToObj(k -> statistics(c, history.select(0, k).toDoubles()))
                .toList();
        double[] weights = Recap.weights(each(all, Statistics::priority), c.number("T"));
        return Optional.of(Map.of(
                "mu", each(all, Statistics::mean),
                "mu_prev", each(all, Statistics::previousMean),
                "sigma", each(all, Statistics::deviation),
                "c", each(all, Statistics::convergence),
                "i", each(all, Statistics::instability),
                "s", each(all, Statistics::priority),
                "lam", weights,
                "total_loss", Recap.recap(c.tensor("current_losses"), weights).value()));
    }

    private static Statistics statistics(Case c, double[] signals) {
        double guard = c.number("eps", 0);
        return switch ((int) c.number("std_ddof", 0)) {
            case 0 -> Statistics.of(signals, guard);
            case 1 -> Statistics.ofSample(signals, guard);
            default -> throw new IllegalArgumentException("no deviation with ddof " + c.number("std_ddof"));
        };
    }

    private static double[] each(List<Statistics> all, ToDoubleFunction<Statistics> number) {
        return all.stream().mapToDouble(number).toArray();
    }
}
