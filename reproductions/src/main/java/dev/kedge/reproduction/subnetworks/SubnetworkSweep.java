package dev.kedge.reproduction.subnetworks;

import dev.kedge.lab.claim.Experiment;
import dev.kedge.lab.claim.Outcome;
import dev.kedge.nn.sparsity.MaskOverlap;
import dev.kedge.nn.sparsity.SubnetworkGradients;
import dev.kedge.nn.sparsity.WeightUpdate;
import dev.kedge.recipe.sparsity.SubnetworkConfig.Algorithm;
import dev.kedge.run.result.Frontier;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Rng;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Streams;
import dev.kedge.tensor.Tensor;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// What trainings of [SubnetworkBandit] change at several learning rates, and training of that alone
/// (arXiv:2505.11711).
final class SubnetworkSweep {
    private static final double TOLERANCE = 1e-5;
    private static final List<Double> FEW = List.of(1e-6, 1e-5, 1e-4);

    private final SubnetworkBandit bandit;
    private final Scale scale;

    private SubnetworkSweep(SubnetworkBandit bandit, Scale scale) {
        this.bandit = bandit;
        this.scale = scale;
    }

    /// How large the experiment is.
    ///
    /// @param pretraining steps on the old reward
    /// @param steps       of every training of the comparison
    /// @param masked      steps of the runs that masks are made of, and of those with masks
    /// @param rates       at which SFT and GRPO are compared; the others at fewer
    /// @param maskRates   of the runs with masks
    record Scale(int pretraining, int steps, int masked, List<Double> rates, List<Double> maskRates) {
        static final Scale PUBLISHED =
                new Scale(2000, 500, 400, List.of(1e-6, 1e-5, 3e-5, 1e-4, 3e-4), FEW.subList(0, 2));
    }

    static Experiment experiment(Scale scale) {
        return new Experiment("subnetwork-bandit", description(scale), 6, seed -> trial(scale, seed));
    }

    static Outcome trial(Scale scale, long seed) {
        try (var bandit = new SubnetworkBandit(seed, scale.pretraining);
                Scope _ = new Scope()) {
            var sweep = new SubnetworkSweep(bandit, scale);
            return sweep.masks(sweep.algorithms());
        }
    }

    private WeightUpdate update(Map<String, Tensor> after, DType dtype) {
        return WeightUpdate.between(bandit.start().named(), after, dtype);
    }

    static String unchanged(DType dtype, Algorithm algorithm, double rate) {
        return "unchanged in " + dtype.name().toLowerCase(Locale.ROOT) + ", " + algorithm.title() + ", rate " + rate;
    }

    /// At the least rate that gains so much.
    ///
    /// @param share of the largest reward that GRPO and SFT both gain
    static String atEqualReward(Algorithm algorithm, double share) {
        return "unchanged in bfloat16 at " + share + " of the most reward that GRPO and SFT both gain, "
                + algorithm.title();
    }

    /// How far an algorithm's share of unchanged weights is from GRPO's, whichever way, at a rate of 1e-5.
    static String away(Algorithm algorithm) {
        return "difference of what is unchanged from GRPO's, " + algorithm.title();
    }

    private Outcome algorithms() {
        double[] before = bandit.judged(bandit.start().named());
        Outcome out = Outcome.NOTHING.with("accuracy, start", before[0]).with("reward, start", before[1]);
        Map<Algorithm, List<List<Frontier.Point>>> points = new EnumMap<>(Algorithm.class);
        for (Algorithm algorithm : Algorithm.values()) {
            points.put(algorithm, List.of(new ArrayList<>(), new ArrayList<>()));
            points.get(algorithm).forEach(p -> p.add(Frontier.Point.of(0, 1)));
            List<Double> rates =
                    switch (algorithm) {
                        case SFT, GRPO -> scale.rates;
                        case GRPO_KL, DPO -> FEW;
                        case GRPO_UNCLIPPED -> List.of(1e-5);
                    };
            for (double rate : rates) {
                try (Scope _ = new Scope()) {
                    Map<String, Tensor> after = bandit.trained(algorithm, rate, scale.steps, Optional.empty(), 0);
                    double[] judged = bandit.judged(after);
                    double stored = update(after, DType.BFLOAT16).sparsity(TOLERANCE);
                    double master = update(after, DType.FLOAT32).sparsity(TOLERANCE);
                    String name = algorithm.title() + ", rate " + rate;
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
                double stored = update(bandit.trained(Algorithm.GRPO, 1e-5, steps, Optional.empty(), 0), DType.BFLOAT16)
                        .sparsity(TOLERANCE);
                out = out.with("unchanged in bfloat16, GRPO, rate 1e-5, after " + steps + " steps", stored);
            }
        }
        double plain = out.number(unchanged(DType.BFLOAT16, Algorithm.GRPO, 1e-5));
        for (Algorithm algorithm : List.of(Algorithm.GRPO_KL, Algorithm.GRPO_UNCLIPPED)) {
            out = out.with(away(algorithm), Math.abs(out.number(unchanged(DType.BFLOAT16, algorithm, 1e-5)) - plain));
        }
        return pictured(equal(out, points), points);
    }

    private static Outcome equal(Outcome outcome, Map<Algorithm, List<List<Frontier.Point>>> points) {
        List<Frontier.Point> sft = points.get(Algorithm.SFT).getFirst();
        List<Frontier.Point> grpo = points.get(Algorithm.GRPO).getFirst();
        double most = Math.min(most(sft), most(grpo));
        Outcome out = outcome.with("reward gained, most that GRPO and SFT both have", most);
        for (double share : new double[] {0.5, 1}) {
            out = out.with(atEqualReward(Algorithm.GRPO, share), reaching(grpo, share * most))
                    .with(atEqualReward(Algorithm.SFT, share), reaching(sft, share * most));
        }
        return out;
    }

    /// The most that is gained at any rate.
    static double most(List<Frontier.Point> way) {
        return way.stream().mapToDouble(Frontier.Point::x).max().orElseThrow();
    }

    /// What is unchanged where a gain is first reached as the rate grows: straight between two rates. A curve over
    /// gains would go through rates at which nothing was gained.
    ///
    /// @param way  gains and what is unchanged there: the start, then rate by rate
    /// @param gain at most [#most]
    static double reaching(List<Frontier.Point> way, double gain) {
        for (int i = 0; i < way.size(); i++) {
            Frontier.Point now = way.get(i);
            if (now.x() >= gain) {
                Frontier.Point before = way.get(Math.max(0, i - 1));
                double share = i == 0 ? 0 : (gain - before.x()) / (now.x() - before.x());
                return before.y().value()
                        + share * (now.y().value() - before.y().value());
            }
        }
        throw new IllegalArgumentException("a gain of " + gain + " is not reached, " + most(way) + " at most");
    }

    private static Outcome pictured(Outcome outcome, Map<Algorithm, List<List<Frontier.Point>>> points) {
        Outcome out = outcome;
        for (String dtype : List.of("bfloat16", "float32")) {
            List<Frontier.Arm> arms = new ArrayList<>();
            for (var entry : points.entrySet()) {
                List<Frontier.Point> sorted = new ArrayList<>(entry.getValue().get(dtype.equals("bfloat16") ? 0 : 1));
                sorted.sort(Comparator.comparingDouble(Frontier.Point::x));
                arms.add(new Frontier.Arm(entry.getKey().title(), sorted));
            }
            out = out.with(new Frontier(
                    "Weights unchanged against reward gained, in " + dtype,
                    "probability of the right action, gained over the start",
                    "share of weights changed by no more than 1e-5",
                    arms));
        }
        return out;
    }

    /// The subnetwork of GRPO alone and its controls, with everything that is measured on them.
    private Outcome masks(Outcome outcome) {
        Outcome out = outcome;
        for (double rate : scale.maskRates) {
            try (Scope _ = new Scope();
                    Rng rng = Rng.seeded(Streams.of(bandit.seed(), "controls"))) {
                Map<String, Tensor> full = bandit.trained(Algorithm.GRPO, rate, scale.masked, Optional.empty(), 0);
                Map<String, Tensor> other = bandit.trained(Algorithm.GRPO, rate, scale.masked, Optional.empty(), 1);
                Map<String, Tensor> fine = bandit.trained(Algorithm.SFT, rate, scale.masked, Optional.empty(), 0);
                WeightUpdate update = update(full, DType.BFLOAT16);
                Tensor mask = flat(update.mask(TOLERANCE));
                long size = mask.sum().toLongs()[0];
                Tensor smallest =
                        SubnetworkGradients.smallest(flat(bandit.start().named()), size);
                Tensor random = SubnetworkGradients.smallest(rng.uniform(mask.numel()), size);
                String at = ", rate " + rate;
                out = out.with("density" + at, (double) size / mask.numel())
                        .with("rank" + at, mean(update.rankRatios()))
                        .with("rank, shuffled" + at, mean(update.shuffled(rng).rankRatios()));
                Tensor others = flat(update(other, DType.BFLOAT16).mask(TOLERANCE));
                out = overlap(out, "other seed" + at, mask, others);
                out = overlap(
                        out, "SFT" + at, mask, flat(update(fine, DType.BFLOAT16).mask(TOLERANCE)));
                out = overlap(out, "smallest weights" + at, mask, smallest);
                out = agreement(out, "start" + at, full, bandit.start().named());
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
        for (var entry : bandit.start().named().entrySet()) {
            long count = entry.getValue().numel();
            masks.put(
                    entry.getKey(),
                    mask.narrow(0, offset, count).reshape(entry.getValue().shape()));
            offset += count;
        }
        return bandit.trained(Algorithm.GRPO, rate, steps, Optional.of(masks), 0);
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
        return out.with("accuracy, " + name, bandit.judged(policy)[0]);
    }

    private static double mean(Map<String, Double> ratios) {
        return ratios.values().stream().mapToDouble(r -> r).average().orElse(0);
    }

    private static Tensor flat(Map<String, Tensor> tensors) {
        return Tensor.cat(
                tensors.values().stream().map(t -> t.detach().reshape(-1)).toList(), 0);
    }

    private static String description(Scale s) {
        return "A network of layers 16-64-64-16 knows, after " + s.pretraining() + " steps, which of 16 "
                + "actions has the largest of W x; it is rounded to bfloat16 and learns the same for W with "
                + "normal noise of 0.3 added. " + s.steps() + " steps of Adam on 128 fresh contexts each, in "
                + "float32, gradients clipped at 1: SFT on the best action and GRPO with 8 actions a context "
                + "at rates " + s.rates() + "; GRPO with a KL of 0.05 in its loss and DPO (beta 0.1) on pairs "
                + "of the start's actions at 1e-6, 1e-5 and 1e-4; GRPO unclipped at 1e-5. Masks are of GRPO's "
                + "change of more than 1e-5 in bfloat16 after " + s.masked() + " steps. Judged on 8192 fresh "
                + "contexts; the noise and the strengths were looked at on seed 101.";
    }
}
