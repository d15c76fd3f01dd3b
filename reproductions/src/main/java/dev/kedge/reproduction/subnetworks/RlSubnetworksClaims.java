package dev.kedge.reproduction.subnetworks;

import dev.kedge.lab.claim.Claim;
import dev.kedge.lab.claim.Claim.Against;
import dev.kedge.lab.claim.Claim.Arm;
import dev.kedge.lab.claim.Claim.Direction;
import dev.kedge.lab.claim.Claim.Threshold;
import dev.kedge.lab.claim.Experiment;
import dev.kedge.recipe.sparsity.SubnetworkConfig.Algorithm;
import dev.kedge.tensor.DType;
import java.util.ArrayList;
import java.util.List;

/// The claims of "Reinforcement Learning Finetunes Small Subnetworks" (Mukherjee et al. 2025, arXiv:2505.11711).
public final class RlSubnetworksClaims {
    private static final double LEVEL = 0.7; // of weights unchanged, the least that the paper reports of RL
    private static final double NEAR = 0.02; // a difference of sparsity that counts as little
    private static final double MASK_RATE = 1e-5;
    private static final double HIGH_RATE = 1e-4;

    private RlSubnetworksClaims() {}

    public static List<Claim> claims() {
        return claims(SubnetworkSweep.Scale.PUBLISHED, SubnetworkDecoder.Scale.PUBLISHED);
    }

    public static List<Claim> claims(SubnetworkSweep.Scale bandit, SubnetworkDecoder.Scale decoder) {
        List<Claim> claims = new ArrayList<>(bandit(SubnetworkSweep.experiment(bandit)));
        claims.addAll(decoder(SubnetworkDecoder.experiment(decoder)));
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
                        new Arm("GRPO", SubnetworkSweep.unchanged(DType.BFLOAT16, Algorithm.GRPO, MASK_RATE)),
                        new Arm("SFT", SubnetworkSweep.unchanged(DType.BFLOAT16, Algorithm.SFT, MASK_RATE)),
                        0),
                claim(
                        e,
                        "equal-reward",
                        where + "GRPO leaves more weights unchanged than SFT where both have gained the same reward.",
                        "weights unchanged in bfloat16 at the least rate with the most reward that both gain",
                        new Arm("GRPO", SubnetworkSweep.atEqualReward(Algorithm.GRPO, 1)),
                        new Arm("SFT", SubnetworkSweep.atEqualReward(Algorithm.SFT, 1)),
                        0),
                claim(
                        e,
                        "equal-reward-half",
                        where + "GRPO leaves more weights unchanged than SFT where both have gained half as much.",
                        "weights unchanged in bfloat16 at the least rate with half of the most reward that both gain",
                        new Arm("GRPO", SubnetworkSweep.atEqualReward(Algorithm.GRPO, 0.5)),
                        new Arm("SFT", SubnetworkSweep.atEqualReward(Algorithm.SFT, 0.5)),
                        0),
                claim(
                        e,
                        "level",
                        where + "GRPO that has learnt leaves at least 70 % of the weights unchanged.",
                        "weights unchanged in bfloat16 at a rate of 1e-4",
                        new Arm("GRPO", SubnetworkSweep.unchanged(DType.BFLOAT16, Algorithm.GRPO, HIGH_RATE)),
                        new Threshold(LEVEL),
                        0),
                claim(
                        e,
                        "level-float32",
                        where + "GRPO leaves at least 70 % of the weights within 1e-5 in float32 as well.",
                        "weights unchanged in float32 at a rate of 1e-5",
                        new Arm("GRPO", SubnetworkSweep.unchanged(DType.FLOAT32, Algorithm.GRPO, MASK_RATE)),
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
                        where + "the subnetwork alone ends within 1e-5 of the full run in 90 % of the weights.",
                        "weights within 1e-5 of the full run's in bfloat16",
                        new Arm("subnetwork alone", "agreement at 1e-5, subnetwork" + at),
                        new Threshold(0.9),
                        0),
                claim(
                        e,
                        "agreement-coarse",
                        where + "the subnetwork alone ends within 1e-4 of the full run in 99 % of the weights.",
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
                new Arm(algorithm.title() + " against GRPO", SubnetworkSweep.away(algorithm)),
                Direction.LESS,
                new Threshold(NEAR),
                0);
    }

    private static Claim claim(
            Experiment e, String name, String statement, String measure, Arm method, Against against, double asked) {
        return new Claim("rl-subnetworks", name, statement, e, measure, "%", method, Direction.MORE, against, asked);
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
                        "weights unchanged in bfloat16 at the least rate with the most reward that both gain",
                        new Arm("GRPO", SubnetworkDecoder.equalReward("GRPO", "GRPO", 1)),
                        new Arm("SFT", SubnetworkDecoder.equalReward("GRPO", "SFT", 1)),
                        0),
                claim(
                        e,
                        "lm-equal-reward-half",
                        where + "GRPO leaves more weights unchanged than SFT where both have gained half as much.",
                        "weights unchanged in bfloat16 at the least rate with half of the most reward that both gain",
                        new Arm("GRPO", SubnetworkDecoder.equalReward("GRPO", "GRPO", 0.5)),
                        new Arm("SFT", SubnetworkDecoder.equalReward("GRPO", "SFT", 0.5)),
                        0),
                claim(
                        e,
                        "lm-equal-reward-dpo",
                        where + "DPO leaves more weights unchanged than SFT where both have gained the same reward.",
                        "weights unchanged in bfloat16 at the least rate with the most reward that both gain",
                        new Arm("DPO", SubnetworkDecoder.equalReward("DPO", "DPO", 1)),
                        new Arm("SFT", SubnetworkDecoder.equalReward("DPO", "SFT", 1)),
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
                        where + "the subnetwork alone ends within 1e-5 of the full run in 90 % of the weights.",
                        "weights within 1e-5 of the full run's in bfloat16",
                        new Arm("subnetwork alone", "agreement at 1e-5, subnetwork alone"),
                        new Threshold(0.9),
                        0),
                claim(
                        e,
                        "lm-agreement-coarse",
                        where + "the subnetwork alone ends within 1e-4 of the full run in 99 % of the weights.",
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
}
