package dev.kedge.recipe.policy;

import dev.kedge.env.mdp.ProxyBound;
import dev.kedge.run.result.Frontier;
import dev.kedge.run.result.Summary;
import dev.kedge.statistics.Bootstrap;
import dev.kedge.statistics.Estimate;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
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
        static Agreement of(Rollouts draw) {
            List<Score> both = draw.scores().stream()
                    .filter(s -> s.isThere() && s.isProxy())
                    .toList();
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
        metrics.put("correlation", Agreement.of(policy.draw()).correlation());
        return metrics;
    }

    /// The summary with both rewards as curves, and where they stand.
    Summary on(Summary summary, List<WinRates.Way> ways) {
        Agreement before = Agreement.of(start.draw());
        StringBuilder verdict = new StringBuilder(String.format(
                Locale.ROOT,
                "Mean true reward of answers drawn to questions never trained on, and the learned one: the start has"
                        + " %.3f (%.2f)",
                Bootstrap.mean(start.truths()),
                Bootstrap.mean(start.rewards())));
        for (WinRates.Way way : ways) {
            HeldOut last = way.policies().getLast();
            verdict.append(String.format(
                    Locale.ROOT,
                    "; %s %.3f (%.2f) at %.2f nats",
                    way.title(),
                    Bootstrap.mean(last.truths()),
                    Bootstrap.mean(last.rewards()),
                    Bootstrap.mean(last.kl())));
        }
        Summary with = summary.verdict(verdict.append('.').toString())
                .frontier(frontier("True reward against divergence from the start", "mean true reward", ways, true))
                .frontier(fall(farthest(ways)))
                .frontier(frontier(
                        "Learned reward against divergence from the start", "mean learned reward", ways, false))
                .fact(
                        "correlation of learned and true reward",
                        Estimate.of(before.correlation()),
                        "",
                        "over the start's answers")
                .fact(
                        "weight of root chi-squared by the bound",
                        Estimate.of(before.lambda()),
                        "",
                        "deviation of the learned reward times sqrt(1 - correlation²), over the start's answers");
        with = with.comparison(
                "True reward, drawn",
                "",
                of(start.truths()),
                of(ways.getFirst().policies().getLast().truths()));
        for (WinRates.Way way : ways) {
            HeldOut last = way.policies().getLast();
            HeldOut best = best(way);
            with = with.fact(
                            "correlation after " + way.title(),
                            Estimate.of(Agreement.of(last.draw()).correlation()),
                            "",
                            "")
                    .fact(
                            "early stopping, " + way.title(),
                            of(best.truths()),
                            "",
                            String.format(
                                    Locale.ROOT,
                                    "true reward of its best kept policy, at %.2f nats: only an oracle knows which",
                                    Bootstrap.mean(best.kl())));
        }
        return with;
    }

    /// The kept policy of most true reward.
    private static HeldOut best(WinRates.Way way) {
        return way.policies().stream()
                .max(Comparator.comparingDouble(p -> Bootstrap.mean(p.truths())))
                .orElseThrow();
    }

    private static WinRates.Way farthest(List<WinRates.Way> ways) {
        return ways.stream()
                .max(Comparator.comparingDouble(
                        w -> Bootstrap.mean(w.policies().getLast().kl())))
                .orElseThrow();
    }

    /// Both rewards of one method, each in deviations of the start's answers, so that they share an axis.
    private Frontier fall(WinRates.Way way) {
        return new Frontier(
                "What is optimised goes up, what is meant goes down: " + way.title(),
                "KL(policy || start), nats",
                "gain over the start, deviations of its answers",
                List.of(
                        gains("learned reward", way, HeldOut::rewards, Score::reward),
                        gains("true reward", way, HeldOut::truths, Score::truth)),
                List.of());
    }

    private Frontier.Arm gains(
            String name, WinRates.Way way, Function<HeldOut, double[]> rewards, Function<Score, Double> of) {
        double[] all = start.draw().scores().stream()
                .filter(s -> s.isThere() && s.isProxy())
                .mapToDouble(of::apply)
                .toArray();
        double deviation = Math.sqrt(StatUtils.populationVariance(all));
        double[] before = rewards.apply(start);
        List<Frontier.Point> points = new ArrayList<>();
        points.add(new Frontier.Point(0, Estimate.of(0), "start"));
        for (HeldOut policy : way.policies()) {
            double[] gains = rewards.apply(policy);
            for (int q = 0; q < gains.length; q++) {
                gains[q] = (gains[q] - before[q]) / deviation;
            }
            points.add(new Frontier.Point(Bootstrap.mean(policy.kl()), of(gains), ""));
        }
        return new Frontier.Arm(name, points);
    }

    private Frontier frontier(String title, String y, List<WinRates.Way> ways, boolean isTrue) {
        List<Frontier.Arm> arms = new ArrayList<>();
        for (WinRates.Way way : ways) {
            List<Frontier.Point> points = new ArrayList<>();
            points.add(new Frontier.Point(0, of(isTrue ? start.truths() : start.rewards()), "start"));
            for (HeldOut policy : way.policies()) {
                points.add(new Frontier.Point(
                        Bootstrap.mean(policy.kl()), of(isTrue ? policy.truths() : policy.rewards()), ""));
            }
            arms.add(new Frontier.Arm(way.title(), points));
        }
        return new Frontier(title, "KL(policy || start), nats", y, arms, List.of());
    }

    private Estimate of(double[] values) {
        return bootstrap.bca(values);
    }
}
