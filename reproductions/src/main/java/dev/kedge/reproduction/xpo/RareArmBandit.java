package dev.kedge.reproduction.xpo;

import dev.kedge.nn.Parameters;
import dev.kedge.nn.optim.Descent;
import dev.kedge.objective.Loss;
import dev.kedge.objective.divergence.RegularizedOptimum;
import dev.kedge.objective.divergence.ReverseKl;
import dev.kedge.objective.preference.Dpo;
import dev.kedge.objective.preference.PreferenceLogProbs;
import dev.kedge.objective.preference.Xpo;
import dev.kedge.reproduction.trial.CategoricalSampling;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Elementwise;
import dev.kedge.tensor.Gradients;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Streams;
import dev.kedge.tensor.Tensor;
import java.util.Arrays;
import java.util.Map;
import java.util.SplittableRandom;

/// XPO against online DPO where the reference almost never shows the good answer (arXiv:2405.21046).
///
/// Of ten arms nine have rewards uniform in [0, 0.5] and the last has reward 3, but the reference pulls it once in 900
/// times, the others equally. In each of 200 rounds the policy and the reference pull an arm each, Bradley-Terry says
/// which is preferred, and the policy is fitted anew, from the reference, to all pairs so far: 60 steps of Adam at 0.2
/// on free logits in float64, `beta` 0.5.
///
/// XPO's loss has no minimum over all policies. Here `|beta·log π/ref|` is clamped at 4, in what goes into the
/// objective, and the steps are few. A clamped arm has no gradient: a policy fitted on from the round before would stay
/// where it once went, and one fitted from the reference depends on the pairs alone.
///
/// A seed fixes the rewards and what is drawn at random for the policy, for the reference and for the labels; methods
/// of one seed have the same reference arms. Rewards are those of the policies, in expectation.
public final class RareArmBandit {
    public static final int ARMS = 10;
    public static final int ROUNDS = 200;

    private static final int RARE = ARMS - 1;
    private static final double RARE_REWARD = 3;
    private static final double COMMON_REWARD = 0.5;
    private static final double RARE_ODDS = 0.01;
    private static final double BETA = 0.5;
    private static final double BOUND = 4;
    private static final int ADAM_STEPS = 60;
    private static final double LEARNING_RATE = 0.2;

    private RareArmBandit() {}

    /// How a method fared over the rounds.
    ///
    /// @param firstPull             first round, from 1, in which the policy pulled the rare arm; else ROUNDS + 1
    /// @param distinctArms          how many arms the policy pulled
    /// @param meanReward            expected reward of the policies that pulled, averaged over rounds
    /// @param meanRegularizedReward `J = E[reward] - beta·KL(π||ref)`, likewise
    /// @param lastReward            expected reward of the policy after the last round
    /// @param lastRegularizedReward J of the policy after the last round
    public record Result(
            int firstPull,
            int distinctArms,
            double meanReward,
            double meanRegularizedReward,
            double lastReward,
            double lastRegularizedReward) {
        /// Whether the policy pulled the rare arm at all.
        public boolean foundRareArm() {
            return firstPull <= ROUNDS;
        }
    }

    /// Without exploration.
    public static Result onlineDpo(long seed) {
        return play(seed, (lp, _) -> Dpo.dpo(lp, BETA, lp.pairs()));
    }

    /// With XPO's bonus.
    ///
    /// @param alpha its weight, finite and >= 0; 0 is online DPO
    /// @throws IllegalArgumentException if alpha is out of range
    public static Result xpo(double alpha, long seed) {
        return play(seed, (lp, policySampleIsChosen) -> Xpo.xpo(lp, policySampleIsChosen, alpha, BETA, lp.pairs()));
    }

    /// The highest J that a policy can have: `beta·log Σ ref·exp(reward/beta)`.
    public static double optimum(long seed) {
        double[] reward = reward(new SplittableRandom(Streams.of(seed, "rewards")));
        double[] p = RegularizedOptimum.optimalPolicy(new ReverseKl(), logRef(), reward, BETA);
        return Worth.of(Arrays.stream(p).map(Math::log).toArray(), reward).regularized;
    }

    /// A method's loss of all pairs so far.
    private interface Objective {
        Loss of(PreferenceLogProbs lp, Tensor policySampleIsChosen);
    }

    /// What the rounds have brought: arms of the policy and of the reference, and which was preferred.
    private record History(long[] policyArms, long[] refArms, boolean[] policyArmWon) {
        History upTo(int rounds) {
            return new History(
                    Arrays.copyOf(policyArms, rounds),
                    Arrays.copyOf(refArms, rounds),
                    Arrays.copyOf(policyArmWon, rounds));
        }
    }

    private record Worth(double reward, double regularized) {
        static Worth of(double[] logProbs, double[] reward) {
            double[] logRef = logRef();
            double expected = 0;
            double kl = 0;
            for (int arm = 0; arm < ARMS; arm++) {
                double p = Math.exp(logProbs[arm]);
                expected += p * reward[arm];
                kl += p == 0 ? 0 : p * (logProbs[arm] - logRef[arm]);
            }
            return new Worth(expected, expected - BETA * kl);
        }
    }

    private static Result play(long seed, Objective objective) {
        double[] reward = reward(new SplittableRandom(Streams.of(seed, "rewards")));
        SplittableRandom ofPolicy = new SplittableRandom(Streams.of(seed, "pulls of the policy"));
        SplittableRandom ofRef = new SplittableRandom(Streams.of(seed, "pulls of the reference"));
        SplittableRandom ofLabels = new SplittableRandom(Streams.of(seed, "labels"));
        double[] ref = probabilities(logRef());
        double[] logProbs = logRef();
        History history = new History(new long[ROUNDS], new long[ROUNDS], new boolean[ROUNDS]);
        Worth[] worth = new Worth[ROUNDS];
        for (int round = 0; round < ROUNDS; round++) {
            worth[round] = Worth.of(logProbs, reward);
            int arm = CategoricalSampling.draw(probabilities(logProbs), ofPolicy);
            int refArm = CategoricalSampling.draw(ref, ofRef);
            history.policyArms[round] = arm;
            history.refArms[round] = refArm;
            history.policyArmWon[round] = ofLabels.nextDouble() < 1 / (1 + Math.exp(reward[refArm] - reward[arm]));
            logProbs = fit(history.upTo(round + 1), objective);
        }
        return result(history.policyArms, worth, Worth.of(logProbs, reward));
    }

    private static Result result(long[] pulled, Worth[] worth, Worth last) {
        int before = 0;
        while (before < ROUNDS && pulled[before] != RARE) {
            before++;
        }
        return new Result(
                before + 1,
                (int) Arrays.stream(pulled).distinct().count(),
                Arrays.stream(worth).mapToDouble(Worth::reward).average().orElseThrow(),
                Arrays.stream(worth).mapToDouble(Worth::regularized).average().orElseThrow(),
                last.reward,
                last.regularized);
    }

    /// Log-probabilities of the policy fitted to all pairs.
    private static double[] fit(History history, Objective objective) {
        try (var _ = new Scope();
                Parameters policy =
                        Parameters.copyOf(Map.of("logits", Tensor.of(logRef())), DType.FLOAT64, Device.CPU)) {
            int rounds = history.policyArms.length;
            Tensor logRef = Tensor.of(logRef());
            Tensor policyArmWon = Tensor.mask(history.policyArmWon, rounds);
            Tensor policyArms = Tensor.of(history.policyArms, rounds);
            Tensor refArms = Tensor.of(history.refArms, rounds);
            Tensor chosen = policyArms.whereElse(policyArmWon, refArms);
            Tensor rejected = refArms.whereElse(policyArmWon, policyArms);
            Tensor refChosen = logRef.indexSelect(0, chosen);
            Tensor refRejected = logRef.indexSelect(0, rejected);
            Descent.at(LEARNING_RATE, ADAM_STEPS).run(policy, _ -> {
                Tensor logRatio = policy.get("logits").logSoftmax(0).minus(logRef);
                Tensor bounded =
                        Elementwise.clamp(logRatio, -BOUND / BETA, BOUND / BETA).plus(logRef);
                var lp = new PreferenceLogProbs(
                        bounded.indexSelect(0, chosen), bounded.indexSelect(0, rejected), refChosen, refRejected);
                return objective.of(lp, policyArmWon).value();
            });
            try (var _ = Gradients.off()) {
                return policy.get("logits").logSoftmax(0).toDoubles();
            }
        }
    }

    private static double[] reward(SplittableRandom random) {
        double[] reward = new double[ARMS];
        Arrays.setAll(reward, arm -> arm == RARE ? RARE_REWARD : COMMON_REWARD * random.nextDouble());
        return reward;
    }

    private static double[] logRef() {
        double[] logRef = new double[ARMS];
        double mass = ARMS - 1 + RARE_ODDS;
        Arrays.setAll(logRef, arm -> Math.log((arm == RARE ? RARE_ODDS : 1) / mass));
        return logRef;
    }

    private static double[] probabilities(double[] logProbs) {
        return Arrays.stream(logProbs).map(Math::exp).toArray();
    }
}
