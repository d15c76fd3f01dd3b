package dev.kedge.lab.compare;

import dev.kedge.lab.plot.Quantity;
import dev.kedge.lab.tabular.Bandit.Evaluation;
import dev.kedge.lab.tabular.Curve;
import dev.kedge.lab.tabular.Sweep;
import dev.kedge.run.result.Frontier;
import dev.kedge.statistics.Bootstrap;
import dev.kedge.statistics.Estimate;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/// Methods that were trained on the same tasks, each at all its strengths.
///
/// They are compared at equal divergence from the reference, along the frontier of each sweep, by the reward that is
/// missing from the best policy of that divergence. What is called reward here is the task's measure.
///
/// @param optimum of the task of each seed, to be drawn
public record MethodComparison(ComparisonTask task, List<Entry> entries, List<List<Frontier.Point>> optimum) {
    private static final Bootstrap BOOTSTRAP = new Bootstrap(10_000, 0.95, 0);
    private static final String KL = "KL from the reference (nats)";

    public MethodComparison {
        entries = List.copyOf(entries);
        optimum = List.copyOf(optimum);
    }

    /// A method with its sweeps by seed.
    ///
    /// @param gaps the duality gap at each strength, by seed; empty where the strength is not a game's β
    public record Entry(ComparedMethod method, List<Sweep> sweeps, List<double[]> gaps) {
        public Entry {
            sweeps = List.copyOf(sweeps);
            gaps = List.copyOf(gaps);
        }

        private Frontier.Arm arm(int seed, ToDoubleFunction<Evaluation> measure) {
            return sweeps.get(seed).arm(method.name(), method.symbol(), Evaluation::kl, measure);
        }

        private Frontier.Arm gap(int seed) {
            var points = gaps.isEmpty()
                    ? List.<Frontier.Point>of()
                    : arm(seed, Evaluation::kl).points();
            return new Frontier.Arm(
                    method.name(),
                    IntStream.range(0, points.size())
                            .mapToObj(i -> new Frontier.Point(
                                    points.get(i).x(),
                                    Estimate.of(gaps.get(seed)[i]),
                                    points.get(i).label()))
                            .toList());
        }

        /// The mean evaluation at each strength.
        Sweep mean() {
            var strengths = method.strengths();
            return new Sweep(
                    strengths,
                    IntStream.range(0, strengths.length)
                            .mapToObj(i -> new Evaluation(
                                    mean(i, Evaluation::kl),
                                    mean(i, Evaluation::reward),
                                    mean(i, Evaluation::entropy),
                                    mean(i, Evaluation::shortfall)))
                            .toList());
        }

        private double mean(int strength, ToDoubleFunction<Evaluation> measure) {
            return sweeps.stream()
                            .mapToDouble(
                                    s -> measure.applyAsDouble(s.evaluations().get(strength)))
                            .sum()
                    / sweeps.size();
        }
    }

    /// Two methods at equal divergence.
    ///
    /// @param advantage how much more reward the first has, on average over the divergences that both reach, paired
    ///                  by seed; empty where in some seed they reach none in common
    /// @param dominance who is above where, on the means over seeds
    public record Pairing(
            ComparedMethod first, ComparedMethod second, Optional<Estimate> advantage, Dominance dominance) {}

    /// Where a method stands among all.
    ///
    /// @param missing    reward missing from the optimum, on average over the divergences that all methods reach;
    ///                   empty where in some seed they reach none in common
    /// @param mostReward of the sweep
    /// @param kl         the divergence there
    public record Place(ComparedMethod method, Optional<Estimate> missing, Estimate mostReward, Estimate kl) {}

    public int seeds() {
        return optimum.size();
    }

    /// Reward over divergence, mean over seeds, beside the optimum.
    public Frontier frontier() {
        return mean(title(" at each divergence"), task.axis(), (e, s) -> e.arm(s, Evaluation::reward), optimum);
    }

    /// Reward missing from the optimum of equal divergence, mean over seeds, along each method's frontier.
    public Frontier missing() {
        var missing = mean(
                title(" missing at equal divergence"),
                "from that of the best policy; less is better",
                (e, s) -> e.arm(s, Evaluation::shortfall),
                nothing());
        var arms = IntStream.range(0, entries.size())
                .mapToObj(i ->
                        along(entries.get(i).mean().frontier(), missing.arms().get(i)))
                .toList();
        return new Frontier(missing.title(), missing.x(), missing.y(), arms);
    }

    /// The duality gap over divergence, mean over seeds, with points for the methods whose strength is the β of the
    /// game; empty if there are none.
    public Optional<Frontier> gaps() {
        return entries.stream().allMatch(e -> e.gaps.isEmpty())
                ? Optional.empty()
                : Optional.of(mean(
                        "Distance from the equilibrium of each β",
                        "duality gap of the regularised game",
                        Entry::gap,
                        nothing()));
    }

    private String title(String rest) {
        return task.measure().substring(0, 1).toUpperCase(Locale.ROOT)
                + task.measure().substring(1)
                + rest;
    }

    private List<List<Frontier.Point>> nothing() {
        return optimum.stream().map(_ -> List.<Frontier.Point>of()).toList();
    }

    private static Frontier.Arm along(Sweep frontier, Frontier.Arm arm) {
        return new Frontier.Arm(
                arm.name(),
                IntStream.range(0, arm.points().size())
                        .filter(i -> frontier.evaluations().get(i).isFinite())
                        .mapToObj(arm.points()::get)
                        .toList());
    }

    private interface ArmOfSeed {
        Frontier.Arm of(Entry entry, int seed);
    }

    private Frontier mean(String title, String y, ArmOfSeed arm, List<List<Frontier.Point>> optima) {
        var seeds = IntStream.range(0, seeds())
                .mapToObj(s -> new Frontier(
                        title, KL, y, entries.stream().map(e -> arm.of(e, s)).toList(), optima.get(s)))
                .toList();
        return Frontier.mean(seeds, BOOTSTRAP);
    }

    /// Every method among all, the one that misses least first.
    public List<Place> places() {
        var missing = atEqualDivergence(entries);
        var places = new ArrayList<Place>();
        for (int i = 0; i < entries.size(); i++) {
            int entry = i;
            var sweeps = entries.get(i).sweeps;
            places.add(new Place(
                    entries.get(i).method,
                    missing.map(m -> BOOTSTRAP.bca(m[entry])),
                    BOOTSTRAP.bca(
                            sweeps.stream().mapToDouble(s -> s.best().reward()).toArray()),
                    BOOTSTRAP.bca(
                            sweeps.stream().mapToDouble(s -> s.best().kl()).toArray())));
        }
        if (missing.isPresent()) {
            places.sort((a, b) -> Double.compare(
                    a.missing.orElseThrow().value(), b.missing.orElseThrow().value()));
        }
        return places;
    }

    /// What was found, in a sentence.
    public String sentence() {
        var places = places();
        var first = places.getFirst();
        var last = places.getLast();
        if (first.missing.isEmpty()) {
            return "There is no divergence that all methods reach.";
        }
        var range = common().map(r -> "Over the divergences that all reach, " + Quantity.number(r.from()) + " to "
                        + Quantity.number(r.to()) + " nats, ")
                .orElse("Over the divergences that all reach, ");
        var said = first.method.name() + " misses "
                + Quantity.number(first.missing.get().value()) + " of the optimum's " + task.measure();
        return range
                + said
                + (first == last
                        ? "."
                        : ", " + last.method.name() + " "
                                + Quantity.number(last.missing.orElseThrow().value()) + ".");
    }

    /// All pairs of methods.
    public List<Pairing> pairings() {
        var arms = missing().arms();
        var pairings = new ArrayList<Pairing>();
        for (int i = 0; i < entries.size(); i++) {
            for (int j = i + 1; j < entries.size(); j++) {
                var advantage = atEqualDivergence(List.of(entries.get(i), entries.get(j)))
                        .map(m -> BOOTSTRAP.pairedBca(m[0], m[1])); // what the second misses more
                pairings.add(new Pairing(
                        entries.get(i).method, entries.get(j).method, advantage, dominance(arms.get(i), arms.get(j))));
            }
        }
        return pairings;
    }

    private static Dominance dominance(Frontier.Arm first, Frontier.Arm second) {
        boolean known = !Curve.of(first).isEmpty() && !Curve.of(second).isEmpty();
        return known
                ? Dominance.between(negated(first), negated(second))
                : new Dominance(first.name(), second.name(), List.of());
    }

    /// Less missing is above.
    private static Frontier.Arm negated(Frontier.Arm arm) {
        return new Frontier.Arm(
                arm.name(),
                arm.points().stream()
                        .map(p -> Frontier.Point.of(p.x(), -p.y().value()))
                        .toList());
    }

    /// The divergences that all methods reach on the mean over seeds.
    public Optional<Curve.Range> common() {
        return Curve.common(missing().arms().stream().map(Curve::of).toList());
    }

    /// For each entry and seed the mean missing reward over the divergences that all the entries reach with that seed.
    private Optional<double[][]> atEqualDivergence(List<Entry> among) {
        var missing = new double[among.size()][seeds()];
        for (int s = 0; s < seeds(); s++) {
            int seed = s;
            var curves = among.stream()
                    .map(e -> e.sweeps.get(seed).frontier().shortfall())
                    .toList();
            var range = Curve.common(curves);
            if (range.isEmpty()) {
                return Optional.empty();
            }
            for (int i = 0; i < missing.length; i++) {
                missing[i][s] = curves.get(i).mean(range.get());
            }
        }
        return Optional.of(missing);
    }
}
