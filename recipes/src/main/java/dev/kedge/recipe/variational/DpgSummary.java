package dev.kedge.recipe.variational;

import dev.kedge.recipe.variational.DpgConfig.Method;
import dev.kedge.recipe.variational.DpgEvaluation.Result;
import dev.kedge.run.result.Frontier;
import dev.kedge.run.result.Summary;
import dev.kedge.statistics.Estimate;
import dev.kedge.task.EnumerableLanguage;
import dev.kedge.task.EnumerableLanguage.Reads;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/// The pictures of a run: where the mass of each policy lies, what it is worth, and how it came there.
///
/// @param policies log-probabilities of all texts, by method, in their order
record DpgSummary(
        DpgConfig config, EnumerableLanguage language, DpgEvaluation evaluation, Map<Method, double[]> policies) {
    /// Strengths of the optimum's curve.
    private static final int STRENGTHS = 60;

    /// Nats below which a divergence is drawn as this much.
    private static final double LEAST = 1e-4;

    Summary summary(double seconds) {
        var posterior = evaluation.posterior(Reads.TEXT);
        Summary summary = Summary.of("dpg", Summary.Status.FINISHED, seconds)
                .title("Learning from reward as Bayesian inference")
                .verdict(verdict(posterior));
        if (posterior.isPresent()) {
            List<Method> methods = aimedAt(posterior.get(), Reads.TEXT);
            summary = curves(summary, posterior.get(), Reads.TEXT, "")
                    .frontier(frontier())
                    .frontier(curve(
                            "KL(posterior || policy)", "log10 of nats", methods, r -> log(r.klFromTarget()), List.of()))
                    .frontier(curve(
                            "KL(policy || posterior)", "log10 of nats", methods, r -> log(r.klToTarget()), List.of()));
        }
        var ofPlaces = evaluation.posterior(Reads.PLACE);
        if (ofPlaces.isPresent()) {
            summary = curves(summary, ofPlaces.get(), Reads.PLACE, ", letters independent");
        }
        for (Method method : config.methods()) {
            if (method.target() instanceof DpgTarget.Moment m) {
                List<Method> same = config.methods().stream()
                        .filter(other -> other.target().score().equals(m.score()))
                        .toList();
                String score =
                        "mean of \"" + m.score().text() + "\"" + (m.score().once() ? ", once at most" : "");
                summary = summary.frontier(
                        curve("A moment that is asked for", score, same, Result::score, dotted(m.mean(), "asked for")));
                break;
            }
        }
        return samples(facts(summary));
    }

    /// Where the mass of the policies of a posterior lies, and how their entropy came there.
    private Summary curves(Summary summary, DpgTarget.Posterior posterior, Reads reads, String which) {
        double[] target = evaluation.logTarget(posterior);
        List<Method> methods = aimedAt(posterior, reads);
        String name = "posterior, beta " + posterior.beta();
        return summary.frontier(mass("Where the mass lies" + which, target, methods, name))
                .frontier(curve(
                        "Entropy" + which,
                        "nats",
                        methods,
                        Result::entropy,
                        dotted(DpgEvaluation.entropy(target), name)));
    }

    private String verdict(Optional<DpgTarget.Posterior> posterior) {
        String before = String.format(
                Locale.ROOT,
                "Of %,d texts the prior has an entropy of %.2f nats",
                language.config().texts(),
                DpgEvaluation.entropy(language.logPrior()));
        List<Method> methods = posterior.map(p -> aimedAt(p, Reads.TEXT)).orElse(config.methods());
        String ends = methods.stream()
                .map(m -> String.format(Locale.ROOT, "%s %.2f", m.name(), end(m).entropy()))
                .collect(Collectors.joining(", "));
        return before
                + posterior
                        .map(p -> String.format(
                                Locale.ROOT,
                                ", the posterior for beta %s one of %.2f",
                                p.beta(),
                                DpgEvaluation.entropy(evaluation.logTarget(p))))
                        .orElse("")
                + ". Where learning ended: " + ends + ".";
    }

    private Result end(Method method) {
        return evaluation.history(method).lastEntry().getValue();
    }

    /// Methods of the posterior, and those of the reward alone.
    private List<Method> aimedAt(DpgTarget.Posterior posterior, Reads reads) {
        return config.methods().stream()
                .filter(m -> m.reads() == reads
                        && (m.target().equals(posterior) || m.target().equals(new DpgTarget.Best(config.reward()))))
                .toList();
    }

    /// What share of the samples the posterior's k likeliest texts get, k on a scale of tens.
    private Frontier mass(String title, double[] target, List<Method> methods, String name) {
        int[] order = likeliest(target);
        List<Frontier.Arm> arms = new ArrayList<>();
        arms.add(new Frontier.Arm("prior", mass(order, language.logPrior(), "")));
        methods.forEach(m -> arms.add(new Frontier.Arm(m.name(), mass(order, policies.get(m), ""))));
        return new Frontier(
                title,
                "k as a power of ten: 0 the likeliest text, 1 ten of them, 2 a hundred, ...",
                "share of samples that are among the posterior's k likeliest texts",
                arms,
                mass(order, target, name));
    }

    private static List<Frontier.Point> mass(int[] order, double[] logProbs, String label) {
        List<Frontier.Point> points = new ArrayList<>();
        double sum = 0;
        double next = 0;
        for (int k = 0; k < order.length; k++) {
            sum += Math.exp(logProbs[order[k]]);
            double tens = Math.log10(k + 1);
            if (tens >= next - 1e-9 || k + 1 == order.length) {
                points.add(new Frontier.Point(tens, Estimate.of(sum), label));
                next = tens + 0.2;
            }
        }
        return points;
    }

    /// Reward against the divergence from the prior, beside the posteriors of all strengths.
    private Frontier frontier() {
        Map<String, List<Frontier.Point>> points = new LinkedHashMap<>();
        for (Method method : config.methods()) {
            if (method.target().score().equals(config.reward())) {
                Result end = end(method);
                String label =
                        switch (method.target()) {
                            case DpgTarget.Posterior p -> "beta " + p.beta();
                            case DpgTarget.Best _ -> "reward alone";
                            case DpgTarget.Constraint c -> "at least " + c.atLeast();
                            case DpgTarget.Moment m -> "mean " + m.mean();
                        };
                points.computeIfAbsent(family(method), _ -> new ArrayList<>())
                        .add(new Frontier.Point(end.klPrior(), Estimate.of(end.reward()), label));
            }
        }
        points.values().forEach(arm -> arm.sort(Comparator.comparingDouble(Frontier.Point::x)));
        return new Frontier(
                "Reward against divergence from the prior",
                "KL(policy || prior), nats",
                "reward",
                Frontier.arms(points),
                optimum());
    }

    private static String family(Method method) {
        String inference =
                switch (method.inference()) {
                    case DpgInference.PolicyGradient _ ->
                        method.target() instanceof DpgTarget.Best ? "reward alone" : "KL-RL";
                    case DpgInference.Dpg d -> d.baseline() ? "DPG, baseline" : "DPG";
                };
        String which = method.target() instanceof DpgTarget.Constraint ? ", constraint" : "";
        return inference + which + (method.reads() == Reads.TEXT ? "" : ", independent");
    }

    /// `p ~ prior·exp(reward/beta)` for beta from far above the rewards to far below.
    private List<Frontier.Point> optimum() {
        List<Frontier.Point> points = new ArrayList<>();
        double[] reward = evaluation.reward();
        points.add(Frontier.Point.of(0, DpgEvaluation.mean(language.logPrior(), reward)));
        for (int i = 0; i < STRENGTHS; i++) {
            double beta = Math.pow(10, 1.5 - 3.0 * i / (STRENGTHS - 1));
            double[] best = DpgTarget.Aim.of(reward, beta, language.logPrior()).logTarget();
            points.add(
                    Frontier.Point.of(DpgEvaluation.kl(best, language.logPrior()), DpgEvaluation.mean(best, reward)));
        }
        return points;
    }

    /// A measure of each method's policies as they learnt, beside what is aimed at.
    private Frontier curve(
            String title,
            String unit,
            List<Method> methods,
            ToDoubleFunction<Result> measure,
            List<Frontier.Point> aim) {
        List<Frontier.Arm> arms = methods.stream()
                .map(m -> new Frontier.Arm(
                        m.name(),
                        evaluation.history(m).entrySet().stream()
                                .map(e -> Frontier.Point.of(e.getKey(), measure.applyAsDouble(e.getValue())))
                                .toList()))
                .toList();
        return new Frontier(title, "steps", unit, arms, aim);
    }

    private List<Frontier.Point> dotted(double aim, String name) {
        return IntStream.of(0, config.training().steps())
                .mapToObj(step -> new Frontier.Point(step, Estimate.of(aim), name))
                .toList();
    }

    private static double log(double kl) {
        return Math.log10(Math.max(kl, LEAST));
    }

    private Summary facts(Summary summary) {
        Summary all = facts(summary, "prior", "prior", language.logPrior());
        for (Reads reads : Reads.values()) {
            var posterior = evaluation.posterior(reads);
            if (posterior.isPresent()) {
                String name = reads == Reads.TEXT ? "posterior" : "posterior of independent letters";
                String key = reads == Reads.TEXT ? "posterior" : "posterior_of_independent_letters";
                all = facts(all, key, name, evaluation.logTarget(posterior.get()));
            }
        }
        for (Method method : config.methods()) {
            Result end = end(method);
            all = all.fact(
                    Summary.key("reward", method.phase()),
                    "reward, " + method.name(),
                    end.reward(),
                    "",
                    String.format(
                            Locale.ROOT,
                            "entropy %.3f; KL to the prior %.3f, to the target %.4f, from the target %.4f; mean score of"
                                    + " its target %.3f; %d of %d samples are different",
                            end.entropy(),
                            end.klPrior(),
                            end.klToTarget(),
                            end.klFromTarget(),
                            end.score(),
                            Math.round(end.distinct() * config.distinct()),
                            config.distinct()));
        }
        return all.note("All but the counts of different samples is exact, over all texts. A method of the reward alone"
                + " is measured against the first posterior. Lines between strengths are drawn straight: what they leave of"
                + " the optimum's curve is no policy's.");
    }

    private Summary facts(Summary summary, String key, String name, double[] logProbs) {
        return summary.fact(
                        Summary.key("reward", key),
                        "reward, " + name,
                        DpgEvaluation.mean(logProbs, evaluation.reward()),
                        "",
                        String.format(
                                Locale.ROOT, "KL to the prior %.3f", DpgEvaluation.kl(logProbs, language.logPrior())))
                .fact(Summary.key("entropy", key), "entropy, " + name, DpgEvaluation.entropy(logProbs), "nats", "")
                .fact(
                        Summary.key("share_of_different_texts", key),
                        "share of different texts, " + name,
                        evaluation.distinct(logProbs) / (double) config.distinct(),
                        "",
                        "among " + config.distinct() + " samples");
    }

    /// The likeliest texts of the prior and of each policy.
    private Summary samples(Summary summary) {
        Summary all = summary;
        for (Method method : config.methods()) {
            all = all.sample(new Summary.Sample(
                    method.name(),
                    shown(language.logPrior()),
                    shown(policies.get(method)),
                    Optional.empty(),
                    Optional.empty(),
                    "the likeliest texts, of the prior and of the policy"));
        }
        return all;
    }

    private static int[] likeliest(double[] logProbs) {
        return IntStream.range(0, logProbs.length)
                .boxed()
                .sorted(Comparator.comparingDouble((Integer i) -> -logProbs[i]))
                .mapToInt(i -> i)
                .toArray();
    }

    private String shown(double[] logProbs) {
        return Arrays.stream(likeliest(logProbs))
                .limit(6)
                .mapToObj(i -> String.format(
                        Locale.ROOT, "%s %5.1f %%", language.config().text(i), 100 * Math.exp(logProbs[i])))
                .collect(Collectors.joining("\n"));
    }
}
