package dev.kedge.lab.tabular;

import dev.kedge.lab.plot.Quantity;
import dev.kedge.lab.tabular.Bandit.Evaluation;
import dev.kedge.run.result.Frontier;
import dev.kedge.statistics.Estimate;
import java.util.Comparator;
import java.util.List;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/// Where one method's policies stand at a row of strengths.
///
/// @param strengths from the one that holds the policy most to the one that holds it least
/// @param evaluations one a strength; of a policy that diverged all is NaN
public record Sweep(double[] strengths, List<Evaluation> evaluations) {
    public Sweep {
        evaluations = List.copyOf(evaluations);
        if (strengths.length != evaluations.size()) {
            throw new IllegalArgumentException("an evaluation for each of " + strengths.length
                    + " strengths is needed, got " + evaluations.size());
        }
    }

    /// The frontier of the sweep: the evaluations of which none other has more reward, or as much, at no more
    /// divergence. Methods are compared along it; nobody would choose a strength beside it.
    ///
    /// @return of as many strengths; evaluations beside the frontier are NaN
    public Sweep frontier() {
        return new Sweep(
                strengths,
                evaluations.stream()
                        .map(s -> evaluations.stream().noneMatch(other -> dominates(other, s)) ? s : Evaluation.NONE)
                        .toList());
    }

    private static boolean dominates(Evaluation a, Evaluation b) {
        return a.kl() <= b.kl() && a.reward() >= b.reward() && (a.kl() < b.kl() || a.reward() > b.reward());
    }

    /// The evaluation with the most reward; throws [IllegalStateException] if every policy diverged.
    public Evaluation best() {
        return evaluations.stream()
                .filter(Evaluation::isFinite)
                .max(Comparator.comparingDouble(Evaluation::reward))
                .orElseThrow(() -> new IllegalStateException("every policy of the sweep diverged"));
    }

    /// One measure over another, where they are finite.
    public Curve curve(ToDoubleFunction<Evaluation> x, ToDoubleFunction<Evaluation> y) {
        var finite = evaluations.stream().filter(Evaluation::isFinite).toList();
        return Curve.of(
                finite.stream().mapToDouble(x).toArray(),
                finite.stream().mapToDouble(y).toArray());
    }

    /// What of the best policy's reward is missing, over the divergence. Compare methods by this rather than by the
    /// reward: it is nearly straight between the points of a sweep, so that it matters little where they lie.
    public Curve shortfall() {
        return curve(Evaluation::kl, Evaluation::shortfall);
    }

    /// The sweep as an arm of a frontier, its points labelled by their strengths.
    ///
    /// @param symbol of the strength, such as β
    public Frontier.Arm arm(
            String name, String symbol, ToDoubleFunction<Evaluation> x, ToDoubleFunction<Evaluation> y) {
        return new Frontier.Arm(
                name,
                IntStream.range(0, strengths.length)
                        .mapToObj(i -> new Frontier.Point(
                                x.applyAsDouble(evaluations.get(i)),
                                Estimate.of(y.applyAsDouble(evaluations.get(i))),
                                symbol + " " + Quantity.number(strengths[i])))
                        .toList());
    }
}
