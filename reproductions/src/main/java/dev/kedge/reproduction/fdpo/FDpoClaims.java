package dev.kedge.reproduction.fdpo;

import static dev.kedge.lab.claim.Measure.measure;

import dev.kedge.lab.claim.Claim;
import dev.kedge.lab.claim.Claim.Arm;
import dev.kedge.lab.claim.Experiment;
import dev.kedge.reproduction.fdpo.FDpoExperiment.Divergence;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// The claims of f-DPO (Wang et al. 2023, arXiv:2309.16240).
public final class FDpoClaims {
    private static final String BEYOND = "entropy beyond that of the exact reverse-KL optimum of equal reward";
    private static final String ALL = "all divergences and strengths";

    private FDpoClaims() {}

    public static List<Claim> claims() {
        return claims(FDpoExperiment.tabular(FDpoExperiment.Scale.PUBLISHED));
    }

    public static List<Claim> claims(Experiment experiment) {
        var claims = new ArrayList<Claim>();
        claims.addAll(rewards(experiment));
        claims.addAll(diversity(experiment));
        FDpoExperiment.WITH_PPO.forEach(d -> claims.add(efficiency(experiment, d)));
        claims.addAll(calibration(experiment));
        return claims;
    }

    private static List<Claim> rewards(Experiment experiment) {
        var most = measure(experiment, "most reward of the sweep", "");
        return List.of(
                most.claim("reward-reverse-kl")
                        .says("Reverse KL reaches more reward than forward KL.")
                        .more(Divergence.REVERSE_KL.arm("most reward"), Divergence.FORWARD_KL.arm("most reward")),
                most.claim("reward-jensen-shannon")
                        .says("Jensen-Shannon reaches more reward than forward KL.")
                        .more(Divergence.JENSEN_SHANNON.arm("most reward"), Divergence.FORWARD_KL.arm("most reward")),
                measure(experiment, most.name() + ", distance inside the other two", "")
                        .claim("reward-alpha-between")
                        .says("An alpha divergence reaches a reward between those of forward and reverse KL.")
                        .more(new Arm("alpha 0.5", "alpha inside"), 0));
    }

    private static List<Claim> diversity(Experiment experiment) {
        var beyond = measure(experiment, BEYOND, "nats");
        return List.of(
                measure(experiment, "entropy at the strength with the most reward", "nats")
                        .claim("diversity")
                        .says("Forward KL keeps more diversity than reverse KL.")
                        .more(
                                Divergence.FORWARD_KL.arm("entropy at the most reward"),
                                Divergence.REVERSE_KL.arm("entropy at the most reward")),
                beyond.claim("diversity-at-equal-reward")
                        .says("Forward KL keeps more diversity than reverse KL where both have the same reward.")
                        .more(
                                Divergence.FORWARD_KL.arm("entropy at equal reward"),
                                Divergence.REVERSE_KL.arm("entropy at equal reward")),
                beyond.claim("diversity-of-the-optimum")
                        .says("Forward KL keeps more diversity than reverse KL where both have the same reward and "
                                + "nothing but the divergence stands between a policy and its optimum.")
                        .more(new Arm("forward-KL optimum", "entropy at equal reward, exact optimum"), 0),
                measure(experiment, "KL from the reference at beta 0.5", "nats")
                        .claim("weakest-at-equal-beta")
                        .says("At one beta the divergences do not hold a policy alike: Jensen-Shannon holds it least.")
                        .more(
                                Divergence.JENSEN_SHANNON.arm("KL at beta 0.5"),
                                Divergence.REVERSE_KL.arm("KL at beta 0.5")));
    }

    private static Claim efficiency(Experiment experiment, Divergence divergence) {
        return measure(experiment, "reward missing from the best policy of equal KL", "")
                .claim("efficiency-"
                        + divergence.title().toLowerCase(Locale.ROOT).replace(' ', '-'))
                .says("Under " + divergence.title()
                        + ", f-DPO gets more out of the divergence that it spends than PPO does.")
                .less(
                        new Arm("f-DPO", divergence.number("shortfall of f-DPO")),
                        new Arm("PPO", divergence.number("shortfall of PPO")));
    }

    private static List<Claim> calibration(Experiment experiment) {
        return List.of(
                measure(experiment, "largest calibration error, as a share of √(KL/2)", "")
                        .claim("calibration-bound")
                        .says("The divergence from the reference bounds how far the calibration error moves from the "
                                + "reference's.")
                        .less(new Arm(ALL, "calibration error over its bound"), 1),
                measure(experiment, "Kendall's τ of KL and calibration error", "")
                        .claim("calibration-grows")
                        .says("The further a policy is from its reference, the worse it is calibrated.")
                        .more(new Arm(ALL, "rank correlation of KL and calibration error"), 0));
    }
}
