package dev.kedge.lab.claim;

import dev.kedge.lab.Curve;
import dev.kedge.lab.Frontier;
import dev.kedge.nn.Parameters;
import dev.kedge.nn.optim.AdamW;
import dev.kedge.nn.optim.Schedule;
import dev.kedge.objective.policy.Grpo;
import dev.kedge.objective.policy.Rollout;
import dev.kedge.objective.preference.Dpo;
import dev.kedge.objective.preference.PreferenceLogProbs;
import dev.kedge.objective.sparsity.MaskOverlap;
import dev.kedge.objective.sparsity.Subnetwork;
import dev.kedge.objective.sparsity.WeightUpdate;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Gradients;
import dev.kedge.tensor.Rng;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// What SFT, GRPO and DPO change in a network of layers 16-64-64-16 that knows the best of 16 actions for another
/// reward, and training of what GRPO changed alone (arXiv:2505.11711). The reward of an action is 1 if it has the
/// largest of `W x`, else 0; before, it was the largest of another `W`.
final class SubnetworkBandit implements AutoCloseable {
    private static final int SIZE = 16;
    private static final int HIDDEN = 64;
    private static final int CONTEXTS = 128;
    private static final int GROUP = 8;
    private static final int FRESH = 8192;
    private static final double KL_BETA = 0.05;
    private static final double DPO_BETA = 0.1;
    private static final double SHIFT = 0.3;
    private static final double TOLERANCE = 1e-5;
    private static final AdamW.Config ADAM = AdamW.Config.DEFAULT;

    /// How large the experiment is.
    ///
    /// @param pretraining steps on the old reward
    /// @param steps       of every training of the comparison
    /// @param masked      steps of the runs that masks are made of, and of those with masks
    /// @param rates       of the comparison
    /// @param maskRates   of the runs with masks
    record Scale(int pretraining, int steps, int masked, List<Double> rates, List<Double> maskRates) {
        static final Scale PUBLISHED =
                new Scale(2000, 500, 400, List.of(1e-6, 3e-6, 1e-5, 3e-5, 1e-4, 3e-4), List.of(1e-6, 1e-5));
    }

    /// Ways to learn the new reward.
    enum Algorithm {
        SFT("SFT"),
        GRPO("GRPO"),
        GRPO_KL("GRPO, KL"),
        GRPO_UNCLIPPED("GRPO, unclipped"),
        DPO("DPO");

        final String title;

        Algorithm(String title) {
            this.title = title;
        }
    }

    private final long seed;
    private final Tensor weights;
    private final Tensor fresh;
    private final Parameters start;

    private SubnetworkBandit(long seed, int pretraining) {
        this.seed = seed;
        try (Rng rng = Rng.seeded(seed);
                Scope _ = new Scope()) {
            Tensor old = rng.normal(SIZE, SIZE);
            weights = old.plus(rng.normal(SIZE, SIZE).times(SHIFT)).unscoped();
            fresh = rng.normal(FRESH, SIZE).unscoped();
            start = random(rng);
            pretrain(old, pretraining, rng);
            try (var _ = Gradients.off()) {
                start.flat().copy_(start.flat().to(DType.BFLOAT16)); // and back
            }
        }
    }

    private static Parameters random(Rng rng) {
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        int[] sizes = {SIZE, HIDDEN, HIDDEN, SIZE};
        for (int n = 0; n < 3; n++) {
            double bound = 1 / Math.sqrt(sizes[n]);
            tensors.put("layers." + n + ".weight", uniform(rng, bound, sizes[n], sizes[n + 1]));
            tensors.put("layers." + n + ".bias", uniform(rng, bound, sizes[n + 1]));
        }
        return Parameters.copyOf(tensors, DType.FLOAT32, Device.CPU);
    }

    private static Tensor uniform(Rng rng, double bound, long... shape) {
        return rng.uniform(shape).times(2 * bound).minus(bound);
    }

    /// Log-probabilities of the actions, nats, [B, 16].
    private static Tensor logProbs(Parameters policy, Tensor contexts) {
        Tensor state = contexts;
        for (int n = 0; n < 3; n++) {
            Tensor sum = state.matmul(policy.get("layers." + n + ".weight")).plus(policy.get("layers." + n + ".bias"));
            state = n < 2 ? sum.relu() : sum;
        }
        return state.logSoftmax(1);
    }

    private static Tensor best(Tensor weights, Tensor contexts) {
        return contexts.matmul(weights).argmax(1);
    }

    private void pretrain(Tensor old, int steps, Rng rng) {
        var schedule = new Schedule(Schedule.Shape.COSINE, 3e-3, 0, steps, 0.01);
        try (var optimizer = new AdamW(start, ADAM)) {
            for (int step = 0; step < steps; step++) {
                try (Scope _ = new Scope()) {
                    Tensor contexts = rng.normal(CONTEXTS, SIZE);
                    supervised(logProbs(start, contexts), best(old, contexts)).backward();
                    optimizer.step(schedule.at(step));
                }
            }
        }
    }

    private static Tensor supervised(Tensor logProbs, Tensor best) {
        return logProbs.gather(1, best.unsqueeze(1)).mean().neg();
    }

    /// The weights after a training from the start, in the scope of the caller.
    ///
    /// @param mask of the weights that are learnt, by name; absent: all
    /// @param data seed of contexts and draws
    private Map<String, Tensor> trained(
            Algorithm algorithm, double rate, int steps, Optional<Map<String, Tensor>> mask, long data) {
        Map<String, Tensor> after = new LinkedHashMap<>();
        try (Parameters policy = start.copy();
                var optimizer = new AdamW(policy, ADAM);
                Rng rng = Rng.seeded(data)) {
            mask.ifPresent(policy::restrictTo);
            for (int step = 0; step < steps; step++) {
                try (Scope _ = new Scope()) {
                    Tensor contexts = rng.normal(CONTEXTS, SIZE);
                    loss(algorithm, policy, contexts, best(weights, contexts), rng)
                            .backward();
                    policy.clipGradient(algorithm == Algorithm.GRPO_UNCLIPPED ? Double.POSITIVE_INFINITY : 1);
                    optimizer.step(rate);
                }
            }
            policy.named().forEach((name, t) -> after.put(name, t.detach().copy()));
        }
        return after;
    }

    private Tensor loss(Algorithm algorithm, Parameters policy, Tensor contexts, Tensor best, Rng rng) {
        Tensor logProbs = logProbs(policy, contexts);
        return switch (algorithm) {
            case SFT -> supervised(logProbs, best);
            case GRPO, GRPO_UNCLIPPED -> reinforced(logProbs, logProbs.detach(), best, 0, rng);
            case GRPO_KL -> reinforced(logProbs, ofStart(contexts), best, KL_BETA, rng);
            case DPO -> preferred(logProbs, ofStart(contexts), best, rng);
        };
    }

    private Tensor ofStart(Tensor contexts) {
        try (var _ = Gradients.off()) {
            return logProbs(start, contexts);
        }
    }

    /// Actions of a policy, [B, count].
    private static Tensor drawn(Tensor logProbs, int count, Rng rng) {
        long contexts = logProbs.size(0);
        Tensor rows = logProbs.detach().exp().unsqueeze(1).expand(contexts, count, SIZE);
        return rng.categorical(rows.reshape(contexts * count, SIZE)).reshape(contexts, count);
    }

    private static Tensor reinforced(Tensor logProbs, Tensor reference, Tensor best, double beta, Rng rng) {
        Tensor actions = drawn(logProbs, GROUP, rng);
        Tensor rewards = actions.eq(best.unsqueeze(1).expand(actions.shape())).to(DType.FLOAT32);
        Tensor chosen = logProbs.gather(1, actions).reshape(-1, 1);
        var rollout = new Rollout(chosen, chosen.detach(), chosen.detach().isFinite());
        Tensor ofReference = reference.gather(1, actions).reshape(-1, 1);
        long count = chosen.size(0);
        return Grpo.grpo(rollout, ofReference, Grpo.advantages(rewards), 0.2, beta, count)
                .value();
    }

    /// Two actions of the start in each context; where one is right and the other is not, they are a pair.
    private static Tensor preferred(Tensor logProbs, Tensor reference, Tensor best, Rng rng) {
        Tensor actions = drawn(reference, 2, rng);
        Tensor right = actions.eq(best.unsqueeze(1).expand(actions.shape()));
        Tensor first = right.select(1, 0);
        Tensor pairs = first.to(DType.INT64)
                .minus(right.select(1, 1).to(DType.INT64))
                .nonzero()
                .reshape(-1);
        Tensor mine = logProbs.gather(1, actions).indexSelect(0, pairs);
        Tensor others = reference.gather(1, actions).indexSelect(0, pairs);
        var lp = PreferenceLogProbs.judged(
                mine.select(1, 0),
                mine.select(1, 1),
                others.select(1, 0),
                others.select(1, 1),
                first.indexSelect(0, pairs));
        return Dpo.dpo(lp, DPO_BETA, Math.max(1, pairs.numel())).value();
    }

    /// Of fresh contexts: how often the likeliest action is right, and how likely the right one is.
    private double[] judged(Map<String, Tensor> policy) {
        try (Scope _ = new Scope();
                var _ = Gradients.off();
                Parameters p = Parameters.copyOf(policy, DType.FLOAT32, Device.CPU)) {
            Tensor logProbs = logProbs(p, fresh);
            Tensor best = best(weights, fresh);
            return new double[] {
                logProbs.argmax(1).eq(best).to(DType.FLOAT64).mean().item(),
                logProbs.gather(1, best.unsqueeze(1)).exp().mean().item()
            };
        }
    }

    static Outcome trial(Scale scale, long seed) {
        try (var bandit = new SubnetworkBandit(seed, scale.pretraining);
                Scope _ = new Scope()) {
            return bandit.masks(scale, bandit.sweep(scale, Outcome.NOTHING));
        }
    }

    private WeightUpdate update(Map<String, Tensor> after, DType dtype) {
        return WeightUpdate.between(start.named(), after, dtype);
    }

    static String unchanged(DType dtype, Algorithm algorithm, double rate) {
        return "unchanged in " + dtype.name().toLowerCase(Locale.ROOT) + ", " + algorithm.title + ", rate " + rate;
    }

    static String atEqualReward(Algorithm algorithm) {
        return "unchanged in bfloat16 where GRPO and SFT have the same reward, " + algorithm.title;
    }

    /// How far an algorithm's share of unchanged weights is from GRPO's, whichever way, at a rate of 1e-5.
    static String away(Algorithm algorithm) {
        return "difference of what is unchanged from GRPO's, " + algorithm.title;
    }

    private Outcome sweep(Scale scale, Outcome outcome) {
        double[] before = judged(start.named());
        Outcome out = outcome.with("accuracy, start", before[0]).with("reward, start", before[1]);
        List<Frontier> frontiers = new ArrayList<>();
        for (DType dtype : List.of(DType.BFLOAT16, DType.FLOAT32)) {
            frontiers.add(new Frontier(
                    "Weights unchanged against reward gained, in "
                            + dtype.name().toLowerCase(Locale.ROOT),
                    "probability of the right action, gained over the start",
                    "share of weights changed by no more than 1e-5",
                    new ArrayList<>(),
                    List.of()));
        }
        Map<Algorithm, List<List<Frontier.Point>>> points = new EnumMap<>(Algorithm.class);
        for (Algorithm algorithm : Algorithm.values()) {
            points.put(algorithm, List.of(new ArrayList<>(), new ArrayList<>()));
            points.get(algorithm).forEach(p -> p.add(Frontier.Point.of(0, 1)));
            for (double rate : scale.rates) {
                try (Scope _ = new Scope()) {
                    Map<String, Tensor> after = trained(algorithm, rate, scale.steps, Optional.empty(), data(0));
                    double[] judged = judged(after);
                    double stored = update(after, DType.BFLOAT16).sparsity(TOLERANCE);
                    double master = update(after, DType.FLOAT32).sparsity(TOLERANCE);
                    String name = algorithm.title + ", rate " + rate;
                    out = out.with(unchanged(DType.BFLOAT16, algorithm, rate), stored)
                            .with(unchanged(DType.FLOAT32, algorithm, rate), master)
                            .with("accuracy, " + name, judged[0])
                            .with("reward, " + name, judged[1]);
                    points.get(algorithm).get(0).add(Frontier.Point.of(judged[1] - before[1], stored));
                    points.get(algorithm).get(1).add(Frontier.Point.of(judged[1] - before[1], master));
                }
            }
        }
        for (int steps : new int[] {scale.steps / 10, scale.steps / 4, scale.steps / 2}) {
            try (Scope _ = new Scope()) {
                double stored = update(trained(Algorithm.GRPO, 1e-5, steps, Optional.empty(), data(0)), DType.BFLOAT16)
                        .sparsity(TOLERANCE);
                out = out.with("unchanged in bfloat16, GRPO, rate 1e-5, after " + steps + " steps", stored);
            }
        }
        double plain = out.number(unchanged(DType.BFLOAT16, Algorithm.GRPO, 1e-5));
        for (Algorithm algorithm : List.of(Algorithm.GRPO_KL, Algorithm.GRPO_UNCLIPPED)) {
            out = out.with(away(algorithm), Math.abs(out.number(unchanged(DType.BFLOAT16, algorithm, 1e-5)) - plain));
        }
        return pictured(equal(out, points), frontiers, points);
    }

    private static Outcome equal(Outcome outcome, Map<Algorithm, List<List<Frontier.Point>>> points) {
        Map<Algorithm, Curve> curves = new EnumMap<>(Algorithm.class);
        points.forEach((algorithm, p) -> curves.put(algorithm, Curve.of(new Frontier.Arm("", p.getFirst()))));
        Curve sft = curves.get(Algorithm.SFT);
        Curve grpo = curves.get(Algorithm.GRPO);
        double most = Curve.common(List.of(sft, grpo)).orElseThrow().to();
        return outcome.with("reward gained, most that GRPO and SFT both have", most)
                .with(atEqualReward(Algorithm.GRPO), grpo.at(most))
                .with(atEqualReward(Algorithm.SFT), sft.at(most));
    }

    private static Outcome pictured(
            Outcome outcome, List<Frontier> frontiers, Map<Algorithm, List<List<Frontier.Point>>> points) {
        Outcome out = outcome;
        for (int type = 0; type < frontiers.size(); type++) {
            Frontier empty = frontiers.get(type);
            List<Frontier.Arm> arms = new ArrayList<>();
            for (var entry : points.entrySet()) {
                List<Frontier.Point> sorted = new ArrayList<>(entry.getValue().get(type));
                sorted.sort(Comparator.comparingDouble(Frontier.Point::x));
                arms.add(new Frontier.Arm(entry.getKey().title, sorted));
            }
            out = out.with(new Frontier(empty.title(), empty.x(), empty.y(), arms, List.of()));
        }
        return out;
    }

    private long data(int number) {
        return 1000 * seed + number;
    }

    /// The subnetwork of GRPO alone and its controls, with everything that is measured on them.
    private Outcome masks(Scale scale, Outcome outcome) {
        Outcome out = outcome;
        for (double rate : scale.maskRates) {
            try (Scope _ = new Scope();
                    Rng rng = Rng.seeded(seed)) {
                Map<String, Tensor> full = trained(Algorithm.GRPO, rate, scale.masked, Optional.empty(), data(0));
                Map<String, Tensor> other = trained(Algorithm.GRPO, rate, scale.masked, Optional.empty(), data(1));
                Map<String, Tensor> fine = trained(Algorithm.SFT, rate, scale.masked, Optional.empty(), data(0));
                WeightUpdate update = update(full, DType.BFLOAT16);
                Tensor mask = flat(update.mask(TOLERANCE));
                long size = mask.sum().toLongs()[0];
                Tensor smallest = Subnetwork.smallest(flat(start.named()), size);
                Tensor random = Subnetwork.smallest(rng.uniform(mask.numel()), size);
                String at = ", rate " + rate;
                out = out.with("density" + at, (double) size / mask.numel())
                        .with("rank" + at, mean(update.rankRatios()))
                        .with("rank, shuffled" + at, mean(update.shuffled(rng).rankRatios()));
                Tensor others = flat(update(other, DType.BFLOAT16).mask(TOLERANCE));
                out = overlap(out, "other seed" + at, mask, others);
                out = overlap(
                        out, "SFT" + at, mask, flat(update(fine, DType.BFLOAT16).mask(TOLERANCE)));
                out = overlap(out, "smallest weights" + at, mask, smallest);
                out = agreement(out, "start" + at, full, start.named());
                out = agreement(out, "full" + at, full, full);
                out = out.with("accuracy, full less half a point" + at, out.number("accuracy, full" + at) - 0.005);
                out = agreement(out, "other seed" + at, full, other);
                out = agreement(out, "subnetwork" + at, full, alone(rate, scale.masked, mask));
                out = agreement(out, "random mask" + at, full, alone(rate, scale.masked, random));
                out = agreement(out, "smallest weights" + at, full, alone(rate, scale.masked, smallest));
            }
        }
        return out;
    }

    private Map<String, Tensor> alone(double rate, int steps, Tensor mask) {
        Map<String, Tensor> masks = new LinkedHashMap<>();
        long offset = 0;
        for (var entry : start.named().entrySet()) {
            long count = entry.getValue().numel();
            masks.put(
                    entry.getKey(),
                    mask.narrow(0, offset, count).reshape(entry.getValue().shape()));
            offset += count;
        }
        return trained(Algorithm.GRPO, rate, steps, Optional.of(masks), data(0));
    }

    private static Outcome overlap(Outcome outcome, String with, Tensor mask, Tensor other) {
        MaskOverlap overlap = MaskOverlap.of(mask, other);
        return outcome.with("overlap, " + with, overlap.first()).with("chance, " + with, overlap.chanceFirst());
    }

    private Outcome agreement(Outcome outcome, String name, Map<String, Tensor> full, Map<String, Tensor> policy) {
        WeightUpdate rest = WeightUpdate.between(full, policy, DType.BFLOAT16);
        Outcome out = name.startsWith("full")
                ? outcome
                : outcome.with("agreement at 1e-5, " + name, rest.sparsity(1e-5))
                        .with("agreement at 1e-4, " + name, rest.sparsity(1e-4));
        return out.with("accuracy, " + name, judged(policy)[0]);
    }

    private static double mean(Map<String, Double> ratios) {
        return ratios.values().stream().mapToDouble(r -> r).average().orElse(0);
    }

    private static Tensor flat(Map<String, Tensor> tensors) {
        return Tensor.cat(
                tensors.values().stream().map(t -> t.detach().reshape(-1)).toList(), 0);
    }

    @Override
    public void close() {
        start.close();
        weights.close();
        fresh.close();
    }
}
