package dev.kedge.recipe.policy;

import dev.kedge.env.mdp.ProxyBound;
import dev.kedge.run.result.Frontier;
import dev.kedge.run.result.Summary;
import dev.kedge.statistics.Bootstrap;
import dev.kedge.statistics.Estimate;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
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
        static Agreement of(Rollouts rollouts) {
            List<Score> both = both(rollouts);
            double[] truth = both.stream().mapToDouble(Score::truth).toArray();
            double[] proxy = both.stream().mapToDouble(Score::reward).toArray();
            try (Scope _ = new Scope()) {
                Tensor each = Tensor.of(truth).zerosLike().plus(1.0 / truth.length);
                ProxyBound bound = ProxyBound.of(each, each, Tensor.of(truth), Tensor.of(proxy));
                double correlation = bound.correlation().item();
                return Double.isFinite(correlation)
                        ? new Agreement(correlation, bound.lambda().item())
                        : new Agreement(0, bound.sigmaProxy().item());
            }
        }
    }

    /// What of a policy goes into the metrics.
    static Map<String, Double> metrics(HeldOut policy) {
        Map<String, Double> metrics = new LinkedHashMap<>();
        metrics.put("reward/true", Bootstrap.mean(policy.truths()));
        metrics.put("correlation", Agreement.of(policy.rollouts()).correlation());
        return metrics;
    }

    /// The summary with both rewards as curves, and where they stand.
    Summary on(Summary summary, List<EvaluatedMethod> methods) {
        Agreement before = Agreement.of(start.rollouts());
        Summary with = summary.verdict(verdict(methods))
                .frontier(frontier("True reward", "mean true reward", methods, HeldOut::truths))
                .frontier(fall(Collections.max(methods, EvaluatedMethod.byDivergence())))
                .frontier(frontier("Learned reward", "mean learned reward", methods, HeldOut::rewards))
                .fact(
                        "correlation_of_learned_and_true_reward",
                        "correlation of learned and true reward",
                        Estimate.of(before.correlation()),
                        "",
                        "over the start's answers")
                .fact(
                        "weight_of_root_chi_squared_by_the_bound",
                        "weight of root chi-squared by the bound",
                        Estimate.of(before.lambda()),
                        "",
                        "deviation of the learned reward times sqrt(1 - correlation²), over the start's answers")
                .comparison(
                        "True reward, drawn",
                        "",
                        bootstrap.bca(start.truths()),
                        bootstrap.bca(methods.getFirst().last().truths()));
        for (EvaluatedMethod method : methods) {
            HeldOut best = method.policies().stream()
                    .max(Comparator.comparingDouble(p -> Bootstrap.mean(p.truths())))
                    .orElseThrow();
            double correlation = Agreement.of(method.last().rollouts()).correlation();
            String oracle = String.format(
                    Locale.ROOT,
                    "true reward of its best kept policy, at %.2f nats: only an oracle knows which",
                    best.divergence());
            with = with.fact(
                            Summary.key("correlation_after", method.phase()),
                            "correlation after " + method.title(),
                            Estimate.of(correlation),
                            "",
                            "")
                    .fact(
                            Summary.key("early_stopping", method.phase()),
                            "early stopping, " + method.title(),
                            bootstrap.bca(best.truths()),
                            "",
                            oracle);
        }
        return with;
    }

    private String verdict(List<EvaluatedMethod> methods) {
        String ends = methods.stream()
                .map(m -> String.format(
                        Locale.ROOT,
                        "; %s %.3f (%.2f) at %.2f nats",
                        m.title(),
                        Bootstrap.mean(m.last().truths()),
                        Bootstrap.mean(m.last().rewards()),
                        m.last().divergence()))
                .collect(Collectors.joining());
        return String.format(
                Locale.ROOT,
                "Mean true reward of answers drawn to questions never trained on, and the learned one: the start has"
                        + " %.3f (%.2f)%s.",
                Bootstrap.mean(start.truths()),
                Bootstrap.mean(start.rewards()),
                ends);
    }

    private Frontier frontier(
            String what, String y, List<EvaluatedMethod> methods, Function<HeldOut, double[]> rewards) {
        Frontier.Point first = new Frontier.Point(0, bootstrap.bca(rewards.apply(start)), "start");
        return EvaluatedMethod.frontier(
                what + " against divergence from the start",
                y,
                methods.stream()
                        .map(m -> m.curve(m.title(), first, p -> bootstrap.bca(rewards.apply(p)), ""))
                        .toList());
    }

    /// Both rewards of one method, each in deviations of the start's answers, so that they share an axis.
    private Frontier fall(EvaluatedMethod method) {
        return EvaluatedMethod.frontier(
                "What is optimised goes up, what is meant goes down: " + method.title(),
                "gain over the start, deviations of its answers",
                List.of(
                        gains("learned reward", method, HeldOut::rewards, Score::reward),
                        gains("true reward", method, HeldOut::truths, Score::truth)));
    }

    private Frontier.Arm gains(
            String name, EvaluatedMethod method, Function<HeldOut, double[]> rewards, ToDoubleFunction<Score> of) {
        double[] all = both(start.rollouts()).stream().mapToDouble(of).toArray();
        double deviation = Math.sqrt(StatUtils.populationVariance(all));
        double[] before = rewards.apply(start);
        return method.curve(
                name,
                new Frontier.Point(0, Estimate.of(0), "start"),
                policy -> {
                    double[] after = rewards.apply(policy);
                    Arrays.setAll(after, q -> (after[q] - before[q]) / deviation);
                    return bootstrap.bca(after);
                },
                "");
    }

    /// The completions that have both rewards.
    private static List<Score> both(Rollouts rollouts) {
        return rollouts.scores().stream()
                .filter(s -> s.hasReward() && s.isProxy())
                .toList();
    }
}
