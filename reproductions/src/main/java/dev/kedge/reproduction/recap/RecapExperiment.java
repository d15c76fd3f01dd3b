package dev.kedge.reproduction.recap;

import dev.kedge.lab.claim.Claim.Arm;
import dev.kedge.lab.claim.Experiment;
import dev.kedge.lab.claim.Outcome;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.nn.optim.Descent;
import dev.kedge.objective.continual.Lwf;
import dev.kedge.objective.divergence.ForwardKl;
import dev.kedge.objective.logprob.NextTokens;
import dev.kedge.objective.supervised.Recap;
import dev.kedge.reproduction.trial.SkillsModel;
import dev.kedge.reproduction.trial.SkillsTask;
import dev.kedge.reproduction.trial.SkillsTask.Sequence;
import dev.kedge.run.result.Frontier;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Gradients;
import dev.kedge.tensor.Rng;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Streams;
import dev.kedge.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SplittableRandom;

/// The experiment behind RECAP's claims: a decoder that adds and knows facts learns to subtract, with and without
/// replay of what it knew.
public final class RecapExperiment {
    private static final int BATCH = 60;
    private static final double RATE = 3e-3;
    private static final int WINDOW = 10;
    private static final double GUARD = 1e-8;
    private static final double MAX_CONVERGENCE = 10;
    private static final double KL_WEIGHT = 0.5;
    private static final int EVERY = 50;
    private static final List<String> OBJECTIVES = List.of("differences", "sums", "facts");

    private RecapExperiment() {}

    /// How large the experiment is.
    ///
    /// @param pretraining steps
    /// @param steps       of learning to subtract
    /// @param fresh       problems of each kind to judge by
    public record Scale(int pretraining, int steps, int fresh) {
        static final Scale PUBLISHED = new Scale(1200, 200, 500);
    }

    /// What of an objective is followed.
    private enum Signal {
        LOSS,
        REWARD
    }

    public enum Method {
        NONE("no replay", Signal.LOSS, 0),
        KL("KL without replay", Signal.LOSS, 0),
        UNIFORM("uniform replay", Signal.LOSS, 0),
        LOSS_5("RECAP, T 5", Signal.LOSS, 5),
        LOSS_05("RECAP, T 0.5", Signal.LOSS, 0.5),
        REWARD_5("RECAP on rewards, T 5", Signal.REWARD, 5),
        REWARD_05("RECAP on rewards, T 0.5", Signal.REWARD, 0.5),
        RANDOM_05("weights of RECAP, T 0.5, given out at random", Signal.LOSS, 0.5);

        public final String title;
        private final Signal signal;
        private final double temperature;

        Method(String title, Signal signal, double temperature) {
            this.title = title;
            this.signal = signal;
            this.temperature = temperature;
        }

        private boolean replays() {
            return this != NONE && this != KL;
        }

        Arm arm(String measure) {
            return new Arm(title, number(measure));
        }

        public String number(String measure) {
            return measure + ", " + title;
        }
    }

    static final String LEARNT = "differences";
    static final String KEPT = "sums and facts";
    static final String ALL = "all three";

    public static Experiment experiment(Scale s) {
        var description = "A decoder of two layers and width " + SkillsModel.HIDDEN + " is pre-trained for "
                + s.pretraining + " steps on " + SkillsModel.SUMS + ", and on " + SkillsTask.OLD_FACTS
                + " facts. It then learns differences modulo 100 for " + s.steps + " steps of AdamW (learning "
                + "rate " + RATE + " falling to 0, " + BATCH + " examples each). With replay a third of the "
                + "examples are differences, a third sums, a third facts, each third an objective; windows of "
                + WINDOW + " steps. RECAP's signals are losses or, named so, probabilities of right answers; "
                + "one arm gives out the weights of RECAP at T 0.5 in random order. KL without replay holds "
                + "the policy to the base on differences, weight " + KL_WEIGHT + ". Judged on " + s.fresh
                + " fresh differences, as many sums, and the facts: an answer counts where all of its tokens "
                + "are the likeliest.";
        return new Experiment("replay", description, 8, seed -> outcome(trial(s, seed)));
    }

    /// Shares of right answers.
    public record Evaluation(double differences, double sums, double facts) {
        double kept() {
            return (sums + facts) / 2;
        }

        double all() {
            return (differences + sums + facts) / 3;
        }
    }

    /// @param way    what a method gives at the start and after every 50 steps
    /// @param spread standard deviation of its weights, over steps and objectives
    public record Learned(List<Evaluation> way, double spread) {}

    private static Outcome outcome(Map<Method, Learned> learned) {
        var outcome = Outcome.NOTHING;
        var arms = new ArrayList<Frontier.Arm>();
        for (var method : Method.values()) {
            var last = learned.get(method).way.getLast();
            outcome = outcome.with(method.number(LEARNT), last.differences)
                    .with(method.number(KEPT), last.kept())
                    .with(method.number(ALL), last.all());
            if (method.temperature > 0) {
                outcome = outcome.with(method.number("standard deviation of weights"), learned.get(method).spread);
            }
            arms.add(Frontier.Arm.of(method.title, learned.get(method).way, Evaluation::differences, Evaluation::kept));
        }
        return outcome.with(new Frontier(
                "What is learnt, and what is kept on the way", "right differences", "right sums and facts", arms));
    }

    public static Map<Method, Learned> trial(Scale s, long seed) {
        var random = new SplittableRandom(Streams.of(seed, "examples"));
        var task = new SkillsTask(random);
        try (var rng = Rng.seeded(Streams.of(seed, "weights"));
                var base = SkillsModel.pretrained(task, s.pretraining, rng, random);
                var _ = new Scope()) {
            var fresh = List.of(
                    Rows.of(SkillsModel.drawn(s.fresh, () -> SkillsTask.difference(random))),
                    Rows.of(SkillsModel.drawn(s.fresh, () -> SkillsTask.easySum(random))),
                    Rows.of(task.oldFacts()));
            long batches = Streams.of(seed, "batches"); // the same for all methods
            var learned = new EnumMap<Method, Learned>(Method.class);
            for (var method : Method.values()) {
                try (var policy = base.copy()) {
                    learned.put(method, train(method, policy, base, task, s.steps, batches, fresh));
                }
            }
            return learned;
        }
    }

    private record Rows(Tensor tokens, Tensor labels) {
        static Rows of(List<Sequence> sequences) {
            return new Rows(SkillsTask.tokens(sequences), SkillsTask.labels(sequences));
        }
    }

    /// Differences, then sums and facts where they are replayed.
    private static List<Sequence> batch(Method method, SkillsTask task, SplittableRandom random) {
        int third = BATCH / OBJECTIVES.size();
        var batch = new ArrayList<>(
                SkillsModel.drawn(method.replays() ? third : BATCH, () -> SkillsTask.difference(random)));
        if (method.replays()) {
            batch.addAll(SkillsModel.drawn(third, () -> SkillsTask.easySum(random)));
            batch.addAll(SkillsModel.drawn(third, () -> SkillsModel.oldFact(task, random)));
        }
        return batch;
    }

    private static Learned train(
            Method method, Decoder policy, Decoder base, SkillsTask task, int steps, long seed, List<Rows> fresh) {
        var random = new SplittableRandom(Streams.of(seed, "examples"));
        var way = new ArrayList<>(List.of(evaluate(policy, fresh)));
        var weights = new Weights(method, new Random(Streams.of(seed, "order of weights")));
        Descent.falling(RATE, steps)
                .run(
                        policy.parameters(),
                        _ -> {
                            Rows rows = Rows.of(batch(method, task, random));
                            var next = SkillsModel.next(policy, rows.tokens, rows.labels);
                            Tensor losses = losses(next, method.replays() ? OBJECTIVES.size() : 1);
                            Tensor loss = Recap.recap(losses, weights.next(next, losses))
                                    .value();
                            return method == Method.KL ? loss.plus(anchor(next, base, rows)) : loss;
                        },
                        step -> {
                            if ((step + 1) % EVERY == 0 || step + 1 == steps) {
                                way.add(evaluate(policy, fresh));
                            }
                        });
        return new Learned(way, Math.sqrt(weights.squares / steps));
    }

    /// What a method weighs its objectives with, step after step.
    private static final class Weights {
        private final Method method;
        private final Random order;
        private Map<String, List<Double>> history = Map.of();
        private double squares; // of their distances from 1, means over objectives

        Weights(Method method, Random order) {
            this.method = method;
            this.order = order;
        }

        double[] next(NextTokens next, Tensor losses) {
            double[] weights = new double[(int) losses.size(0)];
            Arrays.fill(weights, 1);
            if (method.temperature > 0) {
                var rule = new Recap.Rule(WINDOW, method.temperature, GUARD, MAX_CONVERGENCE);
                var decision = rule.after(history, signals(method.signal, next, losses));
                history = decision.history();
                weights = given(method, new ArrayList<>(decision.weights().values()), order);
            }
            squares += Arrays.stream(weights).map(w -> (w - 1) * (w - 1)).sum() / weights.length;
            return weights;
        }
    }

    /// In the objectives' order, or in any.
    private static double[] given(Method method, List<Double> weights, Random order) {
        if (method == Method.RANDOM_05) {
            Collections.shuffle(weights, order);
        }
        return weights.stream().mapToDouble(Double::doubleValue).toArray();
    }

    /// The mean loss a token of each objective, `[K]`: as many rows belong to one as to another.
    private static Tensor losses(NextTokens next, int objectives) {
        Tensor counted = next.ofTargets().whereElse(next.mask(), 0);
        Tensor sums = counted.reshape(objectives, -1).sum(1);
        Tensor counts = next.mask().to(sums.dtype()).reshape(objectives, -1).sum(1);
        return sums.div(counts).neg();
    }

    private static LinkedHashMap<String, Double> signals(Signal signal, NextTokens next, Tensor losses) {
        try (var _ = Gradients.off()) {
            Tensor values =
                    switch (signal) {
                        case LOSS -> losses.detach();
                        case REWARD ->
                            next.ofTargets()
                                    .whereElse(next.mask(), 0)
                                    .sum(1)
                                    .exp()
                                    .reshape(losses.size(0), -1)
                                    .mean(1);
                    };
            double[] numbers = values.to(DType.FLOAT64).toDoubles();
            var signals = new LinkedHashMap<String, Double>();
            for (int k = 0; k < numbers.length; k++) {
                signals.put(OBJECTIVES.get(k), numbers[k]);
            }
            return signals;
        }
    }

    private static Tensor anchor(NextTokens next, Decoder base, Rows rows) {
        Tensor logRef;
        try (var _ = Gradients.off()) {
            logRef = SkillsModel.next(base, rows.tokens, rows.labels).logProbs();
        }
        Tensor kl = new ForwardKl().categorical(next.logProbs(), logRef);
        return Lwf.lwf(kl, next.mask(), KL_WEIGHT, SkillsModel.count(next)).value();
    }

    private static Evaluation evaluate(Decoder policy, List<Rows> fresh) {
        double[] right = fresh.stream()
                .mapToDouble(rows -> SkillsModel.right(policy, rows.tokens, rows.labels))
                .toArray();
        return new Evaluation(right[0], right[1], right[2]);
    }
}
