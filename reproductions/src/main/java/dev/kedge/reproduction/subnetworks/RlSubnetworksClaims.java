package dev.kedge.reproduction.subnetworks;

import static dev.kedge.lab.claim.Measure.measure;

import dev.kedge.lab.claim.Claim;
import dev.kedge.lab.claim.Claim.Arm;
import dev.kedge.lab.claim.Experiment;
import dev.kedge.lab.claim.Measure.Statement;
import dev.kedge.recipe.sparsity.SubnetworkConfig.Algorithm;
import dev.kedge.tensor.DType;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;

/// The claims of "Reinforcement Learning Finetunes Small Subnetworks" (Mukherjee et al. 2025, arXiv:2505.11711).
public final class RlSubnetworksClaims {
    private static final double LEVEL = 0.7; // of weights unchanged, the least that the paper reports of RL
    private static final double NEAR = 0.02; // a difference of sparsity that counts as little
    private static final double MASK_RATE = 1e-5;
    private static final double HIGH_RATE = 1e-4;

    private static final String SAME_RATE = "GRPO leaves more weights unchanged than SFT with the same optimiser.";
    private static final String LEVEL_KEPT = "GRPO that has learnt leaves at least 70 % of the weights unchanged.";

    private RlSubnetworksClaims() {}

    public static List<Claim> claims() {
        return claims(SubnetworkSweep.Scale.PUBLISHED, SubnetworkDecoder.Scale.PUBLISHED);
    }

    public static List<Claim> claims(SubnetworkSweep.Scale bandit, SubnetworkDecoder.Scale decoder) {
        List<Claim> claims = new ArrayList<>(bandit(SubnetworkSweep.experiment(bandit)));
        claims.addAll(decoder(SubnetworkDecoder.experiment(decoder)));
        return List.copyOf(claims);
    }

    /// What the claims are about: both kinds of network are held to the same.
    ///
    /// @param prefix of the claims' names
    /// @param words  that their statements begin with
    /// @param suffix of the numbers
    /// @param alone  the subnetwork alone, as its numbers have it
    private record Setting(Experiment e, String prefix, String words, String suffix, String alone) {
        Statement claim(String name, String measure, String statement) {
            return measure(e, measure, "%").claim(prefix + name).says(words + statement);
        }

        Arm alone(String measure) {
            return new Arm("subnetwork alone", measure + ", " + alone + suffix);
        }

        Arm arm(String title, String measure) {
            return new Arm(title, measure + ", " + title + suffix);
        }

        /// @param number of an algorithm and a share of the most reward
        List<Claim> equalReward(BiFunction<Algorithm, Double, String> number) {
            String unchanged = "weights unchanged in bfloat16 at the least rate with ";
            String gained = "GRPO leaves more weights unchanged than SFT where both have gained ";
            return List.of(
                    claim("equal-reward", unchanged + "the most reward that both gain", gained + "the same reward.")
                            .more(grpo(number.apply(Algorithm.GRPO, 1.0)), sft(number.apply(Algorithm.SFT, 1.0))),
                    claim(
                                    "equal-reward-half",
                                    unchanged + "half of the most reward that both gain",
                                    gained + "half as much.")
                            .more(grpo(number.apply(Algorithm.GRPO, 0.5)), sft(number.apply(Algorithm.SFT, 0.5))));
        }

        /// @param where of the measure: a rate, or nothing
        Claim rank(String where) {
            String full = "changes of matrices are of at least 99 % of full rank, mean of matrices.";
            return claim("rank", "rank of the change in bfloat16" + where + ", of the most it could be", full)
                    .more(grpo("rank" + suffix), 0.99);
        }

        List<Claim> agreement() {
            String fine = "weights within 1e-5 of the full run's in bfloat16";
            String coarse = "weights within 1e-4 of the full run's in bfloat16";
            String near = "the subnetwork alone ends within ";
            String nearer = "the subnetwork alone ends nearer to the full run than as many random weights.";
            return List.of(
                    claim("agreement-fine", fine, near + "1e-5 of the full run in 90 % of the weights.")
                            .more(alone("agreement at 1e-5"), 0.9),
                    claim("agreement-coarse", coarse, near + "1e-4 of the full run in 99 % of the weights.")
                            .more(alone("agreement at 1e-4"), 0.99),
                    claim("agreement-random", fine, nearer)
                            .more(alone("agreement at 1e-5"), arm("random mask", "agreement at 1e-5")));
        }

        List<Claim> overlap() {
            String magnitude =
                    "subnetworks of two seeds share more than one of them with as many of the smallest weights.";
            Arm seeds = arm("other seed", "overlap");
            return List.of(
                    claim(
                                    "overlap-seeds",
                                    "share of the subnetwork in the other one",
                                    "subnetworks of two seeds share more than by chance.")
                            .more(seeds, new Arm("chance", "chance, other seed" + suffix)),
                    claim("overlap-magnitude", "share of the subnetwork in the other mask", magnitude)
                            .more(seeds, arm("smallest weights", "overlap")));
        }
    }

    private static Arm grpo(String number) {
        return new Arm("GRPO", number);
    }

    private static Arm sft(String number) {
        return new Arm("SFT", number);
    }

    private static List<Claim> bandit(Experiment e) {
        var s = new Setting(e, "", "On a bandit, ", ", rate " + MASK_RATE, "subnetwork");
        String stored = "weights unchanged in bfloat16 at a rate of ";
        String accuracy = "accuracy on fresh contexts";
        var claims = new ArrayList<Claim>();
        claims.add(s.claim("same-rate", stored + "1e-5", SAME_RATE)
                .more(grpo(unchanged(Algorithm.GRPO, MASK_RATE)), sft(unchanged(Algorithm.SFT, MASK_RATE))));
        claims.addAll(s.equalReward(SubnetworkSweep::atEqualReward));
        claims.add(
                s.claim("level", stored + "1e-4", LEVEL_KEPT).more(grpo(unchanged(Algorithm.GRPO, HIGH_RATE)), LEVEL));
        claims.add(s.claim(
                        "level-float32",
                        "weights unchanged in float32 at a rate of 1e-5",
                        "GRPO leaves at least 70 % of the weights within 1e-5 in float32 as well.")
                .more(grpo(SubnetworkSweep.unchanged(DType.FLOAT32, Algorithm.GRPO, MASK_RATE)), LEVEL));
        claims.add(near(s, "kl", "a KL penalty changes sparsity little.", Algorithm.GRPO_KL));
        claims.add(near(s, "clipping", "clipping of gradients changes sparsity little.", Algorithm.GRPO_UNCLIPPED));
        claims.add(s.rank(" at a rate of 1e-5"));
        claims.addAll(s.agreement());
        claims.add(s.claim(
                        "accuracy-full",
                        accuracy,
                        "the subnetwork alone is at most half a point less accurate than the full run.")
                .more(
                        s.alone("accuracy"),
                        new Arm("full run less half a point", "accuracy, full less half a point" + s.suffix)));
        claims.add(s.claim(
                        "accuracy-random",
                        accuracy,
                        "the subnetwork alone is more accurate than as many random weights.")
                .more(s.alone("accuracy"), s.arm("random mask", "accuracy")));
        claims.add(s.claim(
                        "accuracy-magnitude",
                        accuracy,
                        "the subnetwork alone is more accurate than as many of the smallest weights.")
                .more(s.alone("accuracy"), s.arm("smallest weights", "accuracy")));
        claims.addAll(s.overlap());
        claims.add(s.claim(
                        "overlap-algorithms",
                        "share of the subnetwork in SFT's",
                        "subnetworks of GRPO and SFT share more than by chance.")
                .more(s.arm("SFT", "overlap"), new Arm("chance", "chance, SFT" + s.suffix)));
        return claims;
    }

    private static String unchanged(Algorithm algorithm, double rate) {
        return SubnetworkSweep.unchanged(DType.BFLOAT16, algorithm, rate);
    }

    /// At most [#NEAR] away, whichever way.
    private static Claim near(Setting s, String name, String statement, Algorithm algorithm) {
        return s.claim(name, "difference of the weights unchanged in bfloat16 at a rate of 1e-5, in size", statement)
                .less(new Arm(algorithm.title() + " against GRPO", SubnetworkSweep.away(algorithm)), NEAR);
    }

    private static List<Claim> decoder(Experiment e) {
        var s = new Setting(e, "lm-", "On a language model, ", "", "subnetwork alone");
        String stored = "weights unchanged in bfloat16 at the rate of the masks";
        String reward = "mean reward on held-out questions";
        var claims = new ArrayList<Claim>();
        claims.add(s.claim("same-rate", stored, SAME_RATE).more(s.arm("GRPO", "unchanged"), s.arm("SFT", "unchanged")));
        claims.addAll(s.equalReward((arm, share) -> SubnetworkDecoder.equalReward("GRPO", arm.title(), share)));
        claims.add(s.claim(
                        "equal-reward-dpo",
                        "weights unchanged in bfloat16 at the least rate with the most reward that both gain",
                        "DPO leaves more weights unchanged than SFT where both have gained the same reward.")
                .more(
                        new Arm("DPO", SubnetworkDecoder.equalReward("DPO", "DPO", 1)),
                        sft(SubnetworkDecoder.equalReward("DPO", "SFT", 1))));
        claims.add(s.claim("level", stored, LEVEL_KEPT).more(s.arm("GRPO", "unchanged"), LEVEL));
        claims.add(s.rank(""));
        claims.addAll(s.agreement());
        claims.add(s.claim(
                        "reward-full",
                        reward,
                        "the subnetwork alone has at most one point less reward than the full run.")
                .more(s.alone("reward"), new Arm("full run less one point", "reward, full less one point")));
        claims.add(s.claim("reward-random", reward, "the subnetwork alone has more reward than as many random weights.")
                .more(s.alone("reward"), s.arm("random mask", "reward")));
        claims.add(s.claim(
                        "reward-magnitude",
                        reward,
                        "the subnetwork alone has more reward than as many of the smallest weights.")
                .more(s.alone("reward"), s.arm("smallest weights", "reward")));
        claims.addAll(s.overlap());
        return claims;
    }
}
