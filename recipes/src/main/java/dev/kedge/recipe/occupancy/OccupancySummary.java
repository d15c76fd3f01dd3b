package dev.kedge.recipe.occupancy;

import dev.kedge.env.mdp.Penalty;
import dev.kedge.env.mdp.Penalty.Divergence;
import dev.kedge.recipe.occupancy.OccupancyConfig.Arm;
import dev.kedge.recipe.occupancy.ProxyEnvironment.Evaluation;
import dev.kedge.recipe.occupancy.ProxyEnvironment.Evaluator;
import dev.kedge.recipe.occupancy.TrainedPolicy.Snapshot;
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

    static Summary of(OccupancyConfig config, Evaluator evaluator, List<TrainedPolicy> trained, Run run) {
        Evaluation reference = evaluator.evaluate(evaluator.reference());
        TrainedPolicy none = trained.getFirst();
        List<TrainedPolicy> theory =
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
                        Evaluation::truth))
                .frontier(frontier(
                        "Proxy reward against divergence",
                        "proxy reward of a step",
                        config,
                        reference,
                        trained,
                        Evaluation::proxy))
                .frontier(hacking(none, theory))
                .comparison(
                        "True reward of a step, no penalty",
                        "",
                        Estimate.of(reference.truth()),
                        Estimate.of(none.end().truth()));
        for (TrainedPolicy one : theory) {
            summary = summary.comparison(
                    "True reward of a step, theory's penalty",
                    "",
                    Estimate.of(reference.truth()),
                    Estimate.of(one.end().truth()));
        }
        for (Arm arm : config.penalties()) {
            TrainedPolicy best = best(of(trained, arm.penalty()));
            summary = summary.fact(
                    Summary.key("best_true_reward", phase(arm.penalty())),
                    "best true reward, " + title(arm.penalty()),
                    Estimate.of(best.end().truth()),
                    "",
                    "with coefficient " + best.task().coefficient() + " σ, chosen by the truth");
        }
        Snapshot stopped = none.snapshots().stream()
                .max(Comparator.comparingDouble(s -> s.evaluation().truth()))
                .orElseThrow();
        summary = summary.fact(
                        "best_true_reward_early_stopping",
                        "best true reward, early stopping",
                        Estimate.of(stopped.evaluation().truth()),
                        "",
                        "without a penalty, after " + stopped.done() + " of "
                                + config.learning().steps() + " steps, chosen by the truth")
                .fact(
                        "correlation_of_proxy_and_truth",
                        "correlation of proxy and truth",
                        Estimate.of(evaluator.correlation()),
                        "",
                        "under the reference")
                .fact(
                        "sigma_of_the_proxy",
                        "σ of the proxy",
                        Estimate.of(evaluator.sigmaProxy()),
                        "",
                        "under the reference")
                .fact(
                        "theory_coefficient",
                        "theory's coefficient",
                        Estimate.of(evaluator.theory()),
                        "σ",
                        "λ = σ·sqrt(1 - r²)");
        if (evaluator.correlation() > 0) {
            double slack = trained.stream()
                    .flatMap(t -> t.snapshots().stream())
                    .mapToDouble(s -> s.evaluation().gain() - s.evaluation().bound())
                    .min()
                    .orElseThrow();
            summary = summary.fact(
                    "least_slack_of_the_bound",
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

    private static String verdict(Evaluation reference, TrainedPolicy none, List<TrainedPolicy> theory) {
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

    private static List<TrainedPolicy> of(List<TrainedPolicy> trained, Penalty penalty) {
        return trained.stream()
                .filter(t ->
                        t.task().penalty().equals(penalty) && !t.task().phase().equals("theory"))
                .toList();
    }

    private static TrainedPolicy best(List<TrainedPolicy> arm) {
        return arm.stream()
                .max(Comparator.comparingDouble(t -> t.end().truth()))
                .orElseThrow();
    }

    /// Each penalty over its coefficients, from the reference on; the snapshots without one are those of early
    /// stopping.
    private static Frontier frontier(
            String title,
            String y,
            OccupancyConfig config,
            Evaluation reference,
            List<TrainedPolicy> trained,
            ToDoubleFunction<Evaluation> of) {
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
                trained.getFirst().snapshots().stream()
                        .map(s -> point(s.evaluation(), "step " + s.done(), of))
                        .toList()));
        trained.stream()
                .filter(t -> t.task().phase().equals("theory"))
                .forEach(t -> arms.add(new Frontier.Arm("the theory's λ", List.of(point(t.end(), "theory's λ", of)))));
        return new Frontier(title, "KL(occupancy || reference's), nats", y, arms, List.of());
    }

    private static Point point(Evaluation evaluation, String label, ToDoubleFunction<Evaluation> of) {
        return new Point(evaluation.kl(), Estimate.of(of.applyAsDouble(evaluation)), label);
    }

    /// The picture of hacking: the same two rewards without a penalty, and with the theory's.
    private static Frontier hacking(TrainedPolicy none, List<TrainedPolicy> theory) {
        List<Frontier.Arm> arms = new ArrayList<>();
        arms.add(curve("proxy, no penalty", none, Evaluation::proxyGain));
        arms.add(curve("truth, no penalty", none, Evaluation::gain));
        for (TrainedPolicy one : theory) {
            arms.add(curve("proxy, theory's penalty", one, Evaluation::proxyGain));
            arms.add(curve("truth, theory's penalty", one, Evaluation::gain));
        }
        return new Frontier(
                "What is optimised and what counts, step by step",
                "steps",
                "gain over the reference, σ",
                arms,
                List.of());
    }

    private static Frontier.Arm curve(String name, TrainedPolicy one, ToDoubleFunction<Evaluation> of) {
        return new Frontier.Arm(
                name,
                one.snapshots().stream()
                        .map(s -> new Point(s.done(), Estimate.of(of.applyAsDouble(s.evaluation())), ""))
                        .toList());
    }
}
