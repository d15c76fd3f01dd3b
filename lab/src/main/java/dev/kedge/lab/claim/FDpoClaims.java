package dev.kedge.lab.claim;

import dev.kedge.lab.Curve;
import dev.kedge.lab.Frontier;
import dev.kedge.lab.claim.Claim.Arm;
import dev.kedge.lab.claim.Claim.Direction;
import dev.kedge.lab.claim.Claim.Threshold;
import dev.kedge.lab.tabular.Bandit;
import dev.kedge.lab.tabular.Bandit.Standing;
import dev.kedge.lab.tabular.Calibration;
import dev.kedge.lab.tabular.Sweep;
import dev.kedge.lab.tabular.TabularPpo;
import dev.kedge.lab.tabular.TabularTraining;
import dev.kedge.objective.divergence.AlphaDivergence;
import dev.kedge.objective.divergence.BarrierDivergence;
import dev.kedge.objective.divergence.ForwardKl;
import dev.kedge.objective.divergence.JensenShannon;
import dev.kedge.objective.divergence.ReverseKl;
import dev.kedge.objective.preference.FDpo;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import org.apache.commons.math3.stat.correlation.KendallsCorrelation;

/// The claims of f-DPO (Wang et al. 2023, arXiv:2309.16240) on tasks whose optimum is known.
final class FDpoClaims {
    private FDpoClaims() {}

    private static final String ALL = "all divergences and strengths";
    private static final int BINS = 10;

    /// The strength at which the divergences are held side by side; the middle of the sweep.
    private static final double ONE_BETA = 0.5;

    /// How large the experiment is.
    record Scale(int contexts, int outcomes, int pairs, TabularTraining training, double[] betas) {
        static final Scale PUBLISHED = new Scale(
                4, 50, 8000, new TabularTraining(400, 0.1), new double[] {4, 2, 1, 0.5, 0.25, 0.125, 0.0625});
    }

    private enum Divergence {
        REVERSE_KL("reverse KL", new ReverseKl()),
        JENSEN_SHANNON("Jensen-Shannon", new JensenShannon()),
        ALPHA("alpha 0.5", new AlphaDivergence(0.5)),
        FORWARD_KL("forward KL", new ForwardKl());

        private final String title;
        private final BarrierDivergence divergence;

        Divergence(String title, BarrierDivergence divergence) {
            this.title = title;
            this.divergence = divergence;
        }

        Arm arm(String measure) {
            return new Arm(title, number(measure));
        }

        String number(String measure) {
            return measure + ", " + title;
        }
    }

    /// With PPO as a baseline, on the divergences that the paper compares so.
    private static final List<Divergence> WITH_PPO =
            List.of(Divergence.REVERSE_KL, Divergence.JENSEN_SHANNON, Divergence.FORWARD_KL);

    static List<Claim> claims() {
        return claims(Scale.PUBLISHED);
    }

    static List<Claim> claims(Scale scale) {
        var experiment = new Experiment("tabular-sweep", description(scale), 20, seed -> trial(scale, seed));
        var claims = new ArrayList<Claim>();
        claims.addAll(rewards(experiment));
        claims.addAll(diversity(experiment));
        WITH_PPO.forEach(d -> claims.add(efficiency(experiment, d)));
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
                        "entropy at equal reward",
                        "nats",
                        Divergence.FORWARD_KL.arm("entropy at equal reward"),
                        Direction.MORE,
                        Divergence.REVERSE_KL.arm("entropy at equal reward")),
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
                "efficiency-" + divergence.title.toLowerCase(Locale.ROOT).replace(' ', '-'),
                "Under " + divergence.title + ", f-DPO gets more out of the divergence that it spends than PPO with the "
                        + "same penalty.",
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

    private static String description(Scale s) {
        return ("A bandit with %d contexts of %d outcomes, a random reference (softmax of standard normal logits), "
                        + "standard normal rewards and %d pairs drawn from the reference with Bradley-Terry labels. "
                        + "Policies are tables of logits, trained from the reference by %d steps of AdamW on all "
                        + "pairs (learning rate %s, falling to 0) with f-DPO at beta %s, under reverse KL, "
                        + "Jensen-Shannon, alpha 0.5 and forward KL. PPO learns a table of rewards from the same "
                        + "pairs in as many steps, then takes as many on it, less the divergence, with 64 fresh "
                        + "outcomes a context every four steps. Reward, KL, entropy and the optimum are exact. Each "
                        + "sweep counts up to the strength with the most reward. Calibration error: of the likeliest "
                        + "outcome, where the truth is drawn from the reference, %d bins.")
                .formatted(
                        s.contexts,
                        s.outcomes,
                        s.pairs,
                        s.training.steps(),
                        s.training.learningRate(),
                        Arrays.toString(s.betas).replaceAll("[\\[\\]]", ""),
                        BINS);
    }

    private static Outcome trial(Scale scale, long seed) {
        var task = Bandit.random(scale.contexts, scale.outcomes, seed);
        var pairs = task.pairs(scale.pairs, seed);
        var sweeps = new ArrayList<Sweep>();
        var errors = new ArrayList<double[]>();
        for (var d : Divergence.values()) {
            var policies = Arrays.stream(scale.betas)
                    .mapToObj(beta -> scale.training.onPairs(
                            task, pairs, (lp, count) -> FDpo.fDpo(lp, d.divergence, beta, count)))
                    .toList();
            sweeps.add(new Sweep(
                    scale.betas, policies.stream().map(task::standing).toList()));
            errors.add(policies.stream()
                    .mapToDouble(p -> Calibration.error(task, p, BINS))
                    .toArray());
        }
        var learned = TabularPpo.reward(task, pairs, scale.training);
        var ppo = WITH_PPO.stream().map(d -> ppo(scale, task, learned, d, seed)).toList();
        var outcome = rewards(scale, Outcome.NOTHING, sweeps);
        outcome = diversity(outcome, sweeps);
        outcome = efficiency(outcome, sweeps, ppo);
        outcome = calibration(outcome, sweeps, errors);
        return pictures(outcome, task, sweeps, ppo, errors);
    }

    private static Sweep ppo(Scale scale, Bandit task, double[][] learned, Divergence d, long seed) {
        return new Sweep(
                scale.betas,
                Arrays.stream(scale.betas)
                        .mapToObj(beta ->
                                TabularPpo.train(task, learned, d.divergence, beta, seed, scale.training))
                        .map(task::standing)
                        .toList());
    }

    private static Outcome rewards(Scale scale, Outcome outcome, List<Sweep> sweeps) {
        int one = Arrays.binarySearch(Arrays.stream(scale.betas).map(b -> -b).toArray(), -ONE_BETA);
        for (var d : Divergence.values()) {
            var sweep = sweeps.get(d.ordinal());
            outcome = outcome.with(d.number("most reward"), sweep.best().reward())
                    .with(d.number("KL at beta 0.5"), sweep.standings().get(one).kl());
        }
        double alpha = outcome.number(Divergence.ALPHA.number("most reward"));
        double forward = outcome.number(Divergence.FORWARD_KL.number("most reward"));
        double reverse = outcome.number(Divergence.REVERSE_KL.number("most reward"));
        return outcome.with(
                "alpha inside",
                Math.min(alpha - Math.min(forward, reverse), Math.max(forward, reverse) - alpha));
    }

    private static Outcome diversity(Outcome outcome, List<Sweep> sweeps) {
        for (var d : Divergence.values()) {
            outcome = outcome.with(
                    d.number("entropy at the most reward"),
                    sweeps.get(d.ordinal()).best().entropy());
        }
        var forward = entropies(sweeps.get(Divergence.FORWARD_KL.ordinal()));
        var reverse = entropies(sweeps.get(Divergence.REVERSE_KL.ordinal()));
        var common = forward.common(reverse).orElseThrow();
        return outcome.with(Divergence.FORWARD_KL.number("entropy at equal reward"), forward.mean(common))
                .with(Divergence.REVERSE_KL.number("entropy at equal reward"), reverse.mean(common));
    }

    private static Curve entropies(Sweep sweep) {
        return sweep.useful().curve(Standing::reward, Standing::entropy);
    }

    private static Outcome efficiency(Outcome outcome, List<Sweep> sweeps, List<Sweep> ppo) {
        for (int i = 0; i < ppo.size(); i++) {
            var d = WITH_PPO.get(i);
            var direct = sweeps.get(d.ordinal()).useful().shortfall();
            var staged = ppo.get(i).useful().shortfall();
            var common = direct.common(staged).orElseThrow();
            outcome = outcome.with(d.number("shortfall of f-DPO"), direct.mean(common))
                    .with(d.number("shortfall of PPO"), staged.mean(common));
        }
        return outcome;
    }

    private static Outcome calibration(Outcome outcome, List<Sweep> sweeps, List<double[]> errors) {
        double[] kl = sweeps.stream()
                .flatMapToDouble(s -> s.standings().stream().mapToDouble(Standing::kl))
                .toArray();
        double[] error = errors.stream().flatMapToDouble(Arrays::stream).toArray();
        double largest = 0;
        for (int i = 0; i < kl.length; i++) {
            largest = Math.max(largest, error[i] / Math.sqrt(kl[i] / 2));
        }
        return outcome.with("calibration error over its bound", largest)
                .with(
                        "rank correlation of KL and calibration error",
                        new KendallsCorrelation().correlation(kl, error));
    }

    private static Outcome pictures(
            Outcome outcome, Bandit task, List<Sweep> sweeps, List<Sweep> ppo, List<double[]> errors) {
        var reward = new ArrayList<Frontier.Arm>();
        var entropy = new ArrayList<Frontier.Arm>();
        var staged = new ArrayList<Frontier.Arm>();
        var error = new ArrayList<Frontier.Arm>();
        for (var d : Divergence.values()) {
            var sweep = sweeps.get(d.ordinal());
            reward.add(sweep.arm(d.title, "β", Standing::kl, Standing::reward));
            entropy.add(sweep.useful().arm(d.title, "β", Standing::reward, Standing::entropy));
            error.add(arm(d.title, sweep, errors.get(d.ordinal())));
        }
        for (int i = 0; i < ppo.size(); i++) {
            var title = WITH_PPO.get(i).title;
            staged.add(sweeps.get(WITH_PPO.get(i).ordinal()).arm("f-DPO, " + title, "β", Standing::kl, Standing::reward));
            staged.add(ppo.get(i).arm("PPO, " + title, "β", Standing::kl, Standing::reward));
        }
        var kl = "KL from the reference (nats)";
        var expected = "expected reward";
        var optimum = task.frontier();
        return outcome.with(new Frontier("Four divergences, each swept over beta", kl, expected, reward, optimum))
                .with(new Frontier("Diversity, up to the most reward of each", expected, "entropy (nats)", entropy, List.of()))
                .with(new Frontier("f-DPO and PPO with the same penalty", kl, expected, staged, optimum))
                .with(new Frontier("Calibration", kl, "calibration error", error, List.of()));
    }

    private static Frontier.Arm arm(String title, Sweep sweep, double[] errors) {
        return new Frontier.Arm(
                title,
                IntStream.range(0, errors.length)
                        .mapToObj(i -> Frontier.Point.of(sweep.standings().get(i).kl(), errors[i]))
                        .toList());
    }
}
