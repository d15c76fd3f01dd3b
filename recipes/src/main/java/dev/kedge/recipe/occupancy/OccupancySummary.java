package dev.kedge.recipe.occupancy;

import dev.kedge.env.mdp.Penalty;
import dev.kedge.env.mdp.Penalty.Divergence;
import dev.kedge.recipe.occupancy.OccupancyRecipe.Arm;
import dev.kedge.recipe.occupancy.OccupancyRecipe.Config;
import dev.kedge.recipe.occupancy.OccupancyRecipe.Step;
import dev.kedge.recipe.occupancy.OccupancyRecipe.Trained;
import dev.kedge.recipe.occupancy.ProxyWorld.Measured;
import dev.kedge.recipe.occupancy.ProxyWorld.Standing;
import dev.kedge.run.Run;
import dev.kedge.run.result.Frontier;
import dev.kedge.run.result.Frontier.Point;
import dev.kedge.run.result.Summary;
import dev.kedge.statistics.Estimate;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;

/// What the occupancy recipe says of its policies, all of it exact.
final class OccupancySummary {
    /// The penalty of the theory.
    static final Penalty THEORY = new Penalty.Occupancies(Divergence.ROOT_CHI_SQUARED);

    private OccupancySummary() {}

    static String title(Penalty penalty) {
        return switch (penalty) {
            case Penalty.None _ -> "no penalty";
            case Penalty.Actions(var divergence) -> title(divergence) + " of actions";
            case Penalty.States(var divergence) -> title(divergence) + " of states";
            case Penalty.Occupancies(var divergence) -> title(divergence) + " of occupancies";
        };
    }

    private static String title(Divergence divergence) {
        return switch (divergence) {
            case KL -> "KL";
            case CHI_SQUARED -> "χ²";
            case ROOT_CHI_SQUARED -> "√χ²";
        };
    }

    /// How metrics and checkpoints call it.
    static String phase(Penalty penalty) {
        return switch (penalty) {
            case Penalty.None _ -> "none";
            case Penalty.Actions(var divergence) ->
                "actions-" + divergence.name().toLowerCase(Locale.ROOT);
            case Penalty.States(var divergence) -> "states-" + divergence.name().toLowerCase(Locale.ROOT);
            case Penalty.Occupancies(var divergence) ->
                "occupancies-" + divergence.name().toLowerCase(Locale.ROOT);
        };
    }

    static Summary of(Config config, Measured world, List<Trained> trained, Run run) {
        Standing reference = world.standing(world.reference());
        Trained none = trained.getFirst();
        List<Trained> theory =
                trained.stream().filter(t -> t.task().phase().equals("theory")).toList();
        Summary summary = Summary.of("occupancy", Summary.Status.FINISHED, run.seconds())
                .title("A proxy reward, and what holds its optimiser")
                .verdict(verdict(reference, none, theory))
                .frontier(frontier(
                        "True reward against divergence",
                        "true reward of a step",
                        config,
                        reference,
                        trained,
                        Standing::truth))
                .frontier(frontier(
                        "Proxy reward against divergence",
                        "proxy reward of a step",
                        config,
                        reference,
                        trained,
                        Standing::proxy))
                .frontier(hacking(none, theory))
                .comparison(
                        "True reward of a step, no penalty",
                        "",
                        Estimate.of(reference.truth()),
                        Estimate.of(none.end().truth()));
        for (Trained one : theory) {
            summary = summary.comparison(
                    "True reward of a step, theory's penalty",
                    "",
                    Estimate.of(reference.truth()),
                    Estimate.of(one.end().truth()));
        }
        for (Arm arm : config.penalties()) {
            Trained best = best(of(trained, arm.penalty()));
            summary = summary.fact(
                    "best true reward, " + title(arm.penalty()),
                    Estimate.of(best.end().truth()),
                    "",
                    "with coefficient " + best.task().coefficient() + " σ, chosen by the truth");
        }
        Step stopped = none.way().stream()
                .max(Comparator.comparingDouble(s -> s.standing().truth()))
                .orElseThrow();
        summary = summary.fact(
                        "best true reward, early stopping",
                        Estimate.of(stopped.standing().truth()),
                        "",
                        "without a penalty, after " + stopped.done() + " of "
                                + config.learning().steps() + " steps, chosen by the truth")
                .fact("correlation of proxy and truth", Estimate.of(world.correlation()), "", "under the reference")
                .fact("σ of the proxy", Estimate.of(world.sigmaProxy()), "", "under the reference")
                .fact("theory's coefficient", Estimate.of(world.theory()), "σ", "λ = σ·sqrt(1 - r²)");
        if (world.correlation() > 0) {
            double slack = trained.stream()
                    .flatMap(t -> t.way().stream())
                    .mapToDouble(s -> s.standing().gain() - s.standing().bound())
                    .min()
                    .orElseThrow();
            summary = summary.fact(
                    "least slack of the bound",
                    Estimate.of(slack),
                    "σ of the truth",
                    "gain less its bound, over all policies: not below 0");
        } else {
            summary = summary.note("The correlation is not above 0: the theory says nothing of this world.");
        }
        return summary.note(
                        "Rewards are means of a step under the discounted occupancy; where a policy stands is computed,"
                                + " not sampled.")
                .note("Coefficients are in standard deviations of the proxy under the reference.");
    }

    private static String verdict(Standing reference, Trained none, List<Trained> theory) {
        String held = theory.isEmpty()
                ? ""
                : String.format(
                        Locale.ROOT,
                        " With the theory's penalty they are %.4f and %.4f.",
                        theory.getFirst().end().proxy(),
                        theory.getFirst().end().truth());
        return String.format(
                        Locale.ROOT,
                        "The reference has a proxy reward of %.4f and a true one of %.4f; without a penalty they become"
                                + " %.4f and %.4f%s.",
                        reference.proxy(),
                        reference.truth(),
                        none.end().proxy(),
                        none.end().truth(),
                        none.end().truth() < reference.truth() ? ": the proxy is hacked" : "")
                + held;
    }

    private static List<Trained> of(List<Trained> trained, Penalty penalty) {
        return trained.stream()
                .filter(t ->
                        t.task().penalty().equals(penalty) && !t.task().phase().equals("theory"))
                .toList();
    }

    private static Trained best(List<Trained> arm) {
        return arm.stream()
                .max(Comparator.comparingDouble(t -> t.end().truth()))
                .orElseThrow();
    }

    /// Each penalty over its coefficients, from the reference on; the way without one is that of early stopping.
    private static Frontier frontier(
            String title,
            String y,
            Config config,
            Standing reference,
            List<Trained> trained,
            ToDoubleFunction<Standing> of) {
        List<Frontier.Arm> arms = new ArrayList<>();
        for (Arm arm : config.penalties()) {
            List<Point> points = new ArrayList<>(List.of(point(reference, "reference", of)));
            of(trained, arm.penalty()).stream()
                    .sorted(Comparator.comparingDouble(t -> -t.task().coefficient()))
                    .forEach(t -> points.add(point(t.end(), t.task().coefficient() + " σ", of)));
            arms.add(new Frontier.Arm(title(arm.penalty()), points));
        }
        arms.add(new Frontier.Arm(
                "no penalty, stopped early",
                trained.getFirst().way().stream()
                        .map(s -> point(s.standing(), "step " + s.done(), of))
                        .toList()));
        trained.stream()
                .filter(t -> t.task().phase().equals("theory"))
                .forEach(t -> arms.add(new Frontier.Arm("the theory's λ", List.of(point(t.end(), "theory's λ", of)))));
        return new Frontier(title, "KL(occupancy || reference's), nats", y, arms, List.of());
    }

    private static Point point(Standing standing, String label, ToDoubleFunction<Standing> of) {
        return new Point(standing.kl(), Estimate.of(of.applyAsDouble(standing)), label);
    }

    /// The picture of hacking: the same two rewards on the way without a penalty, and with the theory's.
    private static Frontier hacking(Trained none, List<Trained> theory) {
        List<Frontier.Arm> arms = new ArrayList<>();
        arms.add(way("proxy, no penalty", none, Standing::proxyGain));
        arms.add(way("truth, no penalty", none, Standing::gain));
        for (Trained one : theory) {
            arms.add(way("proxy, theory's penalty", one, Standing::proxyGain));
            arms.add(way("truth, theory's penalty", one, Standing::gain));
        }
        return new Frontier(
                "What is optimised and what counts, step by step",
                "steps",
                "gain over the reference, σ",
                arms,
                List.of());
    }

    private static Frontier.Arm way(String name, Trained one, ToDoubleFunction<Standing> of) {
        return new Frontier.Arm(
                name,
                one.way().stream()
                        .map(s -> new Point(s.done(), Estimate.of(of.applyAsDouble(s.standing())), ""))
                        .toList());
    }
}
