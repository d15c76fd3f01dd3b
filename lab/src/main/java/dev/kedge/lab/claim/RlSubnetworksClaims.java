package dev.kedge.lab.claim;

import dev.kedge.data.task.ScratchSum;
import dev.kedge.lab.Curve;
import dev.kedge.lab.Frontier;
import dev.kedge.lab.Metrics;
import dev.kedge.lab.RecordedRun;
import dev.kedge.lab.claim.Claim.Against;
import dev.kedge.lab.claim.Claim.Arm;
import dev.kedge.lab.claim.Claim.Direction;
import dev.kedge.lab.claim.Claim.Threshold;
import dev.kedge.lab.claim.SubnetworkBandit.Algorithm;
import dev.kedge.recipe.SubnetworkRecipe;
import dev.kedge.recipe.World;
import dev.kedge.tensor.DType;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// The claims of "Reinforcement Learning Finetunes Small Subnetworks" (Mukherjee et al. 2025, arXiv:2505.11711).
final class RlSubnetworksClaims {
    private static final double LEVEL = 0.7; // of weights unchanged, the least that the paper reports of RL
    private static final double NEAR = 0.02; // a difference of sparsity that counts as little
    private static final double MASK_RATE = 1e-5;
    private static final double HIGH_RATE = 1e-4;

    private RlSubnetworksClaims() {}

    static List<Claim> claims() {
        return claims(SubnetworkBandit.Scale.PUBLISHED, Scale.PUBLISHED);
    }

    static List<Claim> claims(SubnetworkBandit.Scale bandit, Scale decoder) {
        List<Claim> claims = new ArrayList<>(bandit(new Experiment(
                "subnetwork-bandit", description(bandit), 6, seed -> SubnetworkBandit.trial(bandit, seed))));
        claims.addAll(
                decoder(new Experiment("subnetwork-decoder", description(decoder), 6, seed -> trial(decoder, seed))));
        return List.copyOf(claims);
    }

    private static List<Claim> bandit(Experiment e) {
        String at = ", rate " + MASK_RATE;
        String where = "On a bandit, ";
        return List.of(
                claim(
                        e,
                        "same-rate",
                        where + "GRPO leaves more weights unchanged than SFT with the same optimiser.",
                        "weights unchanged in bfloat16 at a rate of 1e-5",
                        new Arm("GRPO", SubnetworkBandit.unchanged(DType.BFLOAT16, Algorithm.GRPO, MASK_RATE)),
                        new Arm("SFT", SubnetworkBandit.unchanged(DType.BFLOAT16, Algorithm.SFT, MASK_RATE)),
                        0),
                claim(
                        e,
                        "equal-reward",
                        where + "GRPO leaves more weights unchanged than SFT where both have gained the same reward.",
                        "weights unchanged in bfloat16 at the largest reward that both reach",
                        new Arm("GRPO", SubnetworkBandit.atEqualReward(Algorithm.GRPO)),
                        new Arm("SFT", SubnetworkBandit.atEqualReward(Algorithm.SFT)),
                        0),
                claim(
                        e,
                        "level",
                        where + "GRPO that has learnt leaves at least 70 % of the weights unchanged.",
                        "weights unchanged in bfloat16 at a rate of 1e-4",
                        new Arm("GRPO", SubnetworkBandit.unchanged(DType.BFLOAT16, Algorithm.GRPO, HIGH_RATE)),
                        new Threshold(LEVEL),
                        0),
                claim(
                        e,
                        "level-float32",
                        where + "GRPO leaves at least 70 % of the weights within 1e-5 in float32 as well.",
                        "weights unchanged in float32 at a rate of 1e-5",
                        new Arm("GRPO", SubnetworkBandit.unchanged(DType.FLOAT32, Algorithm.GRPO, MASK_RATE)),
                        new Threshold(LEVEL),
                        0),
                near(e, "kl", where + "a KL penalty changes sparsity little.", Algorithm.GRPO_KL),
                near(e, "clipping", where + "clipping of gradients changes sparsity little.", Algorithm.GRPO_UNCLIPPED),
                claim(
                        e,
                        "rank",
                        where + "changes of matrices are of at least 99 % of full rank, mean of matrices.",
                        "rank of the change in bfloat16 at a rate of 1e-5, of the most it could be",
                        new Arm("GRPO", "rank" + at),
                        new Threshold(0.99),
                        0),
                claim(
                        e,
                        "agreement-fine",
                        where
                                + "the subnetwork alone ends within 1e-5 of the full run in at least 90 % of the weights.",
                        "weights within 1e-5 of the full run's in bfloat16",
                        new Arm("subnetwork alone", "agreement at 1e-5, subnetwork" + at),
                        new Threshold(0.9),
                        0),
                claim(
                        e,
                        "agreement-coarse",
                        where
                                + "the subnetwork alone ends within 1e-4 of the full run in at least 99 % of the weights.",
                        "weights within 1e-4 of the full run's in bfloat16",
                        new Arm("subnetwork alone", "agreement at 1e-4, subnetwork" + at),
                        new Threshold(0.99),
                        0),
                claim(
                        e,
                        "agreement-random",
                        where + "the subnetwork alone ends nearer to the full run than as many random weights.",
                        "weights within 1e-5 of the full run's in bfloat16",
                        new Arm("subnetwork alone", "agreement at 1e-5, subnetwork" + at),
                        new Arm("random mask", "agreement at 1e-5, random mask" + at),
                        0),
                claim(
                        e,
                        "accuracy-full",
                        where + "the subnetwork alone is at most half a point less accurate than the full run.",
                        "accuracy on fresh contexts",
                        new Arm("subnetwork alone", "accuracy, subnetwork" + at),
                        new Arm("full run less half a point", "accuracy, full less half a point" + at),
                        0),
                claim(
                        e,
                        "accuracy-random",
                        where + "the subnetwork alone is more accurate than as many random weights.",
                        "accuracy on fresh contexts",
                        new Arm("subnetwork alone", "accuracy, subnetwork" + at),
                        new Arm("random mask", "accuracy, random mask" + at),
                        0),
                claim(
                        e,
                        "accuracy-magnitude",
                        where + "the subnetwork alone is more accurate than as many of the smallest weights.",
                        "accuracy on fresh contexts",
                        new Arm("subnetwork alone", "accuracy, subnetwork" + at),
                        new Arm("smallest weights", "accuracy, smallest weights" + at),
                        0),
                claim(
                        e,
                        "overlap-seeds",
                        where + "subnetworks of two seeds share more than by chance.",
                        "share of the subnetwork in the other one",
                        new Arm("other seed", "overlap, other seed" + at),
                        new Arm("chance", "chance, other seed" + at),
                        0),
                claim(
                        e,
                        "overlap-magnitude",
                        where + "subnetworks of two seeds share more than one of them with as many of the smallest"
                                + " weights.",
                        "share of the subnetwork in the other mask",
                        new Arm("other seed", "overlap, other seed" + at),
                        new Arm("smallest weights", "overlap, smallest weights" + at),
                        0),
                claim(
                        e,
                        "overlap-algorithms",
                        where + "subnetworks of GRPO and SFT share more than by chance.",
                        "share of the subnetwork in SFT's",
                        new Arm("SFT", "overlap, SFT" + at),
                        new Arm("chance", "chance, SFT" + at),
                        0));
    }

    /// At most [#NEAR] away, whichever way.
    private static Claim near(Experiment e, String name, String statement, Algorithm algorithm) {
        return new Claim(
                "rl-subnetworks",
                name,
                statement,
                e,
                "difference of the weights unchanged in bfloat16 at a rate of 1e-5, in size",
                "%",
                new Arm(algorithm.title + " against GRPO", SubnetworkBandit.away(algorithm)),
                Direction.LESS,
                new Threshold(NEAR),
                0);
    }

    private static Claim claim(
            Experiment e, String name, String statement, String measure, Arm method, Against against, double asked) {
        return new Claim("rl-subnetworks", name, statement, e, measure, "%", method, Direction.MORE, against, asked);
    }

    private static String description(SubnetworkBandit.Scale s) {
        return String.format(
                Locale.ROOT,
                "A network of layers 16-64-64-16 knows, after %d steps, which of 16 actions has the largest of W x; it is"
                        + " rounded to bfloat16 and learns the same for W with normal noise of 0.3 added. %d steps of Adam"
                        + " on 128 fresh contexts each, in float32, gradients clipped at 1: SFT on the best action, GRPO"
                        + " with 8 actions a context, with a KL of 0.05 in its loss, and unclipped, DPO (beta 0.1) on"
                        + " pairs of the start's actions; rates %s. Masks are of GRPO's change of more than 1e-5 in"
                        + " bfloat16 after %d steps. Judged on 8192 fresh contexts; the noise and the strengths were"
                        + " looked at on seed 101.",
                s.pretraining(),
                s.steps(),
                s.rates(),
                s.masked());
    }

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
        static final Scale PUBLISHED = new Scale(48, 250, 60, 12, 64, List.of(1e-5, 3e-5, 1e-4, 3e-4), 3e-5);
    }

    private static List<Claim> decoder(Experiment e) {
        String where = "On a language model, ";
        return List.of(
                claim(
                        e,
                        "lm-same-rate",
                        where + "GRPO leaves more weights unchanged than SFT with the same optimiser.",
                        "weights unchanged in bfloat16 at the rate of the masks",
                        new Arm("GRPO", "unchanged, GRPO"),
                        new Arm("SFT", "unchanged, SFT"),
                        0),
                claim(
                        e,
                        "lm-equal-reward",
                        where + "GRPO leaves more weights unchanged than SFT where both have gained the same reward.",
                        "weights unchanged in bfloat16 at the largest reward that both reach",
                        new Arm("GRPO", "unchanged at equal reward, GRPO"),
                        new Arm("SFT", "unchanged at equal reward, SFT"),
                        0),
                claim(
                        e,
                        "lm-equal-reward-dpo",
                        where + "DPO leaves more weights unchanged than SFT where both have gained the same reward.",
                        "weights unchanged in bfloat16 at the largest reward that both reach",
                        new Arm("DPO", "unchanged at equal reward, DPO"),
                        new Arm("SFT", "unchanged at equal reward, SFT beside DPO"),
                        0),
                claim(
                        e,
                        "lm-level",
                        where + "GRPO that has learnt leaves at least 70 % of the weights unchanged.",
                        "weights unchanged in bfloat16 at the rate of the masks",
                        new Arm("GRPO", "unchanged, GRPO"),
                        new Threshold(LEVEL),
                        0),
                claim(
                        e,
                        "lm-rank",
                        where + "changes of matrices are of at least 99 % of full rank, mean of matrices.",
                        "rank of the change in bfloat16, of the most it could be",
                        new Arm("GRPO", "rank"),
                        new Threshold(0.99),
                        0),
                claim(
                        e,
                        "lm-agreement-fine",
                        where
                                + "the subnetwork alone ends within 1e-5 of the full run in at least 90 % of the weights.",
                        "weights within 1e-5 of the full run's in bfloat16",
                        new Arm("subnetwork alone", "agreement at 1e-5, subnetwork alone"),
                        new Threshold(0.9),
                        0),
                claim(
                        e,
                        "lm-agreement-coarse",
                        where
                                + "the subnetwork alone ends within 1e-4 of the full run in at least 99 % of the weights.",
                        "weights within 1e-4 of the full run's in bfloat16",
                        new Arm("subnetwork alone", "agreement at 1e-4, subnetwork alone"),
                        new Threshold(0.99),
                        0),
                claim(
                        e,
                        "lm-agreement-random",
                        where + "the subnetwork alone ends nearer to the full run than as many random weights.",
                        "weights within 1e-5 of the full run's in bfloat16",
                        new Arm("subnetwork alone", "agreement at 1e-5, subnetwork alone"),
                        new Arm("random mask", "agreement at 1e-5, random mask"),
                        0),
                claim(
                        e,
                        "lm-reward-full",
                        where + "the subnetwork alone has at most one point less reward than the full run.",
                        "mean reward on held-out questions",
                        new Arm("subnetwork alone", "reward, subnetwork alone"),
                        new Arm("full run less one point", "reward, full less one point"),
                        0),
                claim(
                        e,
                        "lm-reward-random",
                        where + "the subnetwork alone has more reward than as many random weights.",
                        "mean reward on held-out questions",
                        new Arm("subnetwork alone", "reward, subnetwork alone"),
                        new Arm("random mask", "reward, random mask"),
                        0),
                claim(
                        e,
                        "lm-reward-magnitude",
                        where + "the subnetwork alone has more reward than as many of the smallest weights.",
                        "mean reward on held-out questions",
                        new Arm("subnetwork alone", "reward, subnetwork alone"),
                        new Arm("smallest weights", "reward, smallest weights"),
                        0),
                claim(
                        e,
                        "lm-overlap-seeds",
                        where + "subnetworks of two seeds share more than by chance.",
                        "share of the subnetwork in the other one",
                        new Arm("other seed", "overlap, other seed"),
                        new Arm("chance", "chance, other seed"),
                        0),
                claim(
                        e,
                        "lm-overlap-magnitude",
                        where + "subnetworks of two seeds share more than one of them with as many of the smallest"
                                + " weights.",
                        "share of the subnetwork in the other mask",
                        new Arm("other seed", "overlap, other seed"),
                        new Arm("smallest weights", "overlap, smallest weights"),
                        0));
    }

    static SubnetworkRecipe.Config config(Scale s, long seed) {
        return new SubnetworkRecipe.Config(
                new World.Generated(
                        new ScratchSum(),
                        0.5,
                        s.hiddenSize,
                        2,
                        4,
                        40_000,
                        RlvrTrial.pretraining(s.pretraining, 128),
                        80,
                        20),
                List.of(
                        SubnetworkRecipe.Algorithm.SFT,
                        SubnetworkRecipe.Algorithm.GRPO,
                        SubnetworkRecipe.Algorithm.DPO),
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
            String phase = SubnetworkRecipe.phase(SubnetworkRecipe.Algorithm.valueOf(algorithm), scale.rate);
            out = out.with("unchanged, " + algorithm, number(run, phase, "bfloat16/sparsity/1.0E-5"))
                    .with("unchanged in float32, " + algorithm, number(run, phase, "float32/sparsity/1.0E-5"))
                    .with("reward, " + algorithm, number(run, phase, "reward"));
        }
        String full = SubnetworkRecipe.phase(SubnetworkRecipe.Algorithm.GRPO, scale.rate);
        out = out.with("rank", number(run, full, "bfloat16/rank"))
                .with("rank, shuffled", number(run, full, "bfloat16/rank/shuffled"))
                .with("agreement at 1e-4, start", number(run, full, "bfloat16/sparsity/1.0E-4"))
                .with("overlap, smallest weights", number(run, full, "magnitude"))
                .with("reward, full less one point", number(run, full, "reward") - 0.01);
        for (String arm : List.of("subnetwork alone", "random mask", "smallest weights", "other seed")) {
            String phase = arm.replace(' ', '-');
            out = out.with("agreement at 1e-5, " + arm, number(run, phase, "bfloat16/agreement/1.0E-5"))
                    .with("agreement at 1e-4, " + arm, number(run, phase, "bfloat16/agreement/1.0E-4"))
                    .with("reward, " + arm, number(run, phase, "reward"));
        }
        out = out.with("overlap, other seed", number(run, "other-seed", "overlap"))
                .with("chance, other seed", number(run, "other-seed", "overlap/chance"));
        Frontier picture = run.summary().frontiers().get(1);
        out = equal(out, picture, "GRPO", "SFT");
        out = equal(out, picture, "DPO", "SFT beside DPO");
        return out.with(picture).with(run.summary().frontiers().get(2));
    }

    /// What is unchanged at the largest reward that a method and SFT both have gained.
    private static Outcome equal(Outcome outcome, Frontier picture, String method, String sft) {
        Curve mine = curve(picture, method);
        Curve others = curve(picture, "SFT");
        double most = Curve.common(List.of(mine, others)).orElseThrow().to();
        return outcome.with("unchanged at equal reward, " + method, mine.at(most))
                .with("unchanged at equal reward, " + sft, others.at(most))
                .with("reward gained by both, " + method, most);
    }

    private static Curve curve(Frontier picture, String name) {
        return Curve.of(picture.arms().stream()
                .filter(arm -> arm.name().equals(name))
                .findFirst()
                .orElseThrow());
    }

    private static double number(RecordedRun run, String phase, String metric) {
        return run.metrics().phases().stream()
                .filter(p -> p.name().equals("changed_" + phase))
                .findFirst()
                .map(p -> p.series().get(metric))
                .map(Metrics.Series::values)
                .map(values -> values[0])
                .orElseThrow(() -> new IllegalArgumentException("no " + metric + " of " + phase));
    }

    private static String description(Scale s) {
        return String.format(
                Locale.ROOT,
                "Runs of the recipe `subnetwork`: a decoder of two layers and width %d learns scratch-sum from %d batches"
                        + " of 128 demonstrations of which half know the digit, is rounded to bfloat16, and learns in"
                        + " float32 by SFT on right answers, GRPO with 8 answers a question, and DPO (beta 0.1) on pairs of"
                        + " its own answers: %d steps of AdamW on %d questions or pairs each, gradients clipped at 1, rates"
                        + " %s. Masks are of GRPO's change of more than 1e-5 in bfloat16 at a rate of %s, chosen on seed 7."
                        + " Judged by %d answers to each of 20 questions never trained on.",
                s.hiddenSize,
                s.pretraining,
                s.steps,
                s.questions,
                s.rates,
                s.rate,
                s.samples);
    }
}
