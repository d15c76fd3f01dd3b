package dev.kedge.recipe.policy;

import dev.kedge.nn.lm.Decoder;
import dev.kedge.recipe.policy.RlvrRecipe.Config;
import dev.kedge.run.Run;
import dev.kedge.run.result.Frontier;
import dev.kedge.run.result.Summary;
import dev.kedge.sequence.Models;
import dev.kedge.statistics.Bootstrap;
import dev.kedge.statistics.Estimate;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Streams;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.SequencedMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;

/// What a run of [RlvrRecipe] found: its policies on held-out questions, as they were kept along the way.
final class RlvrSummary {
    private static final int SHOWN = 4;

    private final Config config;
    private final Environment.Opened environment;
    private final Device device;
    private final Run run;
    private final Bootstrap bootstrap;
    private final Optional<WinRates> winRates;

    private RlvrSummary(Config config, Environment.Opened environment, Device device, Run run) {
        this.config = config;
        this.environment = environment;
        this.device = device;
        this.run = run;
        bootstrap = new Bootstrap(2000, 0.95, Streams.of(config.seed(), "bootstrap"));
        int selection = config.selectedFrom();
        winRates = selection == 0
                ? Optional.empty()
                : Optional.of(new WinRates(
                        evaluated(environment.start(), Streams.of(config.seed(), "selected answers")),
                        selection,
                        bootstrap));
    }

    static Summary of(Config config, Environment.Opened environment, Device device, Run run) {
        return new RlvrSummary(config, environment, device, run).summary();
    }

    private Summary summary() {
        HeldOut before = evaluated(environment.start(), Streams.of(config.seed(), "held-out answers"));
        boolean isProxied = before.rollouts().isProxied();
        if (isProxied) {
            run.log("held_out-start", 0, metrics(before));
        }
        List<EvaluatedMethod> methods = IntStream.range(0, config.methods().size())
                .mapToObj(m -> new EvaluatedMethod(config.phase(m), config.title(m), policies(m)))
                .toList();
        Summary summary = facts(before, methods);
        if (isProxied) {
            summary = new Overoptimization(before, bootstrap).on(summary, methods);
        } else {
            Frontier frontier = frontier(before, methods);
            summary = summary.frontier(frontier);
            if (!frontier.optimum().isEmpty()) {
                summary = summary.note("The dotted curve is the best that re-weighting the start's own "
                        + config.samples()
                        + " answers to each question can do: close to the optimum where one of them is right.");
            }
        }
        if (config.truncated() != Truncated.JUDGED) {
            summary = summary.note("Truncated answers are "
                    + (config.truncated() == Truncated.WRONG ? "wrong." : "judged, but not learnt from."));
        }
        if (winRates.isPresent()) {
            summary = winRates.get().on(summary, methods);
        }
        return samples(summary, before, methods.getFirst());
    }

    /// The first method's last policy beside the start, in numbers.
    private Summary facts(HeldOut before, List<EvaluatedMethod> methods) {
        HeldOut after = methods.getFirst().last();
        boolean isProxied = before.rollouts().isProxied();
        String ends = methods.stream()
                .map(m -> format(
                        "%s, at %.2f nats", said(m.title(), m.last()), m.last().divergence()))
                .collect(Collectors.joining("; "));
        Summary summary = Summary.of("rlvr", Summary.Status.FINISHED, run.seconds())
                .title(config.title(0) + ": learning from what a "
                        + (isProxied ? "learned reward says" : "verifier says"))
                .verdict(format(
                        "Mean reward of answers drawn to held-out questions: %s; after %d steps %s from the start.",
                        said("the start", before), config.training().steps(), ends));
        summary = unjudged(summary, before, methods);
        summary = PerQuestion.compared(
                summary,
                (isProxied ? "Learned" : "Mean") + " reward, drawn",
                "",
                before.rewards(),
                after.rewards(),
                bootstrap);
        summary = PerQuestion.compared(
                summary, "Solved in " + config.samples() + " draws", "", before.passes(), after.passes(), bootstrap);
        return PerQuestion.compared(summary, "Length", "tokens", before.lengths(), after.lengths(), bootstrap)
                .fact(
                        "kl_from_the_start",
                        "KL from the start",
                        bootstrap.bca(after.kl()),
                        "nats",
                        "of whole answers; interval over questions")
                .fact(
                        "entropy_of_a_token",
                        "entropy of a token",
                        Estimate.of(after.metric("entropy")),
                        "nats",
                        format("before: %.3f", before.metric("entropy")))
                .fact(
                        "answers_that_cannot_be_read",
                        "answers that cannot be read",
                        Estimate.of(after.metric("unanswered")),
                        "%",
                        format("before: %.1f %%", 100 * before.metric("unanswered")))
                .fact(
                        "held_out_questions",
                        "held-out questions",
                        Estimate.of(environment.heldOut().size()),
                        "",
                        config.samples() + " answers to each");
    }

    private static String said(String who, HeldOut policy) {
        OptionalDouble reward = policy.rewards().mean();
        return reward.isPresent() ? format("%s has %.3f", who, reward.getAsDouble()) : who + " could not be judged";
    }

    /// The summary with how many answers could not be judged, and why, where there are any.
    private static Summary unjudged(Summary summary, HeldOut before, List<EvaluatedMethod> methods) {
        SequencedMap<String, List<HeldOut>> all = new LinkedHashMap<>(Map.of("the start", List.of(before)));
        methods.forEach(m -> all.put(m.title(), m.policies()));
        return HeldOut.unjudged(summary, all);
    }

    /// @param seed one for all policies, so that differences are theirs
    private HeldOut evaluated(Decoder policy, long seed) {
        return HeldOut.of(
                policy,
                environment.start(),
                config.sampler(environment).withGroup(config.samples()),
                environment.heldOut(),
                Models.padId(environment.tokenizer()),
                seed);
    }

    /// The policies of one method; their numbers go into the metrics, too.
    private List<HeldOut> policies(int method) {
        List<HeldOut> policies = new ArrayList<>();
        for (int step : config.kept()) {
            try (Decoder policy = Models.load(RlvrRecipe.snapshot(run, config.phase(method), step), device)) {
                policies.add(evaluated(policy, Streams.of(config.seed(), "held-out answers")));
                if (step == config.training().steps() && method == 0) {
                    environment.model().save(policy, run.folder().resolve("model"));
                }
            }
            run.log("held_out-" + config.phase(method), step, metrics(policies.getLast()));
        }
        return policies;
    }

    /// What could not be judged has no number.
    private Map<String, Double> metrics(HeldOut policy) {
        Map<String, Double> metrics = new LinkedHashMap<>();
        policy.rewards().mean().ifPresent(reward -> metrics.put("reward", reward));
        metrics.put("kl", policy.divergence());
        policy.passes().mean().ifPresent(solved -> metrics.put("solved", solved));
        policy.lengths().mean().ifPresent(length -> metrics.put("length", length));
        Map<String, Double> sampled = policy.rollouts().metrics();
        for (String name : List.of("right", "right/length", "unanswered", "entropy", "unjudged")) {
            if (sampled.containsKey(name)) {
                metrics.put(name, sampled.get(name));
            }
        }
        if (policy.rollouts().isProxied()) {
            metrics.putAll(Overoptimization.metrics(policy));
        }
        winRates.ifPresent(w -> metrics.putAll(w.metrics(policy)));
        return metrics;
    }

    private Frontier frontier(HeldOut before, List<EvaluatedMethod> methods) {
        Function<HeldOut, Optional<Estimate>> reward =
                policy -> policy.rewards().estimate(bootstrap);
        var start = reward.apply(before).map(y -> new Frontier.Point(before.divergence(), y, "start"));
        String last = "step " + config.training().steps();
        Frontier curves = EvaluatedMethod.frontier(
                "Reward against divergence from the start",
                "mean reward of a drawn answer",
                methods.stream()
                        .map(m -> m.curve(m.title(), start, reward, last))
                        .toList());
        List<Frontier.Point> optimum = DoubleStream.iterate(0, tilt -> tilt <= 12, tilt -> tilt + 0.25)
                .mapToObj(before::tilted)
                .flatMap(Optional::stream)
                .map(best -> new Frontier.Point(best[0], Estimate.of(best[1]), "start's draws, re-weighted"))
                .toList();
        return new Frontier(curves.title(), curves.x(), curves.y(), curves.arms(), optimum);
    }

    /// The same questions to the start and to each policy of the first method.
    private Summary samples(Summary summary, HeldOut before, EvaluatedMethod method) {
        List<HeldOut> policies = method.policies();
        Summary with = summary;
        for (int k = policies.size() - 1; k >= 0; k -= Math.max(1, policies.size() / 3)) {
            String when = method.title() + " after " + config.kept().get(k) + " steps";
            for (int q = 0; q < Math.min(SHOWN, environment.heldOut().size()); q++) {
                int at = q * config.samples();
                with = with.sample(new Summary.Sample(
                        environment.heldOut().get(q).text(),
                        before.rollouts().text(at, environment.tokenizer()),
                        policies.get(k).rollouts().text(at, environment.tokenizer()),
                        before.reward(at),
                        policies.get(k).reward(at),
                        when));
            }
        }
        return with;
    }

    private static String format(String text, Object... values) {
        return String.format(Locale.ROOT, text, values);
    }
}
