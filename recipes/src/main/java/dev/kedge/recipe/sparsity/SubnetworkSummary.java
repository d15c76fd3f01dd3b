package dev.kedge.recipe.sparsity;

import dev.kedge.nn.file.ModelFolder;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.nn.sparsity.MaskOverlap;
import dev.kedge.nn.sparsity.SubnetworkGradients;
import dev.kedge.nn.sparsity.WeightUpdate;
import dev.kedge.recipe.policy.Environment;
import dev.kedge.recipe.policy.HeldOut;
import dev.kedge.recipe.policy.PerQuestion;
import dev.kedge.recipe.policy.Sampler;
import dev.kedge.recipe.policy.Truncated;
import dev.kedge.run.Run;
import dev.kedge.run.result.Frontier;
import dev.kedge.run.result.Summary;
import dev.kedge.sequence.Models;
import dev.kedge.statistics.Bootstrap;
import dev.kedge.statistics.Estimate;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Rng;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Streams;
import dev.kedge.tensor.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.SequencedMap;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;

/// What a run of [SubnetworkRecipe] found. All numbers go into the metrics, under each policy's phase with `changed_`
/// before it.
///
/// @param before the folder of the start
/// @param sweep  algorithms at their rates
/// @param full   that one of them which the masks were made of
/// @param again  repeated with masks, the subnetwork's first; and last with another seed
record SubnetworkSummary(
        SubnetworkConfig config,
        Environment.Opened environment,
        Path before,
        List<Arm> sweep,
        Arm full,
        List<Arm> again,
        Run run) {
    private static final List<Double> TOLERANCES = List.of(0.0, 1e-6, 1e-5, 1e-4);
    private static final List<DType> DTYPES = List.of(DType.BFLOAT16, DType.FLOAT32);
    private static final int SHOWN = 8;

    /// A policy that was trained.
    ///
    /// @param phase  its name in metrics
    /// @param folder of its float32 weights
    record Arm(String title, String phase, double rate, Path folder) {}

    /// A policy, its completions of held-out questions, and how it differs from the start and from the full run.
    private record Measured(Arm arm, HeldOut evaluation, Map<String, Double> numbers) {
        double number(String name) {
            return numbers.get(name);
        }

        boolean has(String name) {
            return numbers.containsKey(name);
        }
    }

    Summary summary() {
        HeldOut start = evaluated(environment.start());
        try (Scope _ = new Scope()) {
            Map<String, Tensor> weights = weights(before);
            Map<String, Tensor> trained = weights(full.folder());
            Function<Arm, Measured> measure = arm -> measured(arm, start, weights, trained);
            List<Measured> all = sweep.stream().map(measure).toList();
            return summary(start, all, again.stream().map(measure).toList());
        }
    }

    /// All of them in a row.
    static Tensor flat(Map<String, Tensor> tensors) {
        return Tensor.cat(tensors.values().stream().map(t -> t.reshape(-1)).toList(), 0);
    }

    private static Map<String, Tensor> weights(Path folder) {
        return ModelFolder.load(folder, DType.FLOAT32, Device.CPU).parameters();
    }

    private HeldOut evaluated(Decoder policy) {
        var sampler = new Sampler(
                environment.tokenizer(),
                environment.scorer(),
                config.samples(),
                environment.maxTokens(),
                1,
                Truncated.JUDGED);
        return HeldOut.of(
                policy,
                environment.start(),
                sampler,
                environment.heldOut(),
                Models.padId(environment.tokenizer()),
                Streams.of(config.seed(), "held-out answers"));
    }

    private Measured measured(Arm arm, HeldOut start, Map<String, Tensor> weights, Map<String, Tensor> trained) {
        HeldOut evaluation;
        try (Decoder policy = Models.load(arm.folder(), environment.start().device())) {
            evaluation = evaluated(policy);
        }
        Map<String, Double> numbers = new LinkedHashMap<>();
        numbers.put("rate", arm.rate());
        OptionalDouble reward = evaluation.rewards().mean();
        reward.ifPresent(mean -> numbers.put("reward", mean));
        if (reward.isPresent() && start.rewards().mean().isPresent()) {
            numbers.put("gained", reward.getAsDouble() - start.rewards().mean().getAsDouble());
        }
        numbers.put("kl", Bootstrap.mean(evaluation.kl()));
        try (Scope _ = new Scope();
                Rng rng = Rng.seeded(Streams.of(config.seed(), "shuffled updates"))) {
            Map<String, Tensor> mine = weights(arm.folder());
            for (DType dtype : DTYPES) {
                String type = dtype.name().toLowerCase(Locale.ROOT) + "/";
                WeightUpdate update = WeightUpdate.between(weights, mine, dtype);
                WeightUpdate rest = WeightUpdate.between(trained, mine, dtype);
                for (double tolerance : TOLERANCES) {
                    String at = SubnetworkConfig.written(tolerance);
                    numbers.put(type + "sparsity/" + at, update.sparsity(tolerance));
                    numbers.put(type + "layers/" + at, update.ofLayers().sparsity(tolerance));
                    numbers.put(type + "agreement/" + at, rest.sparsity(tolerance));
                }
                update.layerDensities(config.tolerance())
                        .forEach((layer, density) -> numbers.put(type + "layer/" + layer, density));
                numbers.put(type + "rank", mean(update.rankRatios()));
                numbers.put(type + "rank/shuffled", mean(update.shuffled(rng).rankRatios()));
            }
            overlaps(weights, mine, trained).forEach(numbers::put);
        }
        run.log("changed_" + arm.phase(), config.training().steps(), numbers);
        return new Measured(arm, evaluation, numbers);
    }

    private static double mean(Map<String, Double> ratios) {
        return ratios.values().stream().mapToDouble(r -> r).average().orElse(0);
    }

    /// Of the weights that the full run changed: the share that this one changed, and by chance. And of those that this
    /// one changed, the share that is among as many of the smallest, and by chance.
    private Map<String, Double> overlaps(
            Map<String, Tensor> weights, Map<String, Tensor> mine, Map<String, Tensor> trained) {
        Tensor changed = flat(mask(weights, mine));
        Tensor others = flat(mask(weights, trained));
        Map<String, Double> numbers = new LinkedHashMap<>();
        long size = changed.sum().toLongs()[0];
        if (size > 0) {
            MaskOverlap overlap = MaskOverlap.of(others, changed);
            numbers.put("overlap", overlap.first());
            numbers.put("overlap/chance", overlap.chanceFirst());
            Tensor smallest = SubnetworkGradients.smallest(flat(weights), size);
            MaskOverlap magnitude = MaskOverlap.of(changed, smallest);
            numbers.put("magnitude", magnitude.first());
            numbers.put("magnitude/chance", magnitude.chanceFirst());
        }
        return numbers;
    }

    private Map<String, Tensor> mask(Map<String, Tensor> weights, Map<String, Tensor> after) {
        return WeightUpdate.between(weights, after, config.dtype()).mask(config.tolerance());
    }

    private Summary summary(HeldOut start, List<Measured> all, List<Measured> repeated) {
        Bootstrap bootstrap = new Bootstrap(2000, 0.95, Streams.of(config.seed(), "bootstrap"));
        Measured whole =
                all.stream().filter(m -> m.arm().equals(full)).findFirst().orElseThrow();
        String type = config.dtype().name().toLowerCase(Locale.ROOT);
        Summary summary = PerQuestion.compared(
                        Summary.of("subnetwork", Summary.Status.FINISHED, run.seconds())
                                .title("What a training changes")
                                .verdict(verdict(type, start, whole, repeated.getFirst())),
                        "Mean reward, drawn",
                        "",
                        start.rewards(),
                        whole.evaluation().rewards(),
                        bootstrap)
                .frontier(frontier(
                        "Reward against divergence from the start",
                        "KL(policy || start), nats",
                        "mean reward of a drawn answer",
                        all,
                        start.rewards().estimate(bootstrap).map(y -> new Frontier.Point(0, y, "start")),
                        m -> m.number("kl"),
                        m -> m.evaluation().rewards().estimate(bootstrap)));
        summary = HeldOut.unjudged(summary, evaluations(start, all, repeated));
        for (DType dtype : DTYPES) {
            String stored = dtype.name().toLowerCase(Locale.ROOT);
            summary = summary.frontier(frontier(
                    "Weights unchanged against reward gained, in " + stored,
                    "mean reward gained over the start",
                    "share of weights changed by no more than 1e-5",
                    all,
                    Optional.of(new Frontier.Point(0, Estimate.of(1), "start")),
                    m -> m.number("gained"),
                    m -> m.has("gained")
                            ? Optional.of(Estimate.of(m.number(stored + "/sparsity/1e-5")))
                            : Optional.empty()));
        }
        summary = summary.frontier(layers(all, type));
        for (Measured m : repeated) {
            summary = summary.fact(
                    Summary.key("agreement_with_the_full_run", m.arm().phase()),
                    m.arm().title() + ": agreement with the full run within 1e-5",
                    m.number(type + "/agreement/1e-5"),
                    "%",
                    String.format(
                            Locale.ROOT,
                            "within 1e-4: %.2f %%; the start itself: %.2f %% and %.2f %%",
                            100 * m.number(type + "/agreement/1e-4"),
                            100 * whole.number(type + "/sparsity/1e-5"),
                            100 * whole.number(type + "/sparsity/1e-4")));
            Optional<Estimate> reward = m.evaluation().rewards().estimate(bootstrap);
            if (reward.isPresent()) {
                summary = summary.fact(
                        Summary.key("reward", m.arm().phase()), m.arm().title() + ": reward", reward.get(), "", "");
            }
        }
        for (Measured m : all) {
            if (m.arm().rate() == full.rate()) {
                summary = facts(summary, m, type);
            }
        }
        summary = overlap(summary, repeated.getLast());
        return samples(summary, start, whole)
                .note("Master weights are float32, the start is rounded to bfloat16; what is compared is rounded"
                        + " as said. Small weights show a change first in bfloat16, whatever made it.");
    }

    private String verdict(String type, HeldOut start, Measured whole, Measured alone) {
        return String.format(
                Locale.ROOT,
                "GRPO at a rate of %s brought the reward from %s to %s and left %.1f %% of the weights within 1e-5"
                        + " in bfloat16, %.1f %% in float32. With the changed weights alone it has %s, and %.1f %% of"
                        + " all weights are within 1e-5 of the full run's in %s.",
                SubnetworkConfig.written(full.rate()),
                reward(start),
                reward(whole.evaluation()),
                100 * whole.number("bfloat16/sparsity/1e-5"),
                100 * whole.number("float32/sparsity/1e-5"),
                reward(alone.evaluation()),
                100 * alone.number(type + "/agreement/1e-5"),
                type);
    }

    private static String reward(HeldOut evaluation) {
        OptionalDouble reward = evaluation.rewards().mean();
        return reward.isPresent() ? String.format(Locale.ROOT, "%.3f", reward.getAsDouble()) : "one not judged";
    }

    private static Summary facts(Summary summary, Measured m, String type) {
        Summary with = summary.fact(
                        Summary.key("weights_unchanged", m.arm().phase()),
                        m.arm().title() + ": weights unchanged",
                        m.number("bfloat16/sparsity/1e-5"),
                        "%",
                        String.format(
                                Locale.ROOT,
                                "within 1e-5 in bfloat16, in layers alone %.1f %%; in float32 %.1f %%",
                                100 * m.number("bfloat16/layers/1e-5"),
                                100 * m.number("float32/sparsity/1e-5")))
                .fact(
                        Summary.key("rank_of_the_change", m.arm().phase()),
                        m.arm().title() + ": rank of the change",
                        m.number(type + "/rank"),
                        "%",
                        String.format(
                                Locale.ROOT,
                                "of the most it could be, mean of matrices; with its entries shuffled %.1f %%",
                                100 * m.number(type + "/rank/shuffled")));
        return overlap(with, m);
    }

    private static Summary overlap(Summary summary, Measured m) {
        return m.numbers().containsKey("overlap")
                ? summary.fact(
                        Summary.key("share_of_the_subnetwork", m.arm().phase()),
                        m.arm().title() + ": holds of GRPO's subnetwork",
                        m.number("overlap"),
                        "%",
                        String.format(
                                Locale.ROOT,
                                "by chance %.1f %%; of its own weights %.1f %% are among as many of the smallest",
                                100 * m.number("overlap/chance"),
                                100 * m.number("magnitude")))
                : summary;
    }

    /// An arm for each algorithm, its points in the order of their x, without what could not be judged.
    private static Frontier frontier(
            String title,
            String x,
            String y,
            List<Measured> all,
            Optional<Frontier.Point> start,
            ToDoubleFunction<Measured> across,
            Function<Measured, Optional<Estimate>> up) {
        Map<String, List<Frontier.Point>> arms = new LinkedHashMap<>();
        for (Measured m : all) {
            List<Frontier.Point> points = arms.computeIfAbsent(
                    m.arm().title(), _ -> new ArrayList<>(start.stream().toList()));
            up.apply(m)
                    .map(found -> new Frontier.Point(
                            across.applyAsDouble(m),
                            found,
                            "rate " + SubnetworkConfig.written(m.arm().rate())))
                    .ifPresent(points::add);
        }
        arms.values().forEach(points -> points.sort(Comparator.comparingDouble(Frontier.Point::x)));
        return new Frontier(title, x, y, Frontier.arms(arms), List.of());
    }

    /// How much of each layer changed, at the rate of the subnetwork.
    private Frontier layers(List<Measured> all, String type) {
        List<Frontier.Arm> arms = new ArrayList<>();
        for (Measured m : all) {
            if (m.arm().rate() == full.rate()) {
                List<Frontier.Point> points = new ArrayList<>();
                for (int layer = 0; layer < environment.start().config().layers(); layer++) {
                    points.add(new Frontier.Point(
                            layer, Estimate.of(m.number(type + "/layer/" + layer)), "layer " + layer));
                }
                arms.add(new Frontier.Arm(m.arm().title(), points));
            }
        }
        return new Frontier(
                "Weights changed in each layer, at a rate of " + SubnetworkConfig.written(full.rate()) + ", in " + type,
                "layer",
                "share of weights changed, mean of tensors",
                arms,
                List.of());
    }

    private static SequencedMap<String, List<HeldOut>> evaluations(
            HeldOut start, List<Measured> all, List<Measured> repeated) {
        SequencedMap<String, List<HeldOut>> evaluations = new LinkedHashMap<>();
        evaluations.put("the start", List.of(start));
        Stream.of(all, repeated)
                .flatMap(List::stream)
                .forEach(m -> evaluations.put(m.arm().phase(), List.of(m.evaluation())));
        return evaluations;
    }

    private Summary samples(Summary summary, HeldOut start, Measured whole) {
        Summary with = summary;
        for (int q = 0; q < Math.min(SHOWN, environment.heldOut().size()); q++) {
            int at = q * config.samples();
            with = with.sample(new Summary.Sample(
                    environment.heldOut().get(q).text(),
                    completion(start, at),
                    completion(whole.evaluation(), at),
                    start.reward(at),
                    whole.evaluation().reward(at),
                    ""));
        }
        return with;
    }

    private String completion(HeldOut evaluation, int answer) {
        return environment
                .tokenizer()
                .decode(evaluation.rollouts().completions().get(answer).tokens());
    }
}
