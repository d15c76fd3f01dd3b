package dev.kedge.recipe.variational;

import dev.kedge.nn.lm.Decoder;
import dev.kedge.recipe.variational.DpgConfig.Method;
import dev.kedge.recipe.variational.DpgTarget.Aim;
import dev.kedge.run.Checkpoint;
import dev.kedge.run.Remembered;
import dev.kedge.run.SavedCheckpoint;
import dev.kedge.task.EnumerableLanguage;
import dev.kedge.task.EnumerableLanguage.Reads;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Streams;
import dev.kedge.tensor.Tensor;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.TreeMap;

/// What policies are, over all texts: exact but for the count of different samples. It is part of a run's checkpoints.
final class DpgEvaluation implements Remembered {
    private static final String GROUP = "evaluations";

    /// What a policy is.
    ///
    /// @param reward     its mean, of the configuration's reward
    /// @param score      the mean of what the method's own target is made of
    /// @param entropy    nats
    /// @param klPrior    `KL(π||prior)`, nats
    /// @param klToTarget `KL(π||p)`, nats, infinite where the policy is and the target is not; `klFromTarget`
    ///                   `KL(p||π)`. Of a method without a target, those of the first posterior; else NaN
    /// @param distinct   share of different texts among samples
    record Result(
            double reward,
            double score,
            double entropy,
            double klPrior,
            double klToTarget,
            double klFromTarget,
            double distinct) {
        Map<String, Double> metrics() {
            Map<String, Double> metrics = new LinkedHashMap<>();
            metrics.put("reward", reward);
            metrics.put("score", score);
            metrics.put("entropy", entropy);
            metrics.put("kl/prior", klPrior);
            metrics.put("kl/to_target", klToTarget);
            metrics.put("kl/from_target", klFromTarget);
            metrics.put("distinct", distinct);
            metrics.values().removeIf(value -> !Double.isFinite(value));
            return metrics;
        }

        private Tensor toTensor() {
            return Tensor.of(reward, score, entropy, klPrior, klToTarget, klFromTarget, distinct);
        }

        private static Result of(Tensor t) {
            double[] v = t.toDoubles();
            return new Result(v[0], v[1], v[2], v[3], v[4], v[5], v[6]);
        }
    }

    private final DpgConfig config;
    private final EnumerableLanguage language;
    private final double[] reward;
    private final Map<DpgTarget, Aim> aims = new HashMap<>();
    private final Map<DpgTarget.Score, double[]> scores = new HashMap<>();
    private final Map<String, TreeMap<Integer, Result>> histories = new HashMap<>();

    DpgEvaluation(DpgConfig config, EnumerableLanguage language) {
        this.config = config;
        this.language = language;
        reward = scores.computeIfAbsent(config.reward(), this::table);
    }

    private double[] table(DpgTarget.Score score) {
        return EnumerableLanguage.table(language.config(), score::of);
    }

    /// The reward of each text.
    double[] reward() {
        return reward;
    }

    Aim aim(DpgTarget target) {
        return aims.computeIfAbsent(target, t -> t.aim(language, Streams.of(config.seed(), "samples of the prior")));
    }

    /// The posterior that others are held against: the first one, of policies that read this, of the reward that all
    /// are measured by.
    Optional<DpgTarget.Posterior> posterior(Reads reads) {
        return config.methods().stream()
                .filter(m -> m.reads() == reads)
                .map(Method::target)
                .filter(DpgTarget.Posterior.class::isInstance)
                .map(DpgTarget.Posterior.class::cast)
                .filter(p -> p.score().equals(config.reward()))
                .findFirst();
    }

    /// `log p` of a target over all texts.
    double[] logTarget(DpgTarget target) {
        return aim(target).logTarget();
    }

    /// Measures a method's policy, and remembers it.
    Map<String, Double> evaluate(Method method, Decoder policy, int step) {
        Result result = result(method, language.logProbs(policy, method.reads()));
        histories.computeIfAbsent(method.phase(), _ -> new TreeMap<>()).put(step, result);
        return result.metrics();
    }

    Result result(Method method, double[] logProbs) {
        double[] logTarget = aim(method.target()).isDistribution()
                ? logTarget(method.target())
                : posterior(method.reads()).map(this::logTarget).orElse(null);
        return new Result(
                mean(logProbs, reward),
                mean(logProbs, scores.computeIfAbsent(method.target().score(), this::table)),
                entropy(logProbs),
                kl(logProbs, language.logPrior()),
                logTarget == null ? Double.NaN : kl(logProbs, logTarget),
                logTarget == null ? Double.NaN : kl(logTarget, logProbs),
                distinct(logProbs) / (double) config.distinct());
    }

    static double mean(double[] logProbs, double[] values) {
        double sum = 0;
        for (int i = 0; i < logProbs.length; i++) {
            sum += Math.exp(logProbs[i]) * values[i];
        }
        return sum;
    }

    static double entropy(double[] logProbs) {
        return Arrays.stream(logProbs).map(l -> l > -700 ? -Math.exp(l) * l : 0).sum();
    }

    /// `KL(p||q)`, nats: infinite where q has no mass and p has.
    static double kl(double[] logP, double[] logQ) {
        double sum = 0;
        for (int i = 0; i < logP.length; i++) {
            double p = Math.exp(logP[i]);
            sum += p > 0 ? p * (logP[i] - logQ[i]) : 0;
        }
        return sum;
    }

    /// Different texts among samples; every policy gets the same random numbers.
    int distinct(double[] logProbs) {
        double[] upTo = new double[logProbs.length];
        double sum = 0;
        for (int i = 0; i < upTo.length; i++) {
            sum += Math.exp(logProbs[i]);
            upTo[i] = sum;
        }
        double total = sum;
        return (int) new SplittableRandom(Streams.of(config.seed(), "distinct texts"))
                .doubles(config.distinct())
                .map(u -> {
                    int at = Arrays.binarySearch(upTo, u * total);
                    return Math.min(at >= 0 ? at + 1 : -at - 1, upTo.length - 1);
                })
                .distinct()
                .count();
    }

    /// What a method's policies were, by steps done.
    TreeMap<Integer, Result> history(Method method) {
        return histories.get(method.phase());
    }

    @Override
    public void save(Checkpoint checkpoint) {
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        for (Method method : config.methods()) {
            histories
                    .getOrDefault(method.phase(), new TreeMap<>())
                    .forEach((step, result) -> tensors.put(method.phase() + "_" + step, result.toTensor()));
        }
        checkpoint.measured(GROUP, tensors);
    }

    /// Takes up what was measured before the run was stopped; nothing where no method had begun.
    @Override
    public void restore(SavedCheckpoint saved) {
        if (!saved.groups().contains(GROUP)) {
            return;
        }
        try (Scope _ = new Scope()) {
            saved.tensors(GROUP).forEach((name, tensor) -> {
                String[] parts = name.split("_");
                histories
                        .computeIfAbsent(parts[0], _ -> new TreeMap<>())
                        .put(Integer.parseInt(parts[1]), Result.of(tensor));
            });
        }
    }
}
