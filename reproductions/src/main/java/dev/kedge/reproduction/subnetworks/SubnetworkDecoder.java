package dev.kedge.reproduction.subnetworks;

import dev.kedge.data.task.ScratchSum;
import dev.kedge.lab.claim.Experiment;
import dev.kedge.lab.claim.Outcome;
import dev.kedge.lab.report.RecordedRun;
import dev.kedge.recipe.policy.Environment;
import dev.kedge.recipe.sparsity.SubnetworkConfig;
import dev.kedge.recipe.sparsity.SubnetworkRecipe;
import dev.kedge.reproduction.trial.RecipeTrial;
import dev.kedge.reproduction.trial.RlvrTrial;
import dev.kedge.run.result.Frontier;
import dev.kedge.tensor.DType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Runs of [SubnetworkRecipe] on a small decoder (arXiv:2505.11711), as an experiment.
final class SubnetworkDecoder {
    private SubnetworkDecoder() {}

    /// How large the runs of the recipe are.
    ///
    /// @param hiddenSize  of a decoder of two layers
    /// @param pretraining steps
    /// @param steps       of every training
    /// @param questions   a step
    /// @param samples     answers to each of 20 held-out questions
    /// @param rates       of the comparison
    /// @param rate        at which masks are made, one of them
    record Scale(
            int hiddenSize, int pretraining, int steps, int questions, int samples, List<Double> rates, double rate) {
        static final Scale PUBLISHED = new Scale(48, 500, 60, 12, 64, List.of(1e-5, 3e-5, 1e-4, 3e-4), 3e-5);
    }

    static Experiment experiment(Scale scale) {
        return new Experiment("subnetwork-decoder", description(scale), 6, seed -> trial(scale, seed));
    }

    static SubnetworkConfig config(Scale s, long seed) {
        return new SubnetworkConfig(
                new Environment.Generated(
                        new ScratchSum(),
                        0.5,
                        s.hiddenSize,
                        2,
                        4,
                        40_000,
                        RlvrTrial.pretraining(s.pretraining, 128),
                        80,
                        20,
                        Optional.empty()),
                List.of(
                        SubnetworkConfig.Algorithm.SFT,
                        SubnetworkConfig.Algorithm.GRPO,
                        SubnetworkConfig.Algorithm.DPO),
                s.rates,
                8,
                0.05,
                0.1,
                1e-5,
                DType.BFLOAT16,
                RlvrTrial.learning(s.steps, s.questions, s.rate),
                s.samples,
                "cpu",
                1,
                seed);
    }

    private static Outcome trial(Scale scale, long seed) {
        RecordedRun run = RecipeTrial.run("subnetwork", config(scale, seed), SubnetworkRecipe::run);
        Outcome out = Outcome.NOTHING;
        for (var algorithm : List.of("SFT", "GRPO", "DPO")) {
            String phase = SubnetworkConfig.Algorithm.valueOf(algorithm).phase(scale.rate);
            out = out.with("unchanged, " + algorithm, number(run, phase, "bfloat16/sparsity/1e-5"))
                    .with("unchanged in float32, " + algorithm, number(run, phase, "float32/sparsity/1e-5"))
                    .with("reward, " + algorithm, number(run, phase, "reward"));
        }
        String full = SubnetworkConfig.Algorithm.GRPO.phase(scale.rate);
        out = out.with("rank", number(run, full, "bfloat16/rank"))
                .with("rank, shuffled", number(run, full, "bfloat16/rank/shuffled"))
                .with("agreement at 1e-4, start", number(run, full, "bfloat16/sparsity/1e-4"))
                .with("overlap, smallest weights", number(run, full, "magnitude"))
                .with("reward, full less one point", number(run, full, "reward") - 0.01);
        for (String arm : List.of("subnetwork alone", "random mask", "smallest weights", "other seed")) {
            String phase = arm.replace(' ', '-');
            out = out.with("agreement at 1e-5, " + arm, number(run, phase, "bfloat16/agreement/1e-5"))
                    .with("agreement at 1e-4, " + arm, number(run, phase, "bfloat16/agreement/1e-4"))
                    .with("reward, " + arm, number(run, phase, "reward"));
        }
        out = out.with("overlap, other seed", number(run, "other-seed", "overlap"))
                .with("chance, other seed", number(run, "other-seed", "overlap/chance"));
        out = equal(out, run, scale, "GRPO");
        out = equal(out, run, scale, "DPO");
        var frontiers = run.summary().frontiers();
        return out.with(frontiers.get(1)).with(frontiers.get(2));
    }

    /// @param share of the most reward that a method and SFT both gain
    static String equalReward(String method, String arm, double share) {
        return "unchanged at " + share + " of the most reward that " + method + " and SFT both gain, " + arm;
    }

    private static Outcome equal(Outcome outcome, RecordedRun run, Scale scale, String method) {
        List<Frontier.Point> mine = way(run, scale, method);
        List<Frontier.Point> others = way(run, scale, "SFT");
        double most = Math.min(SubnetworkSweep.most(mine), SubnetworkSweep.most(others));
        Outcome out = outcome.with("most reward that " + method + " and SFT both gain", most);
        for (double share : new double[] {0.5, 1}) {
            out = out.with(equalReward(method, method, share), SubnetworkSweep.reaching(mine, share * most))
                    .with(equalReward(method, "SFT", share), SubnetworkSweep.reaching(others, share * most));
        }
        return out;
    }

    /// The start, then what each rate gained and left unchanged.
    private static List<Frontier.Point> way(RecordedRun run, Scale scale, String algorithm) {
        List<Frontier.Point> way = new ArrayList<>(List.of(Frontier.Point.of(0, 1)));
        for (double rate : scale.rates) {
            String phase = SubnetworkConfig.Algorithm.valueOf(algorithm).phase(rate);
            way.add(Frontier.Point.of(number(run, phase, "gained"), number(run, phase, "bfloat16/sparsity/1e-5")));
        }
        return way;
    }

    private static double number(RecordedRun run, String phase, String metric) {
        return run.metrics().series("changed_" + phase, metric).values()[0];
    }

    private static String description(Scale s) {
        return "Runs of the recipe `subnetwork`: a decoder of two layers and width " + s.hiddenSize
                + " learns scratch-sum from " + s.pretraining + " batches of 128 demonstrations of which half "
                + "know the digit, is rounded to bfloat16, and learns in float32 by SFT on right answers, GRPO "
                + "with 8 answers a question, and DPO (beta 0.1) on pairs of its own answers: " + s.steps
                + " steps of AdamW on " + s.questions + " questions or pairs each, gradients clipped at 1, "
                + "rates " + s.rates + ". Masks are of GRPO's change of more than 1e-5 in bfloat16 at a rate "
                + "of " + s.rate + ". Judged by " + s.samples + " answers to each of 20 questions never "
                + "trained on. The rate was chosen on seed 7, the length of pre-training on 101 to 103, so "
                + "that SFT gains too.";
    }
}
