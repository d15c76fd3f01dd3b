package dev.kedge.lab.compare;

import dev.kedge.config.ConfigException;
import dev.kedge.config.Names;
import dev.kedge.lab.compare.ComparedMethod.Aim;
import dev.kedge.lab.compare.ComparisonTask.Arena;
import dev.kedge.lab.tabular.TabularTraining;
import dev.kedge.objective.Loss;
import dev.kedge.objective.divergence.AlphaDivergence;
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
import dev.kedge.tensor.Creation;
import dev.kedge.tensor.Rng;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Streams;
import dev.kedge.tensor.Tensor;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/// The methods that can be compared: an explicit list.
public final class ComparedMethods {
    /// Labelled pairs that a method learns from; methods that draw their own get as many labels.
    public static final int PAIRS = 8000;

    /// The training that every method gets.
    public static final TabularTraining TRAINING = new TabularTraining(400, 0.1);

    private static final int STRENGTHS = 8;

    /// Where DPO is held least; what holds HyPO beyond it is the online KL.
    private static final double HYPO_BETA = 0.05;

    private static final int DRAWN = 64;

    /// Labels for a gradient of a method that draws what it learns from.
    private static final int FRESH = PAIRS / TRAINING.steps();

    /// The weight of XPO's claims that was chosen for reward less beta times the KL.
    private static final double XPO_ALPHA = 0.003;

    /// Steps of an iteration of INPO.
    private static final int ITERATION = 20;

    /// INPO's eta over its tau, the paper's ratio.
    private static final double INPO_ETA = 3;

    /// Nash-MD's share of the reference in the opponent, that of the language models of arXiv:2503.08942.
    private static final double NASH_MD_SHARE = 0.125;

    /// Why RRPO is not among the methods.
    public static final String NO_RRPO = "rrpo rewards the words in which two answers differ, and outcomes here are "
            + "whole, without words inside: `./kedge reproduce rrpo` measures it on sequences";

    private ComparedMethods() {}

    /// What methods are trained on and how, in words.
    public static String training(ComparisonTask task) {
        return task.description() + " Offline methods learn from the same " + PAIRS + " pairs, which the reference "
                + "drew, all of them at every step; methods that draw their own outcomes use as many labels, each for "
                + "one step or iteration. Policies are tables of logits, trained from the reference by "
                + TRAINING.steps() + " gradients of AdamW (learning rate " + TRAINING.learningRate()
                + ", falling to 0).";
    }

    /// All methods, in the order in which they are listed.
    public static List<ComparedMethod> all() {
        return List.of(
                method("dpo", Aim.REWARD, 4, 0.05).says("DPO: reverse KL").onPairs(Dpo::dpo),
                method("ipo", Aim.WIN_RATE, 1, 0.02)
                        .says("IPO: squared distance of the log-ratio margin from 1/(2β)")
                        .onPairs(Ipo::ipo),
                method("slic", Aim.REWARD, 4, 0.05)
                        .says("SLiC: hinge on the margin")
                        .onPairs(Slic::hinge),
                method("conservative-dpo", Aim.REWARD, 4, 0.05)
                        .says("DPO with labels smoothed by 0.1")
                        .onPairs((lp, beta, pairs) -> Dpo.conservative(lp, beta, 0.1, pairs)),
                method("robust-dpo", Aim.REWARD, 4, 0.05)
                        .says("DPO made unbiased for labels flipped with probability 0.1")
                        .onPairs((lp, beta, pairs) -> Dpo.robust(lp, beta, 0.1, pairs)),
                method("f-dpo-forward-kl", Aim.REWARD, 4, 0.05)
                        .says("f-DPO: forward KL")
                        .onPairs((lp, beta, pairs) -> FDpo.fDpo(lp, new ForwardKl(), beta, pairs)),
                method("f-dpo-js", Aim.REWARD, 4, 0.05)
                        .says("f-DPO: Jensen-Shannon")
                        .onPairs((lp, beta, pairs) -> FDpo.fDpo(lp, new JensenShannon(), beta, pairs)),
                method("f-dpo-alpha", Aim.REWARD, 4, 0.05)
                        .says("f-DPO: alpha divergence, alpha 0.5")
                        .onPairs((lp, beta, pairs) -> FDpo.fDpo(lp, new AlphaDivergence(0.5), beta, pairs)),
                method("adpo", Aim.RANKING, 4, 0.05)
                        .says("ADPO, Plackett-Luce: rankings of four outcomes, as many outcomes as in the pairs; "
                                + "β is 1/τ")
                        .trained(ComparedMethods::adpo),
                new ComparedMethod(
                        "hypo",
                        "HyPO: DPO at β 0.05, and λ times the KL of 64 outcomes a context that the policy draws",
                        "λ",
                        grid(1, 0.0005),
                        Aim.REWARD,
                        ComparedMethods::hypo),
                method("sft-on-chosen", Aim.REWARD, 1, 0.01)
                        .says("maximum likelihood of the chosen outcomes, and β times KL(π||ref)")
                        .trained(ComparedMethods::sftOnChosen),
                method("online-dpo", Aim.REWARD, 4, 0.05)
                        .says("online DPO: " + FRESH + " fresh pairs a step, both of the policy")
                        .online((arena, beta, seed) -> OnlineLosses.dpo(arena, beta, FRESH, seed)),
                method("xpo", Aim.REWARD, 4, 0.05)
                        .says("XPO at alpha " + XPO_ALPHA + ": " + FRESH
                                + " fresh pairs a step, one outcome of the policy and one of the reference")
                        .online((arena, beta, seed) -> OnlineLosses.xpo(arena, XPO_ALPHA, beta, FRESH, seed)),
                method("inpo", Aim.WIN_RATE, 1, 0.02)
                        .says("INPO at τ β and η 3β: " + TRAINING.steps() / ITERATION + " iterations of " + ITERATION
                                + " steps on " + ITERATION * FRESH + " pairs of the policy, fresh for each")
                        .online((arena, beta, seed) ->
                                OnlineLosses.inpo(arena, INPO_ETA * beta, beta, ITERATION, ITERATION * FRESH, seed)),
                method("egpo", Aim.WIN_RATE, 1, 0.02)
                        .says("EGPO: half as many steps of two gradients, " + FRESH / 2
                                + " fresh uniform pairs a gradient, two labels a pair against "
                                + "the policy of the half step")
                        .trained((arena, beta, seed) ->
                                TRAINING.extragradient(arena.logRef(), OnlineLosses.egpo(arena, beta, FRESH, seed))),
                method("online-ipo", Aim.WIN_RATE, 1, 0.02)
                        .says("online IPO: " + FRESH + " fresh pairs a step, both of the policy")
                        .online((arena, beta, seed) -> OnlineLosses.ipo(arena, beta, FRESH, seed)),
                method("nash-md", Aim.WIN_RATE, 1, 0.02)
                        .says("Nash-MD: " + FRESH / 2
                                + " fresh uniform pairs a step, two labels a pair against "
                                + "the policy mixed with a share of "
                                + NASH_MD_SHARE + " of the reference")
                        .online((arena, beta, seed) -> OnlineLosses.nashMd(arena, beta, NASH_MD_SHARE, FRESH, seed)));
    }

    /// The method of that name.
    ///
    /// @throws ConfigException naming the nearest, if there is none; for RRPO saying why
    public static ComparedMethod named(String name) {
        if (name.equals("rrpo")) {
            throw new ConfigException(NO_RRPO);
        }
        var names = all().stream().map(ComparedMethod::name).toList();
        return all().stream()
                .filter(m -> m.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new ConfigException("no method `" + name + "`" + Names.advice(name, names)));
    }

    private static Description method(String name, Aim aim, double high, double low) {
        return new Description(name, aim, grid(high, low), "");
    }

    /// A method before it is said how it is trained; its strength is called β.
    private record Description(String name, Aim aim, double[] strengths, String words) {
        Description says(String text) {
            return new Description(name, aim, strengths, text);
        }

        ComparedMethod trained(ComparedMethod.Training training) {
            return new ComparedMethod(name, words, "β", strengths, aim, training);
        }

        /// A preference loss on pairs drawn from the reference.
        ComparedMethod onPairs(Objective objective) {
            return trained((arena, strength, seed) -> TRAINING.onPairs(
                    arena.bandit(), arena.pairs(PAIRS, seed), (lp, pairs) -> objective.of(lp, strength, pairs)));
        }

        /// A loss on what the policy draws.
        ComparedMethod online(OnlineObjective objective) {
            return trained(
                    (arena, strength, seed) -> TRAINING.train(arena.logRef(), objective.of(arena, strength, seed)));
        }
    }

    @FunctionalInterface
    private interface Objective {
        Loss of(PreferenceLogProbs lp, double strength, long pairsInStep);
    }

    @FunctionalInterface
    private interface OnlineObjective {
        TabularTraining.Objective of(Arena arena, double strength, long seed);
    }

    private static double[][] adpo(Arena task, double beta, long seed) {
        var rankings = task.bandit().rankings(PAIRS / 2, 4, seed);
        Tensor index = Tensor.of(rankings.outcomes(), rankings.outcomes().length);
        Tensor ref = Tensor.of(task.logRef()).reshape(-1).indexSelect(0, index).reshape(-1, 4);
        Tensor places = Creation.arange(0, 4, ref.device()).neg().expand(rankings.count(), 4);
        return TRAINING.train(task.logRef(), (logProbs, _) -> {
            Tensor now = logProbs.reshape(-1).indexSelect(0, index).reshape(-1, 4);
            return Adpo.plackettLuce(AnchoredLogits.of(now, ref, 1 / beta), places, rankings.count())
                    .value();
        });
    }

    private static double[][] hypo(Arena task, double lambda, long seed) {
        var pairs = task.pairs(PAIRS, seed);
        try (var _ = new Scope();
                var rng = Rng.seeded(Streams.of(seed, "own outcomes"))) {
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

    private static double[][] sftOnChosen(Arena task, double beta, long seed) {
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
