package dev.kedge.recipe.policy;

import dev.kedge.env.mdp.ProxyBound;
import dev.kedge.run.result.Frontier;
import dev.kedge.run.result.Summary;
import dev.kedge.statistics.Bootstrap;
import dev.kedge.statistics.Estimate;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import org.hipparchus.stat.StatUtils;

/// What became of the true reward while policies learned from a proxy of it: both over the divergence from the start
/// (overoptimisation, arXiv:2210.10760), and how far they still go together (arXiv:2403.03185).
///
/// @param start     what the start answered to held-out questions
/// @param bootstrap of intervals over questions
record Overoptimization(HeldOut start, Bootstrap bootstrap) {
    /// The two rewards over all answers of a policy.
    ///
    /// @param correlation Pearson's; 0 where one of them is the same everywhere
    /// @param lambda      the coefficient of sqrt(χ²) that the bound asks for, in the unit of the proxy
    record Agreement(double correlation, double lambda) {
        /// Empty where fewer than two answers have both rewards.
        static Optional<Agreement> of(Rollouts rollouts) {
            List<Score> both = both(rollouts);
            if (both.size() < 2) {
                return Optional.empty();
            }
            double[] truth = both.stream().mapToDouble(Overoptimization::truth).toArray();
            double[] proxy = both.stream().mapToDouble(Score::reward).toArray();
            try (Scope _ = new Scope()) {
                Tensor each = Tensor.of(truth).zerosLike().plus(1.0 / truth.length);
                ProxyBound bound = ProxyBound.of(each, each, Tensor.of(truth), Tensor.of(proxy));
                double correlation = bound.correlation().item();
                return Optional.of(
                        Double.isFinite(correlation)
                                ? new Agreement(correlation, bound.lambda().item())
                                : new Agreement(0, bound.sigmaProxy().item()));
            }
        }
    }

    /// What of a policy goes into the metrics.
    static Map<String, Double> metrics(HeldOut policy) {
        Map<String, Double> metrics = new LinkedHashMap<>();
        policy.truths().mean().ifPresent(truth -> metrics.put("reward/true", truth));
        Agreement.of(policy.rollouts()).ifPresent(both -> metrics.put("correlation", both.correlation()));
        return metrics;
    }

    /// The summary with both rewards as curves, and where they stand, as far as they could be judged.
    Summary on(Summary summary, List<EvaluatedMethod> methods) {
        Summary with = summary.verdict(verdict(methods))
                .frontier(frontier("True reward", "mean true reward", methods, HeldOut::truths))
                .frontier(fall(Collections.max(methods, EvaluatedMethod.byDivergence())))
                .frontier(frontier("Learned reward", "mean learned reward", methods, HeldOut::rewards));
        Optional<Agreement> before = Agreement.of(start.rollouts());
        if (before.isPresent()) {
            with = with.fact(
                            "correlation_of_learned_and_true_reward",
                            "correlation of learned and true reward",
                            Estimate.of(before.get().correlation()),
                            "",
                            "over the start's answers")
                    .fact(
                            "weight_of_root_chi_squared_by_the_bound",
                            "weight of root chi-squared by the bound",
                            Estimate.of(before.get().lambda()),
                            "",
                            "deviation of the learned reward times sqrt(1 - correlation²), over the start's answers");
        }
        with = PerQuestion.compared(
                with,
                "True reward, drawn",
                "",
                start.truths(),
                methods.getFirst().last().truths(),
                bootstrap);
        for (EvaluatedMethod method : methods) {
            with = ended(with, method);
        }
        return with;
    }

    /// The summary with how a method ended.
    private Summary ended(Summary summary, EvaluatedMethod method) {
        Summary with = summary;
        Optional<Agreement> after = Agreement.of(method.last().rollouts());
        if (after.isPresent()) {
            with = with.fact(
                    Summary.key("correlation_after", method.phase()),
                    "correlation after " + method.title(),
                    Estimate.of(after.get().correlation()),
                    "",
                    "");
        }
        Optional<HeldOut> best = method.policies().stream()
                .filter(policy -> policy.truths().mean().isPresent())
                .max(Comparator.comparingDouble(policy -> policy.truths().mean().orElseThrow()));
        if (best.isPresent()) {
            with = with.fact(
                    Summary.key("early_stopping", method.phase()),
                    "early stopping, " + method.title(),
                    best.get().truths().estimate(bootstrap).orElseThrow(),
                    "",
                    String.format(
                            Locale.ROOT,
                            "true reward of its best kept policy, at %.2f nats: only an oracle knows which",
                            best.get().divergence()));
        }
        return with;
    }

    private String verdict(List<EvaluatedMethod> methods) {
        String ends = methods.stream()
                .map(m -> String.format(
                        Locale.ROOT,
                        "; %s at %.2f nats",
                        said(m.title(), m.last()),
                        m.last().divergence()))
                .collect(Collectors.joining());
        return "Mean true reward of answers drawn to held-out questions, and the learned one: "
                + said("the start has", start) + ends + ".";
    }

    private static String said(String who, HeldOut policy) {
        return who + " " + written("%.3f", policy.truths()) + " (" + written("%.2f", policy.rewards()) + ")";
    }

    private static String written(String format, PerQuestion rewards) {
        return rewards.mean().isPresent()
                ? String.format(Locale.ROOT, format, rewards.mean().getAsDouble())
                : "none that was judged";
    }

    private Frontier frontier(
            String what, String y, List<EvaluatedMethod> methods, Function<HeldOut, PerQuestion> rewards) {
        Optional<Frontier.Point> first =
                rewards.apply(start).estimate(bootstrap).map(y0 -> new Frontier.Point(0, y0, "start"));
        return EvaluatedMethod.frontier(
                what + " against divergence from the start",
                y,
                methods.stream()
                        .map(m ->
                                m.curve(m.title(), first, p -> rewards.apply(p).estimate(bootstrap), ""))
                        .toList());
    }

    /// Both rewards of one method, each in deviations of the start's answers, so that they share an axis.
    private Frontier fall(EvaluatedMethod method) {
        return EvaluatedMethod.frontier(
                "What is optimised goes up, what is meant goes down: " + method.title(),
                "gain over the start, deviations of its answers",
                List.of(
                        gains("learned reward", method, HeldOut::rewards, Score::reward),
                        gains("true reward", method, HeldOut::truths, Overoptimization::truth)));
    }

    private Frontier.Arm gains(
            String name, EvaluatedMethod method, Function<HeldOut, PerQuestion> rewards, ToDoubleFunction<Score> of) {
        double[] all = both(start.rollouts()).stream().mapToDouble(of).toArray();
        double deviation = Math.sqrt(StatUtils.populationVariance(all));
        return method.curve(
                name,
                rewards.apply(start).mean().stream()
                        .mapToObj(_ -> new Frontier.Point(0, Estimate.of(0), "start"))
                        .findFirst(),
                policy -> rewards.apply(policy)
                        .gain(rewards.apply(start), deviation)
                        .estimate(bootstrap),
                "");
    }

    private static double truth(Score score) {
        return score.truth().orElseThrow();
    }

    /// The completions that have both rewards.
    private static List<Score> both(Rollouts rollouts) {
        return rollouts.scores().stream()
                .filter(s -> s.hasReward() && s.isProxy() && s.isJudged())
                .toList();
    }
}
