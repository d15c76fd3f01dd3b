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
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/// What a run of [RlvrRecipe] found: its policies on held-out questions, as they were kept along the way.
final class RlvrSummary {
    private static final int SHOWN = 4;

    private final Config config;
    private final Environment.Opened world;
    private final Device device;
    private final Run run;
    private final Bootstrap bootstrap;
    private final Optional<WinRates> winRates;

    private RlvrSummary(Config config, Environment.Opened world, Device device, Run run) {
        this.config = config;
        this.world = world;
        this.device = device;
        this.run = run;
        bootstrap = new Bootstrap(2000, 0.95, config.seed());
        int selection = config.methods().stream()
                .mapToInt(PolicyMethod::selectedFrom)
                .max()
                .orElse(0);
        winRates = selection == 0
                ? Optional.empty()
                : Optional.of(new WinRates(judged(world.start(), config.seed() + 4), selection, bootstrap));
    }

    static Summary of(Config config, Environment.Opened world, Device device, Run run) {
        return new RlvrSummary(config, world, device, run).summary();
    }

    private Summary summary() {
        HeldOut before = judged(world.start(), config.seed() + 3);
        if (before.draw().isProxied()) {
            run.log("held_out-start", 0, metrics(before));
        }
        List<List<HeldOut>> ways = new ArrayList<>();
        for (int m = 0; m < config.methods().size(); m++) {
            ways.add(way(m));
        }
        HeldOut after = ways.getFirst().getLast();
        List<WinRates.Way> titled = IntStream.range(0, ways.size())
                .mapToObj(m -> new WinRates.Way(config.title(m), ways.get(m)))
                .toList();
        String ends = IntStream.range(0, ways.size())
                .mapToObj(m -> String.format(
                        Locale.ROOT,
                        "%s has %.3f, at %.2f nats",
                        config.title(m),
                        Bootstrap.mean(ways.get(m).getLast().rewards()),
                        Bootstrap.mean(ways.get(m).getLast().kl())))
                .collect(Collectors.joining("; "));
        Summary summary = Summary.of("rlvr", Summary.Status.FINISHED, run.seconds())
                .title(config.title(0) + ": learning from what a "
                        + (before.draw().isProxied() ? "learned reward says" : "verifier says"))
                .verdict(String.format(
                        Locale.ROOT,
                        "Mean reward of answers drawn to questions never trained on: the start has %.3f; after %d steps"
                                + " %s from the start.",
                        Bootstrap.mean(before.rewards()),
                        config.training().steps(),
                        ends))
                .comparison(
                        (before.draw().isProxied() ? "Learned" : "Mean") + " reward, drawn",
                        "",
                        of(before.rewards()),
                        of(after.rewards()))
                .comparison("Solved in " + config.samples() + " draws", "", of(before.passes()), of(after.passes()))
                .comparison("Length", "tokens", of(before.lengths()), of(after.lengths()))
                .fact("KL from the start", of(after.kl()), "nats", "of whole answers; interval over questions")
                .fact(
                        "entropy of a token",
                        Estimate.of(after.entropy()),
                        "nats",
                        "before: " + String.format(Locale.ROOT, "%.3f", before.entropy()))
                .fact(
                        "answers that cannot be read",
                        Estimate.of(100 * after.unanswered()),
                        "%",
                        "before: " + String.format(Locale.ROOT, "%.1f", 100 * before.unanswered()))
                .fact(
                        "held-out questions",
                        Estimate.of(world.heldOut().size()),
                        "",
                        config.samples() + " answers to each");
        summary = before.draw().isProxied()
                ? new Overoptimization(before, bootstrap).on(summary, titled)
                : summary.frontier(frontier(before, ways))
                        .note("The dotted curve is the best that re-weighting the start's own " + config.samples()
                                + " answers to each question can do: close to the optimum where one of them is"
                                + " right.");
        if (config.truncated() != Truncated.JUDGED) {
            summary = summary.note("Truncated answers are "
                    + (config.truncated() == Truncated.WRONG ? "wrong." : "judged, but not learnt from."));
        }
        if (winRates.isPresent()) {
            summary = winRates.get().on(summary, titled);
        }
        return samples(summary, before, ways.getFirst());
    }

    /// @param seed one for all policies, so that differences are theirs
    private HeldOut judged(Decoder policy, long seed) {
        Sampler sampler = config.sampler(world).withGroup(config.samples());
        return HeldOut.of(policy, world.start(), sampler, world.heldOut(), Models.padId(world.tokenizer()), seed);
    }

    /// The policies of one method; their numbers go into the metrics, too.
    private List<HeldOut> way(int method) {
        List<HeldOut> way = new ArrayList<>();
        for (int step = 1; step <= config.training().steps(); step++) {
            if (config.isKept(step)) {
                try (Decoder policy = Models.load(RlvrRecipe.snapshot(run, config.phase(method), step), device)) {
                    way.add(judged(policy, config.seed() + 3));
                    if (step == config.training().steps() && method == 0) {
                        Models.save(policy, world.tokenizer(), run.folder().resolve("model"));
                    }
                }
                run.log("held_out-" + config.phase(method), step, metrics(way.getLast()));
            }
        }
        return way;
    }

    private Map<String, Double> metrics(HeldOut policy) {
        Map<String, Double> metrics = new LinkedHashMap<>();
        metrics.put("reward", Bootstrap.mean(policy.rewards()));
        metrics.put("kl", Bootstrap.mean(policy.kl()));
        metrics.put("solved", Bootstrap.mean(policy.passes()));
        metrics.put("length", Bootstrap.mean(policy.lengths()));
        for (String drawn : List.of("right", "right/length", "unanswered", "entropy")) {
            metrics.put(drawn, policy.draw().metrics().get(drawn));
        }
        if (policy.draw().isProxied()) {
            metrics.putAll(Overoptimization.metrics(policy));
        }
        winRates.ifPresent(w -> metrics.putAll(w.metrics(policy)));
        return metrics;
    }

    private Frontier frontier(HeldOut before, List<List<HeldOut>> ways) {
        List<Frontier.Arm> arms = new ArrayList<>();
        for (int m = 0; m < ways.size(); m++) {
            List<Frontier.Point> points = new ArrayList<>(List.of(point(before, "start")));
            for (HeldOut heldOut : ways.get(m)) {
                boolean last = heldOut == ways.get(m).getLast();
                points.add(point(heldOut, last ? "step " + config.training().steps() : ""));
            }
            arms.add(new Frontier.Arm(config.title(m), points));
        }
        List<Frontier.Point> optimum = new ArrayList<>();
        for (double tilt = 0; tilt <= 12; tilt += 0.25) {
            double[] best = before.tilted(tilt);
            optimum.add(new Frontier.Point(best[0], Estimate.of(best[1]), "start's draws, re-weighted"));
        }
        return new Frontier(
                "Reward against divergence from the start",
                "KL(policy || start), nats",
                "mean reward of a drawn answer",
                arms,
                optimum);
    }

    private Frontier.Point point(HeldOut heldOut, String label) {
        return new Frontier.Point(Bootstrap.mean(heldOut.kl()), of(heldOut.rewards()), label);
    }

    private Estimate of(double[] values) {
        return bootstrap.bca(values);
    }

    /// The same questions to the start and to each policy of the first method.
    private Summary samples(Summary summary, HeldOut before, List<HeldOut> way) {
        List<Integer> kept = IntStream.rangeClosed(1, config.training().steps())
                .filter(config::isKept)
                .boxed()
                .toList();
        Summary with = summary;
        for (int k = way.size() - 1; k >= 0; k -= Math.max(1, way.size() / 3)) {
            for (int q = 0; q < Math.min(SHOWN, world.heldOut().size()); q++) {
                int at = q * config.samples();
                with = with.sample(new Summary.Sample(
                        world.heldOut().get(q).text(),
                        said(before, at),
                        said(way.get(k), at),
                        reward(before, at),
                        reward(way.get(k), at),
                        config.title(0) + " after " + kept.get(k) + " steps"));
            }
        }
        return with;
    }

    private String said(HeldOut heldOut, int completion) {
        return world.tokenizer()
                .decode(heldOut.draw().completions().get(completion).tokens());
    }

    private static Optional<Double> reward(HeldOut heldOut, int completion) {
        double reward = heldOut.draw().scores().get(completion).reward();
        return Double.isFinite(reward) ? Optional.of(reward) : Optional.empty();
    }
}
