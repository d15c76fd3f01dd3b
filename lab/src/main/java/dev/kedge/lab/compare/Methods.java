package dev.kedge.lab.compare;

import dev.kedge.lab.tabular.Bandit;
import dev.kedge.lab.tabular.TabularTraining;
import dev.kedge.objective.Loss;
import dev.kedge.objective.divergence.AlphaDivergence;
import dev.kedge.objective.divergence.BarrierDivergence;
import dev.kedge.objective.divergence.ForwardKl;
import dev.kedge.objective.divergence.JensenShannon;
import dev.kedge.objective.divergence.ReverseKl;
import dev.kedge.objective.preference.Adpo;
import dev.kedge.objective.preference.AnchoredLogits;
import dev.kedge.objective.preference.Dpo;
import dev.kedge.objective.preference.FDpo;
import dev.kedge.objective.preference.Hypo;
import dev.kedge.objective.preference.Ipo;
import dev.kedge.objective.preference.OnlineLogProbs;
import dev.kedge.objective.preference.PreferenceLogProbs;
import dev.kedge.objective.preference.Slic;
import dev.kedge.recipe.run.ConfigException;
import dev.kedge.recipe.run.Names;
import dev.kedge.tensor.Rng;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/// The methods that can be compared: an explicit list.
public final class Methods {
    /// Pairs that a method learns from.
    public static final int PAIRS = 8000;

    /// The training that every method gets.
    public static final TabularTraining TRAINING = new TabularTraining(400, 0.1);

    private static final int STRENGTHS = 8;

    /// Where DPO is held least; what holds HyPO beyond it is the online KL.
    private static final double HYPO_BETA = 0.05;

    private static final int DRAWN = 64;

    private Methods() {}

    /// All methods, in the order in which they are listed.
    public static List<Method> all() {
        return List.of(
                onPairs("dpo", "DPO: reverse KL", grid(4, 0.05), Dpo::dpo),
                onPairs("ipo", "IPO: squared distance of the log-ratio margin from 1/(2β)", grid(1, 0.02), Ipo::ipo),
                onPairs("slic", "SLiC: hinge on the margin", grid(4, 0.05), Slic::hinge),
                onPairs(
                        "conservative-dpo",
                        "DPO with labels smoothed by 0.1",
                        grid(4, 0.05),
                        (lp, beta, pairs) -> Dpo.conservative(lp, beta, 0.1, pairs)),
                onPairs(
                        "robust-dpo",
                        "DPO made unbiased for labels flipped with probability 0.1",
                        grid(4, 0.05),
                        (lp, beta, pairs) -> Dpo.robust(lp, beta, 0.1, pairs)),
                fDpo("f-dpo-forward-kl", "f-DPO: forward KL", new ForwardKl()),
                fDpo("f-dpo-js", "f-DPO: Jensen-Shannon", new JensenShannon()),
                fDpo("f-dpo-alpha", "f-DPO: alpha divergence, alpha 0.5", new AlphaDivergence(0.5)),
                new Method(
                        "adpo",
                        "ADPO, Plackett-Luce: rankings of four outcomes, as many outcomes as in the pairs; β is 1/τ",
                        "β",
                        grid(4, 0.05),
                        Methods::adpo),
                new Method(
                        "hypo",
                        "HyPO: DPO at β 0.05, and λ times the KL of 64 outcomes a context that the policy draws",
                        "λ",
                        grid(1, 0.0005),
                        Methods::hypo),
                new Method(
                        "sft-on-chosen",
                        "maximum likelihood of the chosen outcomes, and β times KL(π||ref)",
                        "β",
                        grid(1, 0.01),
                        Methods::sftOnChosen));
    }

    /// The method of that name.
    ///
    /// @throws ConfigException naming the nearest, if there is none
    public static Method named(String name) {
        var names = all().stream().map(Method::name).toList();
        return all().stream()
                .filter(m -> m.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new ConfigException("no method `" + name + "`" + Names.advice(name, names)));
    }

    @FunctionalInterface
    private interface Objective {
        Loss of(PreferenceLogProbs lp, double strength, long pairsInStep);
    }

    /// A preference loss on pairs drawn from the reference.
    private static Method onPairs(String name, String description, double[] strengths, Objective objective) {
        return new Method(
                name,
                description,
                "β",
                strengths,
                (task, strength, seed) -> TRAINING.onPairs(
                        task, task.pairs(PAIRS, seed), (lp, pairs) -> objective.of(lp, strength, pairs)));
    }

    private static Method fDpo(String name, String description, BarrierDivergence divergence) {
        return onPairs(name, description, grid(4, 0.05), (lp, beta, pairs) -> FDpo.fDpo(lp, divergence, beta, pairs));
    }

    private static double[][] adpo(Bandit task, double beta, long seed) {
        var rankings = task.rankings(PAIRS / 2, 4, seed);
        Tensor index = Tensor.of(rankings.outcomes(), rankings.outcomes().length);
        Tensor ref = Tensor.of(task.logRef()).reshape(-1).indexSelect(0, index).reshape(-1, 4);
        Tensor places = Tensor.arange(0, 4, ref.device()).neg().expand(rankings.count(), 4);
        return TRAINING.train(task.logRef(), (logProbs, _) -> {
            Tensor now = logProbs.reshape(-1).indexSelect(0, index).reshape(-1, 4);
            return Adpo.plackettLuce(AnchoredLogits.of(now, ref, 1 / beta), places, rankings.count())
                    .value();
        });
    }

    private static double[][] hypo(Bandit task, double lambda, long seed) {
        var pairs = task.pairs(PAIRS, seed);
        try (var _ = new Scope();
                var rng = Rng.seeded(seed)) {
            Tensor ref = Tensor.of(task.logRef());
            Tensor chosen = Tensor.of(pairs.chosen(), pairs.count());
            Tensor rejected = Tensor.of(pairs.rejected(), pairs.count());
            return TRAINING.train(task.logRef(), (logProbs, _) -> {
                var lp = new PreferenceLogProbs(
                        logProbs.reshape(-1).indexSelect(0, chosen),
                        logProbs.reshape(-1).indexSelect(0, rejected),
                        ref.reshape(-1).indexSelect(0, chosen),
                        ref.reshape(-1).indexSelect(0, rejected));
                Tensor rows = logProbs.detach().exp().unsqueeze(1).expand(task.contexts(), DRAWN, task.outcomes());
                Tensor drawn = rng.categorical(rows.reshape((long) task.contexts() * DRAWN, task.outcomes()))
                        .reshape(task.contexts(), DRAWN);
                var online = new OnlineLogProbs(logProbs.gather(1, drawn), ref.gather(1, drawn));
                return Hypo.leaveOneOut(lp, online, HYPO_BETA, lambda, pairs.count(), online.samples())
                        .value();
            });
        }
    }

    private static double[][] sftOnChosen(Bandit task, double beta, long seed) {
        var pairs = task.pairs(PAIRS, seed);
        return TRAINING.train(task.logRef(), (logProbs, _) -> {
            Tensor chosen = logProbs.reshape(-1).indexSelect(0, Tensor.of(pairs.chosen(), pairs.count()));
            Tensor kl = new ReverseKl()
                    .categorical(logProbs, Tensor.of(task.logRef()))
                    .mean();
            return kl.times(beta).minus(chosen.mean());
        });
    }

    /// Strengths evenly spaced on a logarithmic scale, from `high` to `low`, two digits each.
    private static double[] grid(double high, double low) {
        return IntStream.range(0, STRENGTHS)
                .mapToDouble(i -> high * Math.pow(low / high, (double) i / (STRENGTHS - 1)))
                .map(s -> Double.parseDouble(String.format(Locale.ROOT, "%.1e", s)))
                .toArray();
    }
}
