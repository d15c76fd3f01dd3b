package dev.kedge.reproduction.subnetworks;

import static dev.kedge.lab.claim.Measure.measure;

import dev.kedge.lab.claim.Claim;
import dev.kedge.lab.claim.Claim.Arm;
import dev.kedge.lab.claim.Experiment;
import dev.kedge.recipe.sparsity.SubnetworkRecipe.Algorithm;
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
        var fine = measure(e, "weights within 1e-5 of the full run's in bfloat16", "%");
        var accuracy = measure(e, "accuracy on fresh contexts", "%");
        return List.of(
                measure(e, "weights unchanged in bfloat16 at a rate of 1e-5", "%")
                        .claim("same-rate")
                        .says(where + "GRPO leaves more weights unchanged than SFT with the same optimiser.")
                        .more(
                                new Arm("GRPO", SubnetworkSweep.unchanged(DType.BFLOAT16, Algorithm.GRPO, MASK_RATE)),
                                new Arm("SFT", SubnetworkSweep.unchanged(DType.BFLOAT16, Algorithm.SFT, MASK_RATE))),
                measure(e, "weights unchanged in bfloat16 at the least rate with the most reward that both gain", "%")
                        .claim("equal-reward")
                        .says(where + "GRPO leaves more weights unchanged than SFT where both have gained the same "
                                + "reward.")
                        .more(
                                new Arm("GRPO", SubnetworkSweep.atEqualReward(Algorithm.GRPO, 1)),
                                new Arm("SFT", SubnetworkSweep.atEqualReward(Algorithm.SFT, 1))),
                measure(
                                e,
                                "weights unchanged in bfloat16 at the least rate with half of the most reward that both gain",
                                "%")
                        .claim("equal-reward-half")
                        .says(where + "GRPO leaves more weights unchanged than SFT where both have gained half as "
                                + "much.")
                        .more(
                                new Arm("GRPO", SubnetworkSweep.atEqualReward(Algorithm.GRPO, 0.5)),
                                new Arm("SFT", SubnetworkSweep.atEqualReward(Algorithm.SFT, 0.5))),
                measure(e, "weights unchanged in bfloat16 at a rate of 1e-4", "%")
                        .claim("level")
                        .says(where + "GRPO that has learnt leaves at least 70 % of the weights unchanged.")
                        .more(
                                new Arm("GRPO", SubnetworkSweep.unchanged(DType.BFLOAT16, Algorithm.GRPO, HIGH_RATE)),
                                LEVEL),
                measure(e, "weights unchanged in float32 at a rate of 1e-5", "%")
                        .claim("level-float32")
                        .says(where + "GRPO leaves at least 70 % of the weights within 1e-5 in float32 as well.")
                        .more(
                                new Arm("GRPO", SubnetworkSweep.unchanged(DType.FLOAT32, Algorithm.GRPO, MASK_RATE)),
                                LEVEL),
                near(e, "kl", where + "a KL penalty changes sparsity little.", Algorithm.GRPO_KL),
                near(e, "clipping", where + "clipping of gradients changes sparsity little.", Algorithm.GRPO_UNCLIPPED),
                measure(e, "rank of the change in bfloat16 at a rate of 1e-5, of the most it could be", "%")
                        .claim("rank")
                        .says(where + "changes of matrices are of at least 99 % of full rank, mean of matrices.")
                        .more(new Arm("GRPO", "rank" + at), 0.99),
                fine.claim("agreement-fine")
                        .says(where + "the subnetwork alone ends within 1e-5 of the full run in 90 % of the weights.")
                        .more(new Arm("subnetwork alone", "agreement at 1e-5, subnetwork" + at), 0.9),
                measure(e, "weights within 1e-4 of the full run's in bfloat16", "%")
                        .claim("agreement-coarse")
                        .says(where + "the subnetwork alone ends within 1e-4 of the full run in 99 % of the weights.")
                        .more(new Arm("subnetwork alone", "agreement at 1e-4, subnetwork" + at), 0.99),
                fine.claim("agreement-random")
                        .says(where + "the subnetwork alone ends nearer to the full run than as many random weights.")
                        .more(
                                new Arm("subnetwork alone", "agreement at 1e-5, subnetwork" + at),
                                new Arm("random mask", "agreement at 1e-5, random mask" + at)),
                accuracy.claim("accuracy-full")
                        .says(where + "the subnetwork alone is at most half a point less accurate than the full run.")
                        .more(
                                new Arm("subnetwork alone", "accuracy, subnetwork" + at),
                                new Arm("full run less half a point", "accuracy, full less half a point" + at)),
                accuracy.claim("accuracy-random")
                        .says(where + "the subnetwork alone is more accurate than as many random weights.")
                        .more(
                                new Arm("subnetwork alone", "accuracy, subnetwork" + at),
                                new Arm("random mask", "accuracy, random mask" + at)),
                accuracy.claim("accuracy-magnitude")
                        .says(where + "the subnetwork alone is more accurate than as many of the smallest weights.")
                        .more(
                                new Arm("subnetwork alone", "accuracy, subnetwork" + at),
                                new Arm("smallest weights", "accuracy, smallest weights" + at)),
                measure(e, "share of the subnetwork in the other one", "%")
                        .claim("overlap-seeds")
                        .says(where + "subnetworks of two seeds share more than by chance.")
                        .more(
                                new Arm("other seed", "overlap, other seed" + at),
                                new Arm("chance", "chance, other seed" + at)),
                measure(e, "share of the subnetwork in the other mask", "%")
                        .claim("overlap-magnitude")
                        .says(where + "subnetworks of two seeds share more than one of them with as many of the "
                                + "smallest weights.")
                        .more(
                                new Arm("other seed", "overlap, other seed" + at),
                                new Arm("smallest weights", "overlap, smallest weights" + at)),
                measure(e, "share of the subnetwork in SFT's", "%")
                        .claim("overlap-algorithms")
                        .says(where + "subnetworks of GRPO and SFT share more than by chance.")
                        .more(new Arm("SFT", "overlap, SFT" + at), new Arm("chance", "chance, SFT" + at)));
    }

    /// At most [#NEAR] away, whichever way.
    private static Claim near(Experiment e, String name, String statement, Algorithm algorithm) {
        return measure(e, "difference of the weights unchanged in bfloat16 at a rate of 1e-5, in size", "%")
                .claim(name)
                .says(statement)
                .less(new Arm(algorithm.title() + " against GRPO", SubnetworkSweep.away(algorithm)), NEAR);
    }

    private static List<Claim> decoder(Experiment e) {
        String where = "On a language model, ";
        var same = measure(e, "weights unchanged in bfloat16 at the rate of the masks", "%");
        var atMost =
                measure(e, "weights unchanged in bfloat16 at the least rate with the most reward that both gain", "%");
        var fine = measure(e, "weights within 1e-5 of the full run's in bfloat16", "%");
        var reward = measure(e, "mean reward on held-out questions", "%");
        return List.of(
                same.claim("lm-same-rate")
                        .says(where + "GRPO leaves more weights unchanged than SFT with the same optimiser.")
                        .more(new Arm("GRPO", "unchanged, GRPO"), new Arm("SFT", "unchanged, SFT")),
                atMost.claim("lm-equal-reward")
                        .says(where + "GRPO leaves more weights unchanged than SFT where both have gained the same "
                                + "reward.")
                        .more(
                                new Arm("GRPO", SubnetworkDecoder.equalReward("GRPO", "GRPO", 1)),
                                new Arm("SFT", SubnetworkDecoder.equalReward("GRPO", "SFT", 1))),
                measure(
                                e,
                                "weights unchanged in bfloat16 at the least rate with half of the most reward that both gain",
                                "%")
                        .claim("lm-equal-reward-half")
                        .says(where + "GRPO leaves more weights unchanged than SFT where both have gained half as "
                                + "much.")
                        .more(
                                new Arm("GRPO", SubnetworkDecoder.equalReward("GRPO", "GRPO", 0.5)),
                                new Arm("SFT", SubnetworkDecoder.equalReward("GRPO", "SFT", 0.5))),
                atMost.claim("lm-equal-reward-dpo")
                        .says(where + "DPO leaves more weights unchanged than SFT where both have gained the same "
                                + "reward.")
                        .more(
                                new Arm("DPO", SubnetworkDecoder.equalReward("DPO", "DPO", 1)),
                                new Arm("SFT", SubnetworkDecoder.equalReward("DPO", "SFT", 1))),
                same.claim("lm-level")
                        .says(where + "GRPO that has learnt leaves at least 70 % of the weights unchanged.")
                        .more(new Arm("GRPO", "unchanged, GRPO"), LEVEL),
                measure(e, "rank of the change in bfloat16, of the most it could be", "%")
                        .claim("lm-rank")
                        .says(where + "changes of matrices are of at least 99 % of full rank, mean of matrices.")
                        .more(new Arm("GRPO", "rank"), 0.99),
                fine.claim("lm-agreement-fine")
                        .says(where + "the subnetwork alone ends within 1e-5 of the full run in 90 % of the weights.")
                        .more(new Arm("subnetwork alone", "agreement at 1e-5, subnetwork alone"), 0.9),
                measure(e, "weights within 1e-4 of the full run's in bfloat16", "%")
                        .claim("lm-agreement-coarse")
                        .says(where + "the subnetwork alone ends within 1e-4 of the full run in 99 % of the weights.")
                        .more(new Arm("subnetwork alone", "agreement at 1e-4, subnetwork alone"), 0.99),
                fine.claim("lm-agreement-random")
                        .says(where + "the subnetwork alone ends nearer to the full run than as many random weights.")
                        .more(
                                new Arm("subnetwork alone", "agreement at 1e-5, subnetwork alone"),
                                new Arm("random mask", "agreement at 1e-5, random mask")),
                reward.claim("lm-reward-full")
                        .says(where + "the subnetwork alone has at most one point less reward than the full run.")
                        .more(
                                new Arm("subnetwork alone", "reward, subnetwork alone"),
                                new Arm("full run less one point", "reward, full less one point")),
                reward.claim("lm-reward-random")
                        .says(where + "the subnetwork alone has more reward than as many random weights.")
                        .more(
                                new Arm("subnetwork alone", "reward, subnetwork alone"),
                                new Arm("random mask", "reward, random mask")),
                reward.claim("lm-reward-magnitude")
                        .says(where + "the subnetwork alone has more reward than as many of the smallest weights.")
                        .more(
                                new Arm("subnetwork alone", "reward, subnetwork alone"),
                                new Arm("smallest weights", "reward, smallest weights")),
                measure(e, "share of the subnetwork in the other one", "%")
                        .claim("lm-overlap-seeds")
                        .says(where + "subnetworks of two seeds share more than by chance.")
                        .more(new Arm("other seed", "overlap, other seed"), new Arm("chance", "chance, other seed")),
                measure(e, "share of the subnetwork in the other mask", "%")
                        .claim("lm-overlap-magnitude")
                        .says(where + "subnetworks of two seeds share more than one of them with as many of the "
                                + "smallest weights.")
                        .more(
                                new Arm("other seed", "overlap, other seed"),
                                new Arm("smallest weights", "overlap, smallest weights")));
    }
}
