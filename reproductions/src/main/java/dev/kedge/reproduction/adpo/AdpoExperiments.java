package dev.kedge.reproduction.adpo;

import dev.kedge.lab.claim.Claim.Arm;
import dev.kedge.lab.claim.Experiment;
import dev.kedge.lab.claim.Outcome;
import dev.kedge.lab.plot.Quantity;
import dev.kedge.lab.tabular.Curve;
import dev.kedge.nn.optim.Descent;
import dev.kedge.objective.Loss;
import dev.kedge.objective.divergence.ReverseKl;
import dev.kedge.objective.preference.Adpo;
import dev.kedge.objective.preference.AdpoTargets;
import dev.kedge.objective.preference.AnchoredLogits;
import dev.kedge.reproduction.adpo.NoisyBandit.Corruption;
import dev.kedge.run.result.Frontier;
import dev.kedge.statistics.Estimate;
import dev.kedge.tensor.Creation;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Gradients;
import dev.kedge.tensor.Rng;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Streams;
import dev.kedge.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;

/// The bandits behind ADPO's claims: policies that learn from corrupted rewards of four actions.
public final class AdpoExperiments {
    private static final int TRAIN = 256;
    private static final int BATCH = 64;
    private static final int HIDDEN = 64;
    private static final double REWARD_TEMPERATURE = 0.5;
    private static final int PRETRAINING = 30;
    private static final double PRETRAINING_RATE = 1e-3;
    private static final double RATE = 5e-4;

    /// All of the sweep: the temperature of the anchored logits, 1/beta of DPO.
    static final double[] TAUS = {0.5, 1, 2, 4};

    /// At which most claims are read.
    static final double TAU = 2;

    private AdpoExperiments() {}

    /// How large the experiment is.
    ///
    /// @param steps of training
    /// @param fresh contexts to judge by
    public record Scale(int steps, int fresh) {
        static final Scale PUBLISHED = new Scale(400, 2000);
    }

    /// What is learnt from the four rewards of a context.
    enum Method {
        ONE_PAIR("DPO on one pair of each context"),
        ALL_PAIRS("DPO on all pairs"),
        SOFT_PAIRS("soft pairs"),
        LISTWISE("listwise ADPO"),
        UNANCHORED("listwise without anchor");

        final String title;

        Method(String title) {
            this.title = title;
        }

        /// The arm that reads the mass on the best action.
        Arm arm(String where, double tau) {
            return new Arm(title, number(where, tau));
        }

        String number(String where, double tau) {
            return title + ", " + where + ", tau " + Quantity.number(tau);
        }

        /// @param policy log-probabilities of the actions, `[S, 4]`; gradient flows
        Loss loss(Tensor policy, Sets sets) {
            Tensor anchor = this == UNANCHORED ? sets.ref.zerosLike() : sets.ref;
            var u = AnchoredLogits.of(policy, anchor, sets.tau);
            return switch (this) {
                case ONE_PAIR ->
                    Adpo.pairwise(
                            new AnchoredLogits(u.values().gather(1, sets.pairs)),
                            AdpoTargets.hardPreferences(sets.rewards.gather(1, sets.pairs)),
                            u.sets());
                case ALL_PAIRS -> Adpo.pairwise(u, AdpoTargets.hardPreferences(sets.rewards), u.sets());
                case SOFT_PAIRS -> Adpo.pairwise(u, AdpoTargets.softPreferences(sets.rewards, 1), u.sets());
                case LISTWISE, UNANCHORED ->
                    Adpo.listwise(u, AdpoTargets.groupRelative(sets.rewards, REWARD_TEMPERATURE), u.sets());
            };
        }
    }

    /// A batch of contexts under every corruption and at every tau: S sets.
    ///
    /// @param ref     log-probabilities of the reference, `[S, 4]`
    /// @param rewards as the learner sees them, `[S, 4]`
    /// @param pairs   int64 `[S, 2]`
    /// @param tau     `[S]`
    private record Sets(Tensor ref, Tensor rewards, Tensor pairs, Tensor tau) {}

    static final String MASS = "mass on the best action";

    static Experiment bandits(Scale s) {
        var description = "A contextual bandit a seed: contexts of 8 standard normal numbers, 4 actions, reward 2 "
                + "tanh(x·w). Its " + TRAIN + " training contexts are corrupted in one of four ways: noise of "
                + "deviation 1.5 and one reward in ten off by 10; contexts moved by 3; the sign of all rewards "
                + "wrong in 30 % of the contexts; Cauchy noise of scale 1. Policies are networks with " + HIDDEN
                + " hidden units, from a reference that had " + PRETRAINING + " steps towards the best action "
                + "in clean contexts; " + s.steps + " steps of AdamW (learning rate " + Quantity.number(RATE)
                + ", " + BATCH + " contexts each) at tau "
                + Arrays.stream(TAUS).mapToObj(Quantity::number).collect(Collectors.joining(", "))
                + ". Targets of listwise ADPO: softmax of z-scores at temperature " + REWARD_TEMPERATURE
                + ". Judged on " + s.fresh + " fresh clean contexts; KL is exact.";
        return new Experiment("noisy-bandits", description, 20, seed -> outcome(trial(s, seed)));
    }

    /// What the policies are worth in fresh contexts.
    ///
    /// @param mass    probability of the best action, [method][corruption][tau]
    /// @param kl      `KL(π||ref)`, nats, likewise
    /// @param refMass of the reference
    record Evaluation(double[][][] mass, double[][][] kl, double refMass) {}

    /// Over all corruptions.
    static final String ALL = "all corruptions";

    /// The mass at divergences that both methods reach, mean over corruptions: of `method`, where held against `other`.
    static Arm atEqualKl(Method method, Method other) {
        return new Arm(method.title, equalKl(method, other));
    }

    private static String equalKl(Method method, Method other) {
        return method.title + ", at the KL of " + other.title;
    }

    static final String GAIN = "listwise over one pair";

    private static Outcome outcome(Evaluation s) {
        var outcome = Outcome.NOTHING;
        for (var m : Method.values()) {
            for (int t = 0; t < TAUS.length; t++) {
                double sum = 0;
                for (var c : Corruption.values()) {
                    double mass = s.mass[m.ordinal()][c.ordinal()][t];
                    outcome = outcome.with(m.number(c.title, TAUS[t]), mass);
                    sum += mass;
                }
                outcome = outcome.with(m.number(ALL, TAUS[t]), sum / Corruption.values().length);
            }
        }
        for (var other : List.of(Method.ONE_PAIR, Method.ALL_PAIRS, Method.UNANCHORED)) {
            outcome = atEqualKl(outcome, s, other);
        }
        double listwise = outcome.number(Method.LISTWISE.number(ALL, TAU));
        double pair = outcome.number(Method.ONE_PAIR.number(ALL, TAU));
        return pictures(outcome.with(GAIN, listwise / pair - 1), s);
    }

    private static Outcome atEqualKl(Outcome outcome, Evaluation s, Method other) {
        double listwise = 0;
        double others = 0;
        for (var c : Corruption.values()) {
            var curve = curve(s, Method.LISTWISE, c);
            var against = curve(s, other, c);
            var common = Curve.common(List.of(curve, against)).orElseThrow();
            listwise += curve.mean(common) / Corruption.values().length;
            others += against.mean(common) / Corruption.values().length;
        }
        return outcome.with(equalKl(Method.LISTWISE, other), listwise).with(equalKl(other, Method.LISTWISE), others);
    }

    /// Mass over divergence, from the reference on.
    private static Curve curve(Evaluation s, Method m, Corruption c) {
        return Curve.of(
                withReference(0, s.kl[m.ordinal()][c.ordinal()]),
                withReference(s.refMass, s.mass[m.ordinal()][c.ordinal()]));
    }

    private static double[] withReference(double reference, double[] policies) {
        return DoubleStream.concat(DoubleStream.of(reference), Arrays.stream(policies))
                .toArray();
    }

    private static Outcome pictures(Outcome outcome, Evaluation s) {
        for (var c : Corruption.values()) {
            var arms = Arrays.stream(Method.values())
                    .map(m -> new Frontier.Arm(
                            m.title,
                            IntStream.range(0, TAUS.length)
                                    .mapToObj(t -> new Frontier.Point(
                                            s.kl[m.ordinal()][c.ordinal()][t],
                                            Estimate.of(s.mass[m.ordinal()][c.ordinal()][t]),
                                            "τ " + Quantity.number(TAUS[t])))
                                    .toList()))
                    .toList();
            var title = c.title.substring(0, 1).toUpperCase(Locale.ROOT) + c.title.substring(1);
            outcome = outcome.with(new Frontier(title, "KL from the reference (nats)", MASS, arms));
        }
        return outcome;
    }

    static Evaluation trial(Scale s, long seed) {
        try (var _ = new Scope();
                var rng = Rng.seeded(Streams.of(seed, "training"))) {
            var bandit = NoisyBandit.random(TRAIN, s.fresh, seed);
            try (var ref = reference(bandit, rng);
                    var policies = ref.repeated(Method.values().length * Corruption.values().length * TAUS.length)) {
                train(s, bandit, ref, policies, rng);
                return evaluate(bandit, ref, policies);
            }
        }
    }

    /// Maximum likelihood of the best action in the clean contexts, stopped early.
    private static MlpStack reference(NoisyBandit bandit, Rng rng) {
        var ref = MlpStack.random(NoisyBandit.INPUTS, HIDDEN, NoisyBandit.ACTIONS, rng);
        Descent.at(PRETRAINING_RATE, PRETRAINING).run(ref.parameters(), _ -> {
            Tensor logProbs = ref.logProbs(bandit.cleanContexts()).squeeze(0);
            return logProbs.gather(1, bandit.cleanBest().unsqueeze(1)).mean().neg();
        });
        return ref;
    }

    /// All policies at once, in the order method, corruption, tau.
    private static void train(Scale s, NoisyBandit bandit, MlpStack ref, MlpStack policies, Rng rng) {
        int methods = Method.values().length;
        long each = (long) Corruption.values().length * TAUS.length;
        var orders = IntStream.rangeClosed(0, (s.steps - 1) * BATCH / TRAIN)
                .mapToObj(_ -> rng.permutation(TRAIN))
                .toList();
        Descent.at(RATE, s.steps).run(policies.parameters(), step -> {
            Tensor batch = orders.get(step * BATCH / TRAIN).narrow(0, step * BATCH % TRAIN, BATCH);
            Tensor contexts = bandit.contexts().indexSelect(1, batch); // [C, B, 8]
            var sets = sets(bandit, ref, contexts, batch);
            Tensor x = atEveryTau(contexts).unsqueeze(0).expand(methods, each, BATCH, NoisyBandit.INPUTS);
            Tensor logProbs = policies.logProbs(x.reshape(methods * each, BATCH, NoisyBandit.INPUTS));
            Tensor loss = Creation.zeros(DType.FLOAT32, Device.CPU);
            for (var m : Method.values()) {
                Tensor own = logProbs.narrow(0, m.ordinal() * each, each).reshape(-1, NoisyBandit.ACTIONS);
                loss = loss.plus(m.loss(own, sets).value());
            }
            return loss;
        });
    }

    private static Sets sets(NoisyBandit bandit, MlpStack ref, Tensor contexts, Tensor batch) {
        long corruptions = contexts.size(0);
        Tensor pairs = bandit.pairs().indexSelect(0, batch).unsqueeze(0).expand(corruptions, BATCH, 2);
        Tensor tau = Tensor.of(TAUS).to(DType.FLOAT32).reshape(1, TAUS.length, 1);
        try (var _ = Gradients.off()) {
            return new Sets(
                    atEveryTau(ref.logProbs(contexts)).reshape(-1, NoisyBandit.ACTIONS),
                    atEveryTau(bandit.rewards().indexSelect(1, batch)).reshape(-1, NoisyBandit.ACTIONS),
                    atEveryTau(pairs).reshape(-1, 2),
                    tau.expand(corruptions, TAUS.length, BATCH).reshape(-1));
        }
    }

    /// `[C, B, n]` to `[C·T, B, n]`.
    private static Tensor atEveryTau(Tensor t) {
        return t.unsqueeze(1)
                .expand(t.size(0), TAUS.length, t.size(1), t.size(2))
                .reshape(t.size(0) * TAUS.length, t.size(1), t.size(2));
    }

    private static Evaluation evaluate(NoisyBandit bandit, MlpStack ref, MlpStack policies) {
        try (var _ = Gradients.off()) {
            Tensor logRef = ref.logProbs(bandit.freshContexts());
            Tensor logProbs = policies.logProbs(bandit.freshContexts());
            Tensor kl = new ReverseKl().categorical(logProbs, logRef.expand(logProbs.shape()));
            double refMass = mass(logRef, bandit.freshBest()).item();
            return new Evaluation(perMethod(mass(logProbs, bandit.freshBest())), perMethod(kl.mean(1)), refMass);
        }
    }

    /// Mean probability of the best action, `[N]`.
    private static Tensor mass(Tensor logProbs, Tensor best) {
        Tensor index = best.reshape(1, -1, 1).expand(logProbs.size(0), best.size(0), 1);
        return logProbs.gather(2, index).exp().squeeze(2).mean(1);
    }

    private static double[][][] perMethod(Tensor perPolicy) {
        double[] flat = perPolicy.to(DType.FLOAT64).toDoubles();
        int corruptions = Corruption.values().length;
        return IntStream.range(0, Method.values().length)
                .mapToObj(m -> IntStream.range(0, corruptions)
                        .map(c -> (m * corruptions + c) * TAUS.length)
                        .mapToObj(from -> Arrays.copyOfRange(flat, from, from + TAUS.length))
                        .toArray(double[][]::new))
                .toArray(double[][][]::new);
    }
}
