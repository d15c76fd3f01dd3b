package dev.kedge.reproduction.hypo;

import dev.kedge.nn.Parameters;
import dev.kedge.nn.optim.AdamW;
import dev.kedge.nn.optim.Descent;
import dev.kedge.objective.Loss;
import dev.kedge.objective.divergence.RegularizedOptimum;
import dev.kedge.objective.divergence.ReverseKl;
import dev.kedge.objective.preference.Dpo;
import dev.kedge.objective.preference.Hypo;
import dev.kedge.objective.preference.OnlineLogProbs;
import dev.kedge.objective.preference.PreferenceLogProbs;
import dev.kedge.reproduction.trial.CategoricalSampling;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Gradients;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Streams;
import dev.kedge.tensor.Tensor;
import java.util.Arrays;
import java.util.Map;
import java.util.SplittableRandom;

/// HyPO against DPO where the preference data leave half of the answers out (arXiv:2406.01462).
///
/// There are 60 answers with standard normal features φ of 12 dimensions. The reference gives the first 30, which the
/// data cover, 95 % of its mass, evenly, and the others 5 %. The true reward is `w·φ`, `w ~ N(0, I/4)`, less 1.5 for
/// the answers that the data do not cover. The data are 150 pairs of covered answers, labelled by Bradley-Terry. The
/// policy is `π ~ ref·exp(θ·φ)`: what it learns about covered answers moves the others too, which a free logit per
/// answer would not.
///
/// A seed fixes the problem, the pairs, and their order; only the online answers are the method's own. Training is
/// 3,000 steps of RMSprop (AdamW without momentum) in float64, both methods on 32 pairs a step, `beta` 0.1. Results
/// are exact.
public final class CoverageBandit {
    public static final int ANSWERS = 60;
    public static final int COVERED = 30;

    /// Online answers that HyPO draws a step.
    public static final int SAMPLES = 8;

    public static final int STEPS = 3000;

    private static final int FEATURES = 12;
    private static final double UNCOVERED_MASS = 0.05;
    private static final double UNCOVERED_PENALTY = 1.5;
    private static final double WEIGHT_SCALE = 0.5;
    private static final int PAIRS = 150;
    private static final int BATCH = 32;
    private static final double BETA = 0.1;
    private static final double LEARNING_RATE = 0.02;
    private static final Descent TRAINING = new Descent(
            STEPS, _ -> LEARNING_RATE, new AdamW.Config(0, 0.99, 1e-8, 0), Double.POSITIVE_INFINITY); // RMSprop

    private CoverageBandit() {}

    /// What a policy is worth.
    ///
    /// @param reward         expectation of the true reward
    /// @param kl             `KL(π||ref)`, nats
    /// @param uncoveredMass  probability of the answers that the data do not cover
    /// @param sampledAnswers how many answers training drew from the policy: its cost beside DPO's
    public record Result(double reward, double kl, double uncoveredMass, long sampledAnswers) {}

    /// The policy that DPO trains on the pairs.
    public static Result dpo(long seed) {
        return train(seed, 0, (lp, _) -> Dpo.dpo(lp, BETA, BATCH));
    }

    /// The policy that HyPO trains on the same pairs and on answers of its own, with the leave-one-out baseline.
    ///
    /// @param lambda weight of the online KL, finite and >= 0; 0 is DPO
    /// @throws IllegalArgumentException if lambda is out of range
    public static Result hypo(double lambda, long seed) {
        return train(
                seed,
                (long) SAMPLES * STEPS,
                (lp, policy) -> Hypo.leaveOneOut(lp, policy.online(), BETA, lambda, BATCH, SAMPLES));
    }

    /// The policy that maximises `E[reward] - strength·KL`: no other of its KL has a higher reward.
    ///
    /// @param strength finite and > 0
    /// @throws IllegalArgumentException if strength is out of range
    public static Result optimum(double strength, long seed) {
        Problem problem = Problem.of(seed);
        double[] p = RegularizedOptimum.optimalPolicy(new ReverseKl(), logRef(), problem.reward, strength);
        return result(Arrays.stream(p).map(Math::log).toArray(), problem, 0);
    }

    /// The reference itself.
    public static Result reference(long seed) {
        return result(logRef(), Problem.of(seed), 0);
    }

    /// A method's loss of one step.
    private interface Objective {
        Loss of(PreferenceLogProbs lp, BanditPolicy policy);
    }

    /// @param features [60][12]
    /// @param reward   the true reward of each answer
    /// @param chosen   answers that won, one per pair; `rejected` those that lost
    private record Problem(double[][] features, double[] reward, int[] chosen, int[] rejected) {
        static Problem of(long seed) {
            var random = new SplittableRandom(Streams.of(seed, "problem"));
            double[] weights = new double[FEATURES];
            Arrays.setAll(weights, _ -> WEIGHT_SCALE * random.nextGaussian());
            double[][] features = new double[ANSWERS][FEATURES];
            double[] reward = new double[ANSWERS];
            for (int y = 0; y < ANSWERS; y++) {
                Arrays.setAll(features[y], _ -> random.nextGaussian());
                reward[y] = y < COVERED ? 0 : -UNCOVERED_PENALTY;
                for (int d = 0; d < FEATURES; d++) {
                    reward[y] += weights[d] * features[y][d];
                }
            }
            int[] chosen = new int[PAIRS];
            int[] rejected = new int[PAIRS];
            for (int i = 0; i < PAIRS; i++) {
                int first = random.nextInt(COVERED);
                int second = (first + 1 + random.nextInt(COVERED - 1)) % COVERED;
                boolean firstWins = random.nextDouble() < 1 / (1 + Math.exp(reward[second] - reward[first]));
                chosen[i] = firstWins ? first : second;
                rejected[i] = firstWins ? second : first;
            }
            return new Problem(features, reward, chosen, rejected);
        }
    }

    /// The policy at one step, log-probabilities [60] each, and the source of its answers.
    private record BanditPolicy(Tensor logProbs, Tensor logRef, SplittableRandom random) {
        static BanditPolicy of(Tensor theta, Tensor features, Tensor logRef, SplittableRandom random) {
            Tensor logits = features.matmul(theta.unsqueeze(1)).squeeze(1).plus(logRef);
            return new BanditPolicy(logits.logSoftmax(0), logRef, random);
        }

        PreferenceLogProbs pairs(long[] chosen, long[] rejected) {
            Tensor w = Tensor.of(chosen, chosen.length);
            Tensor l = Tensor.of(rejected, rejected.length);
            return new PreferenceLogProbs(
                    logProbs.indexSelect(0, w),
                    logProbs.indexSelect(0, l),
                    logRef.indexSelect(0, w),
                    logRef.indexSelect(0, l));
        }

        OnlineLogProbs online() {
            double[] probabilities = logProbs.detach().exp().toDoubles();
            long[] drawn = new long[SAMPLES];
            Arrays.setAll(drawn, _ -> CategoricalSampling.draw(probabilities, random));
            Tensor index = Tensor.of(drawn, SAMPLES);
            return new OnlineLogProbs(
                    logProbs.indexSelect(0, index).unsqueeze(0),
                    logRef.indexSelect(0, index).unsqueeze(0));
        }
    }

    private static Result train(long seed, long sampledAnswers, Objective objective) {
        Problem problem = Problem.of(seed);
        SplittableRandom order = new SplittableRandom(Streams.of(seed, "order"));
        SplittableRandom answers = new SplittableRandom(Streams.of(seed, "answers"));
        try (var _ = new Scope();
                Parameters theta =
                        Parameters.zeros(Map.of("theta", new long[] {FEATURES}), DType.FLOAT64, Device.CPU)) {
            Tensor features = Tensor.of(problem.features);
            Tensor logRef = Tensor.of(logRef());
            TRAINING.run(theta, _ -> {
                int[] batch = order.ints(BATCH, 0, PAIRS).toArray();
                BanditPolicy policy = BanditPolicy.of(theta.get("theta"), features, logRef, answers);
                return objective
                        .of(policy.pairs(at(problem.chosen, batch), at(problem.rejected, batch)), policy)
                        .value();
            });
            try (var _ = Gradients.off()) {
                double[] logProbs = BanditPolicy.of(theta.get("theta"), features, logRef, answers)
                        .logProbs
                        .toDoubles();
                return result(logProbs, problem, sampledAnswers);
            }
        }
    }

    private static Result result(double[] logProbs, Problem problem, long sampledAnswers) {
        try (var _ = new Scope()) {
            Tensor logP = Tensor.of(logProbs);
            Tensor p = logP.exp();
            return new Result(
                    p.times(Tensor.of(problem.reward)).sum().item(),
                    new ReverseKl().categorical(logP, Tensor.of(logRef())).item(),
                    p.narrow(0, COVERED, ANSWERS - COVERED).sum().item(),
                    sampledAnswers);
        }
    }

    private static double[] logRef() {
        double[] logRef = new double[ANSWERS];
        Arrays.setAll(
                logRef,
                y -> Math.log(y < COVERED ? (1 - UNCOVERED_MASS) / COVERED : UNCOVERED_MASS / (ANSWERS - COVERED)));
        return logRef;
    }

    private static long[] at(int[] values, int[] index) {
        return Arrays.stream(index).mapToLong(i -> values[i]).toArray();
    }
}
