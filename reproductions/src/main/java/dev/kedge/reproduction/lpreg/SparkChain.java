package dev.kedge.reproduction.lpreg;

import dev.kedge.nn.Parameters;
import dev.kedge.nn.optim.Descent;
import dev.kedge.objective.policy.Aggregation;
import dev.kedge.objective.policy.Dapo;
import dev.kedge.objective.policy.Grpo;
import dev.kedge.objective.policy.LpReg;
import dev.kedge.objective.policy.Rollout;
import dev.kedge.reproduction.trial.CategoricalSampling;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Gradients;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Streams;
import dev.kedge.tensor.Tensor;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/// A chain of one or two tokens with a spark: an improbable token that leads on to something better, once what follows
/// it has been learnt (after arXiv:2510.03222).
///
/// The first token is plain, with probability 0.92, the spark, 0.04, or one of four noise tokens, 0.01 each. A plain
/// answer is right with probability 0.6, noise never. After the spark a second token decides: the good one, 0.1 at
/// first, is right with probability 0.95, the bad one with 0.1. So the spark is worth 0.185 at first, and 0.95 in the
/// end.
///
/// Policies are free logits in float64, moved by Adam; a draw serves one step and is 32 groups of 8 answers, with the
/// advantages of GRPO. A seed fixes what is drawn at random; all methods of one seed start alike.
public final class SparkChain {
    public static final int STEPS = 300;

    private static final int SPARK = 1;
    private static final double[] FIRST = {0.92, 0.04, 0.01, 0.01, 0.01, 0.01};
    private static final double[] SECOND = {0.1, 0.9};
    private static final double PLAIN_IS_RIGHT = 0.6;
    private static final double[] THEN_IS_RIGHT = {0.95, 0.1};
    private static final int GROUPS = 32;
    private static final int GROUP = 8;
    private static final double KAPPA = 0.02;

    private SparkChain() {}

    /// A way to learn.
    public sealed interface Method {
        /// GRPO over tokens, ratios clipped at 0.2.
        record Plain() implements Method {}

        /// The same with a bonus for the entropy of every token.
        ///
        /// @param weight >= 0
        record EntropyBonus(double weight) implements Method {}

        /// Lp-Reg with the authors' estimate, without a cap.
        ///
        /// @param fromStart whether the proxy is made of the start; else of the policy that drew
        /// @param share     of the tokens with a negative advantage
        /// @param beta      >= 0
        record LowProbability(boolean fromStart, double share, double beta) implements Method {}
    }

    /// The policy after some steps.
    ///
    /// @param spark    probability of the spark
    /// @param noise    of the noise tokens together
    /// @param accuracy of its answers
    public record Evaluation(double spark, double noise, double accuracy) {}

    /// What was drawn: tokens, `[B, 2]`, the second one counting after a spark.
    private record Answers(Tensor tokens, Tensor mask, Tensor advantages, long count) {}

    /// @param learningRate of Adam
    /// @return the policy after each step
    public static Evaluation[] learn(Method method, double learningRate, long seed) {
        SplittableRandom random = new SplittableRandom(Streams.of(seed, "answers"));
        Map<String, Tensor> start = new LinkedHashMap<>();
        Evaluation[] way = new Evaluation[STEPS];
        try (var _ = new Scope()) {
            start.put("first", Tensor.of(logs(FIRST)));
            start.put("second", Tensor.of(logs(SECOND)));
            try (Parameters policy = Parameters.copyOf(start, DType.FLOAT64, Device.CPU);
                    Parameters frozen = policy.copy()) {
                boolean fromStart = method instanceof Method.LowProbability(boolean yes, double _, double _) && yes;
                Descent.at(learningRate, STEPS)
                        .run(
                                policy,
                                _ -> loss(method, policy, fromStart ? frozen : policy, draw(policy, random)),
                                step -> way[step] = evaluate(policy));
            }
        }
        return way;
    }

    private static Tensor loss(Method method, Parameters policy, Parameters source, Answers answers) {
        Tensor logProbs = logProbs(policy, answers);
        Rollout rollout = new Rollout(logProbs, logProbs, answers.mask);
        return switch (method) {
            case Method.Plain() -> clipped(rollout, answers);
            case Method.EntropyBonus(double weight) -> {
                Tensor entropies =
                        Tensor.stack(List.of(entropy(policy.get("first")), entropy(policy.get("second"))), 0);
                Tensor bonus = Aggregation.perToken(
                        entropies.unsqueeze(0).expand(GROUPS * GROUP, 2), answers.mask, answers.count);
                yield clipped(rollout, answers).minus(bonus.times(weight));
            }
            case Method.LowProbability(boolean _, double share, double beta) -> {
                Tensor bad = answers.mask.and(answers.advantages.lt(0).unsqueeze(1));
                double threshold = LpReg.threshold(rollout.logProbs(), bad, share);
                var pull = new LpReg.Pull(proxy(source, answers), threshold, beta, Double.POSITIVE_INFINITY);
                yield LpReg.lpReg(rollout, answers.advantages, pull, 1, 9, answers.count)
                        .value();
            }
        };
    }

    private static Tensor clipped(Rollout rollout, Answers answers) {
        return Dapo.dapo(rollout, answers.advantages, 0.2, 0.2, answers.count).value();
    }

    private static Tensor logProbs(Parameters policy, Answers answers) {
        return at(policy.get("first").logSoftmax(0), policy.get("second").logSoftmax(0), answers);
    }

    private static Tensor proxy(Parameters source, Answers answers) {
        return at(filtered(source.get("first")), filtered(source.get("second")), answers);
    }

    private static Tensor filtered(Tensor logits) {
        return LpReg.proxy(logits.reshape(1, 1, logits.numel()), KAPPA).reshape(logits.numel());
    }

    private static Tensor at(Tensor first, Tensor second, Answers answers) {
        return Tensor.stack(
                List.of(
                        first.indexSelect(0, answers.tokens.select(1, 0)),
                        second.indexSelect(0, answers.tokens.select(1, 1))),
                1);
    }

    private static Tensor entropy(Tensor logits) {
        Tensor logP = logits.logSoftmax(0);
        return logP.exp().times(logP).sum().neg();
    }

    private static Answers draw(Parameters policy, SplittableRandom random) {
        double[] first = probabilities(policy.get("first"));
        double[] second = probabilities(policy.get("second"));
        int n = GROUPS * GROUP;
        long[] tokens = new long[2 * n];
        boolean[] counts = new boolean[2 * n];
        double[] rewards = new double[n];
        for (int i = 0; i < n; i++) {
            int token = CategoricalSampling.draw(first, random);
            int then = CategoricalSampling.draw(second, random);
            tokens[2 * i] = token;
            tokens[2 * i + 1] = then;
            counts[2 * i] = true;
            counts[2 * i + 1] = token == SPARK;
            rewards[i] = random.nextDouble() < right(token, THEN_IS_RIGHT[then]) ? 1 : 0;
        }
        int counted = 0;
        for (boolean c : counts) {
            counted += c ? 1 : 0;
        }
        return new Answers(
                Tensor.of(tokens, n, 2),
                Tensor.mask(counts, n, 2),
                Grpo.advantages(Tensor.of(rewards, GROUPS, GROUP)),
                counted);
    }

    private static double right(int first, double afterSpark) {
        return first == 0 ? PLAIN_IS_RIGHT : first == SPARK ? afterSpark : 0;
    }

    private static Evaluation evaluate(Parameters policy) {
        double[] first = probabilities(policy.get("first"));
        double[] second = probabilities(policy.get("second"));
        double afterSpark = second[0] * THEN_IS_RIGHT[0] + second[1] * THEN_IS_RIGHT[1];
        double accuracy = first[0] * PLAIN_IS_RIGHT + first[SPARK] * afterSpark;
        return new Evaluation(first[SPARK], 1 - first[0] - first[SPARK], accuracy);
    }

    private static double[] probabilities(Tensor logits) {
        try (var _ = new Scope();
                var _ = Gradients.off()) {
            return logits.softmax(0).toDoubles();
        }
    }

    private static double[] logs(double[] probabilities) {
        return Arrays.stream(probabilities).map(Math::log).toArray();
    }
}
