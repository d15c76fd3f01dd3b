package dev.kedge.reproduction.fdpo;

import dev.kedge.lab.claim.Claim.Arm;
import dev.kedge.lab.claim.Experiment;
import dev.kedge.lab.claim.Outcome;
import dev.kedge.lab.plot.Quantity;
import dev.kedge.lab.tabular.Bandit;
import dev.kedge.lab.tabular.Bandit.Evaluation;
import dev.kedge.lab.tabular.ConfidenceCalibration;
import dev.kedge.lab.tabular.Curve;
import dev.kedge.lab.tabular.Sweep;
import dev.kedge.lab.tabular.TabularPpo;
import dev.kedge.lab.tabular.TabularTraining;
import dev.kedge.objective.divergence.AlphaDivergence;
import dev.kedge.objective.divergence.BarrierDivergence;
import dev.kedge.objective.divergence.ForwardKl;
import dev.kedge.objective.divergence.JensenShannon;
import dev.kedge.objective.divergence.ReverseKl;
import dev.kedge.objective.preference.FDpo;
import dev.kedge.run.result.Frontier;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.hipparchus.stat.correlation.KendallsCorrelation;

/// The experiment behind f-DPO's claims, on tasks whose optimum is known.
public final class FDpoExperiment {
    private static final int BINS = 10;

    /// The strength at which the divergences are held side by side; the middle of the sweep.
    private static final double ONE_BETA = 0.5;

    private FDpoExperiment() {}

    /// How large the experiment is. PPO has larger strengths as well, so that both reach the same divergences.
    ///
    /// @param betas    of f-DPO, halved each time; [#ONE_BETA] is among them
    /// @param ppoBetas likewise
    public record Scale(
            int contexts, int outcomes, int pairs, TabularTraining training, double[] betas, double[] ppoBetas) {
        static final Scale PUBLISHED =
                new Scale(4, 50, 8000, new TabularTraining(400, 0.1), halvings(8, 8), halvings(32, 10));
    }

    public static double[] halvings(double from, int count) {
        return IntStream.range(0, count).mapToDouble(i -> from / (1 << i)).toArray();
    }

    enum Divergence {
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

        String title() {
            return title;
        }

        Arm arm(String measure) {
            return new Arm(title, number(measure));
        }

        String number(String measure) {
            return measure + ", " + title;
        }
    }

    /// Those that are held against PPO as well.
    static final List<Divergence> WITH_PPO =
            List.of(Divergence.REVERSE_KL, Divergence.JENSEN_SHANNON, Divergence.FORWARD_KL);

    /// The experiment at a scale.
    public static Experiment tabular(Scale scale) {
        return new Experiment("tabular-sweep", description(scale), 20, seed -> trial(scale, seed));
    }

    private static String description(Scale s) {
        return "A bandit with " + s.contexts + " contexts of " + s.outcomes + " outcomes, a random "
                + "reference (softmax of standard normal logits), standard normal rewards and " + s.pairs
                + " pairs drawn from the reference with Bradley-Terry labels. Policies are tables of logits, "
                + "trained from the reference by " + s.training.steps() + " steps of AdamW on all pairs "
                + "(learning rate " + s.training.learningRate() + ", falling to 0) with f-DPO at beta "
                + words(s.betas) + ", under reverse KL, Jensen-Shannon, alpha 0.5 and forward KL. PPO learns a "
                + "table of rewards from the same pairs in as many steps, then takes as many on it, less beta "
                + "times the divergence, beta " + words(s.ppoBetas) + ", with 64 fresh outcomes a context "
                + "every four steps. Reward, KL, entropy and the optimum are exact. Sweeps are compared along "
                + "their frontiers of reward and KL. Calibration error: of the likeliest outcome, where the "
                + "truth is drawn from the reference, " + BINS + " bins.";
    }

    private static String words(double[] betas) {
        return Arrays.stream(betas).mapToObj(Quantity::number).collect(Collectors.joining(", "));
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
            sweeps.add(
                    new Sweep(scale.betas, policies.stream().map(task::evaluate).toList()));
            errors.add(policies.stream()
                    .mapToDouble(p -> ConfidenceCalibration.error(task, p, BINS))
                    .toArray());
        }
        var learned = TabularPpo.reward(task, pairs, scale.training);
        var ppo = WITH_PPO.stream().map(d -> ppo(scale, task, learned, d, seed)).toList();
        var outcome = rewards(scale, Outcome.NOTHING, sweeps);
        outcome = diversity(outcome, task, sweeps);
        outcome = efficiency(outcome, sweeps, ppo);
        outcome = calibration(outcome, sweeps, errors);
        return pictures(outcome, task, sweeps, ppo, errors);
    }

    private static Sweep ppo(Scale scale, Bandit task, double[][] learned, Divergence d, long seed) {
        return new Sweep(
                scale.ppoBetas,
                Arrays.stream(scale.ppoBetas)
                        .mapToObj(beta -> TabularPpo.train(task, learned, d.divergence, beta, seed, scale.training))
                        .map(task::evaluate)
                        .toList());
    }

    private static Outcome rewards(Scale scale, Outcome outcome, List<Sweep> sweeps) {
        int one = Arrays.binarySearch(Arrays.stream(scale.betas).map(b -> -b).toArray(), -ONE_BETA);
        for (var d : Divergence.values()) {
            var sweep = sweeps.get(d.ordinal());
            outcome = outcome.with(d.number("most reward"), sweep.best().reward())
                    .with(
                            d.number("KL at beta 0.5"),
                            sweep.evaluations().get(one).kl());
        }
        double alpha = outcome.number(Divergence.ALPHA.number("most reward"));
        double forward = outcome.number(Divergence.FORWARD_KL.number("most reward"));
        double reverse = outcome.number(Divergence.REVERSE_KL.number("most reward"));
        return outcome.with(
                "alpha inside", Math.min(alpha - Math.min(forward, reverse), Math.max(forward, reverse) - alpha));
    }

    private static Outcome diversity(Outcome outcome, Bandit task, List<Sweep> sweeps) {
        for (var d : Divergence.values()) {
            outcome = outcome.with(
                    d.number("entropy at the most reward"),
                    sweeps.get(d.ordinal()).best().entropy());
        }
        var optimum = exact(task, new ReverseKl(), 4, -3).curve(Evaluation::reward, Evaluation::entropy);
        var forward = beyond(optimum, sweeps.get(Divergence.FORWARD_KL.ordinal()));
        var reverse = beyond(optimum, sweeps.get(Divergence.REVERSE_KL.ordinal()));
        var common = common(forward, reverse);
        return outcome.with(Divergence.FORWARD_KL.number("entropy at equal reward"), forward.mean(common))
                .with(Divergence.REVERSE_KL.number("entropy at equal reward"), reverse.mean(common))
                .with(
                        "entropy at equal reward, exact optimum",
                        beyond(optimum, exact(task, new ForwardKl(), 3, -2)).mean(common));
    }

    /// Relative to the optimum's the entropy is nearly straight between the strengths of a sweep.
    private static Curve beyond(Curve optimum, Sweep sweep) {
        return sweep.frontier().curve(Evaluation::reward, s -> s.entropy() - optimum.at(s.reward()));
    }

    /// The optima at sixteen strengths a power of ten, from one next to the reference to one next to the best outcomes.
    private static Sweep exact(Bandit task, BarrierDivergence divergence, int strongest, int weakest) {
        double[] betas = IntStream.rangeClosed(0, 16 * (strongest - weakest))
                .mapToDouble(i -> Math.pow(10, strongest - i / 16.0))
                .toArray();
        var evaluations = Arrays.stream(betas)
                .mapToObj(beta -> task.evaluate(task.optimum(divergence, beta)))
                .toList();
        return new Sweep(betas, evaluations);
    }

    private static Outcome efficiency(Outcome outcome, List<Sweep> sweeps, List<Sweep> ppo) {
        for (int i = 0; i < ppo.size(); i++) {
            var d = WITH_PPO.get(i);
            var direct = sweeps.get(d.ordinal()).frontier().shortfall();
            var staged = ppo.get(i).frontier().shortfall();
            var common = common(direct, staged);
            outcome = outcome.with(d.number("shortfall of f-DPO"), direct.mean(common))
                    .with(d.number("shortfall of PPO"), staged.mean(common));
        }
        return outcome;
    }

    private static Curve.Range common(Curve a, Curve b) {
        return Curve.common(List.of(a, b))
                .orElseThrow(() -> new IllegalStateException("two sweeps have nothing in common to compare them at"));
    }

    private static Outcome calibration(Outcome outcome, List<Sweep> sweeps, List<double[]> errors) {
        double[] kl = sweeps.stream()
                .flatMapToDouble(s -> s.evaluations().stream().mapToDouble(Evaluation::kl))
                .toArray();
        double[] error = errors.stream().flatMapToDouble(Arrays::stream).toArray();
        double largest = 0;
        for (int i = 0; i < kl.length; i++) {
            largest = Math.max(largest, error[i] / Math.sqrt(kl[i] / 2));
        }
        return outcome.with("calibration error over its bound", largest)
                .with("rank correlation of KL and calibration error", new KendallsCorrelation().correlation(kl, error));
    }

    private static Outcome pictures(
            Outcome outcome, Bandit task, List<Sweep> sweeps, List<Sweep> ppo, List<double[]> errors) {
        var reward = new ArrayList<Frontier.Arm>();
        var entropy = new ArrayList<Frontier.Arm>();
        var staged = new ArrayList<Frontier.Arm>();
        var error = new ArrayList<Frontier.Arm>();
        for (var d : Divergence.values()) {
            var sweep = sweeps.get(d.ordinal());
            reward.add(sweep.arm(d.title, "β", Evaluation::kl, Evaluation::reward));
            entropy.add(sweep.arm(d.title, "β", Evaluation::kl, Evaluation::entropy));
            error.add(arm(d.title, sweep, errors.get(d.ordinal())));
        }
        for (int i = 0; i < ppo.size(); i++) {
            var title = WITH_PPO.get(i).title;
            staged.add(sweeps.get(WITH_PPO.get(i).ordinal())
                    .arm("f-DPO, " + title, "β", Evaluation::kl, Evaluation::reward));
            staged.add(ppo.get(i).arm("PPO, " + title, "β", Evaluation::kl, Evaluation::reward));
        }
        var kl = "KL from the reference (nats)";
        var expected = "expected reward";
        var optimum = task.frontier();
        return outcome.with(new Frontier("Four divergences, each swept over beta", kl, expected, reward, optimum))
                .with(new Frontier("Diversity", kl, "entropy (nats)", entropy))
                .with(new Frontier("f-DPO and PPO with the same penalty", kl, expected, staged, optimum))
                .with(new Frontier("Calibration", kl, "calibration error", error));
    }

    private static Frontier.Arm arm(String title, Sweep sweep, double[] errors) {
        double[] kl = sweep.evaluations().stream().mapToDouble(Evaluation::kl).toArray();
        return Frontier.Arm.of(title, kl, errors);
    }
}
