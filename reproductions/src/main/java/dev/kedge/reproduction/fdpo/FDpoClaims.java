package dev.kedge.reproduction.fdpo;

import dev.kedge.lab.claim.Claim;
import dev.kedge.lab.claim.Claim.Arm;
import dev.kedge.lab.claim.Claim.Direction;
import dev.kedge.lab.claim.Claim.Threshold;
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
        var measure = "most reward of the sweep";
        return List.of(
                claim(
                        experiment,
                        "reward-reverse-kl",
                        "Reverse KL reaches more reward than forward KL.",
                        measure,
                        "",
                        Divergence.REVERSE_KL.arm("most reward"),
                        Direction.MORE,
                        Divergence.FORWARD_KL.arm("most reward")),
                claim(
                        experiment,
                        "reward-jensen-shannon",
                        "Jensen-Shannon reaches more reward than forward KL.",
                        measure,
                        "",
                        Divergence.JENSEN_SHANNON.arm("most reward"),
                        Direction.MORE,
                        Divergence.FORWARD_KL.arm("most reward")),
                claim(
                        experiment,
                        "reward-alpha-between",
                        "An alpha divergence reaches a reward between those of forward and reverse KL.",
                        measure + ", distance inside the other two",
                        "",
                        new Arm("alpha 0.5", "alpha inside"),
                        Direction.MORE,
                        new Threshold(0)));
    }

    private static List<Claim> diversity(Experiment experiment) {
        return List.of(
                claim(
                        experiment,
                        "diversity",
                        "Forward KL keeps more diversity than reverse KL.",
                        "entropy at the strength with the most reward",
                        "nats",
                        Divergence.FORWARD_KL.arm("entropy at the most reward"),
                        Direction.MORE,
                        Divergence.REVERSE_KL.arm("entropy at the most reward")),
                claim(
                        experiment,
                        "diversity-at-equal-reward",
                        "Forward KL keeps more diversity than reverse KL where both have the same reward.",
                        BEYOND,
                        "nats",
                        Divergence.FORWARD_KL.arm("entropy at equal reward"),
                        Direction.MORE,
                        Divergence.REVERSE_KL.arm("entropy at equal reward")),
                claim(
                        experiment,
                        "diversity-of-the-optimum",
                        "Forward KL keeps more diversity than reverse KL where both have the same reward and nothing "
                                + "but the divergence stands between a policy and its optimum.",
                        BEYOND,
                        "nats",
                        new Arm("forward-KL optimum", "entropy at equal reward, exact optimum"),
                        Direction.MORE,
                        new Threshold(0)),
                claim(
                        experiment,
                        "weakest-at-equal-beta",
                        "At one beta the divergences do not hold a policy alike: Jensen-Shannon holds it least.",
                        "KL from the reference at beta 0.5",
                        "nats",
                        Divergence.JENSEN_SHANNON.arm("KL at beta 0.5"),
                        Direction.MORE,
                        Divergence.REVERSE_KL.arm("KL at beta 0.5")));
    }

    private static Claim efficiency(Experiment experiment, Divergence divergence) {
        return claim(
                experiment,
                "efficiency-" + divergence.title().toLowerCase(Locale.ROOT).replace(' ', '-'),
                "Under " + divergence.title() + ", f-DPO gets more out of the divergence that it spends than PPO does.",
                "reward missing from the best policy of equal KL",
                "",
                new Arm("f-DPO", divergence.number("shortfall of f-DPO")),
                Direction.LESS,
                new Arm("PPO", divergence.number("shortfall of PPO")));
    }

    private static List<Claim> calibration(Experiment experiment) {
        return List.of(
                claim(
                        experiment,
                        "calibration-bound",
                        "The divergence from the reference bounds how far the calibration error moves from the "
                                + "reference's.",
                        "largest calibration error, as a share of √(KL/2)",
                        "",
                        new Arm(ALL, "calibration error over its bound"),
                        Direction.LESS,
                        new Threshold(1)),
                claim(
                        experiment,
                        "calibration-grows",
                        "The further a policy is from its reference, the worse it is calibrated.",
                        "Kendall's τ of KL and calibration error",
                        "",
                        new Arm(ALL, "rank correlation of KL and calibration error"),
                        Direction.MORE,
                        new Threshold(0)));
    }

    private static Claim claim(
            Experiment experiment,
            String name,
            String statement,
            String measure,
            String unit,
            Arm method,
            Direction direction,
            Claim.Against against) {
        return new Claim("f-dpo", name, statement, experiment, measure, unit, method, direction, against, 0);
    }
}
