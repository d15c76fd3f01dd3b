package dev.kedge.lab.tabular;

import dev.kedge.lab.compare.Curve;
import dev.kedge.lab.plot.Quantity;
import dev.kedge.lab.tabular.Bandit.Standing;
import dev.kedge.run.result.Frontier;
import dev.kedge.statistics.Estimate;
import java.util.Comparator;
import java.util.List;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/// Where one method's policies stand at a row of strengths.
///
/// @param strengths from the one that holds the policy most to the one that holds it least
/// @param standings one a strength; of a policy that diverged all is NaN
public record Sweep(double[] strengths, List<Standing> standings) {
    public Sweep {
        standings = List.copyOf(standings);
        if (strengths.length != standings.size()) {
            throw new IllegalArgumentException(
                    "a standing for each of " + strengths.length + " strengths is needed, got " + standings.size());
        }
    }

    /// The frontier of the sweep: the standings of which none other has more reward, or as much, at no more divergence.
    /// Methods are compared along it; nobody would choose a strength beside it.
    ///
    /// @return of as many strengths; standings beside the frontier are NaN
    public Sweep frontier() {
        return new Sweep(
                strengths,
                standings.stream()
                        .map(s -> standings.stream().noneMatch(other -> dominates(other, s)) ? s : Standing.NONE)
                        .toList());
    }

    private static boolean dominates(Standing a, Standing b) {
        return a.kl() <= b.kl() && a.reward() >= b.reward() && (a.kl() < b.kl() || a.reward() > b.reward());
    }

    /// The standing with the most reward; throws [IllegalStateException] if every policy diverged.
    public Standing best() {
        return standings.stream()
                .filter(Standing::isFinite)
                .max(Comparator.comparingDouble(Standing::reward))
                .orElseThrow(() -> new IllegalStateException("every policy of the sweep diverged"));
    }

    /// One measure over another, where they are finite.
    public Curve curve(ToDoubleFunction<Standing> x, ToDoubleFunction<Standing> y) {
        var finite = standings.stream().filter(Standing::isFinite).toList();
        return Curve.of(
                finite.stream().mapToDouble(x).toArray(),
                finite.stream().mapToDouble(y).toArray());
    }

    /// What of the best policy's reward is missing, over the divergence. Compare methods by this rather than by the
    /// reward: it is nearly straight between the points of a sweep, so that it matters little where they lie.
    public Curve shortfall() {
        return curve(Standing::kl, Standing::shortfall);
    }

    /// The sweep as an arm of a frontier, its points labelled by their strengths.
    ///
    /// @param symbol of the strength, such as β
    public Frontier.Arm arm(String name, String symbol, ToDoubleFunction<Standing> x, ToDoubleFunction<Standing> y) {
        return new Frontier.Arm(
                name,
                IntStream.range(0, strengths.length)
                        .mapToObj(i -> new Frontier.Point(
                                x.applyAsDouble(standings.get(i)),
                                Estimate.of(y.applyAsDouble(standings.get(i))),
                                symbol + " " + Quantity.number(strengths[i])))
                        .toList());
    }
}
