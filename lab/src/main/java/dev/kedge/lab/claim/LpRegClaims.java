package dev.kedge.lab.claim;

import dev.kedge.data.task.ScratchSum;
import dev.kedge.lab.claim.Claim.Arm;
import dev.kedge.lab.claim.Claim.Direction;
import dev.kedge.nn.optim.Schedule;
import dev.kedge.recipe.EpochBatches;
import dev.kedge.recipe.Optimisation;
import dev.kedge.recipe.RlvrRecipe;
import dev.kedge.recipe.World;
import dev.kedge.recipe.rlvr.DapoMethod;
import dev.kedge.recipe.rlvr.GrpoMethod;
import dev.kedge.recipe.rlvr.LpRegMethod;
import dev.kedge.recipe.rlvr.LpRegMethod.Pull;
import dev.kedge.recipe.rlvr.LpRegMethod.Source;
import dev.kedge.recipe.rlvr.Method;
import dev.kedge.recipe.rlvr.Truncated;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/// The claims of Lp-Reg (arXiv:2510.03222): on the [SparkChain], and on sums that need scratch work, on policy and off.
final class LpRegClaims {
    private static final String GRPO = "GRPO";
    private static final String CLIP_HIGHER = "clip-higher";
    private static final String BONUS = "entropy bonus";
    private static final String PAPERS = "Lp-Reg";
    private static final String TO_THE_START = "Lp-Reg, proxy of the start";

    private static final double CHAIN_RATE = 0.1;
    private static final double CHAIN_BONUS = 0.1;
    private static final double RATE = 1e-3;
    private static final double SHARE = 0.1;
    private static final double BETA = 1;
    private static final double BETA_TO_THE_START = 0.1;
    private static final int OFF_POLICY = 4;

    private LpRegClaims() {}

    /// How large the experiments are.
    ///
    /// @param pretraining steps that the start is made in
    /// @param steps       of reinforcement learning
    record Scale(int pretraining, int steps) {
        static final Scale PUBLISHED = new Scale(300, 100);
    }

    static List<Claim> claims() {
        return claims(Scale.PUBLISHED);
    }

    static List<Claim> claims(Scale scale) {
        var chain = new Experiment("spark-chain", chainDescription(), 20, LpRegClaims::chain);
        var onPolicy = new Experiment(
                "scratch-sums-on-policy", description(scale, 1), 6, seed -> sums(scale, 1, seed));
        var offPolicy = new Experiment(
                "scratch-sums-off-policy", description(scale, OFF_POLICY), 6, seed -> sums(scale, OFF_POLICY, seed));
        return List.of(
                spark("spark-kept", PAPERS, chain),
                spark("spark-kept-by-the-start", TO_THE_START, chain),
                claim(
                        "noise-below-the-bonus",
                        "Protecting plausible rare tokens leaves less noise than an entropy bonus does.",
                        chain,
                        "probability of noise after 50 steps",
                        "%",
                        "noise",
                        TO_THE_START,
                        Direction.LESS,
                        BONUS),
                claim(
                        "accuracy-above-the-bonus",
                        "An entropy bonus does worse than protecting plausible rare tokens.",
                        chain,
                        "accuracy after 300 steps",
                        "%",
                        "accuracy",
                        TO_THE_START,
                        Direction.MORE,
                        BONUS),
                entropy("entropy-on-policy", "On policy, entropy collapses less than GRPO's.", onPolicy, PAPERS, GRPO),
                reward("reward-on-policy", "On policy, accuracy is above GRPO's.", onPolicy, PAPERS, GRPO),
                entropy(
                        "entropy-on-policy-start",
                        "With a proxy of the start, entropy on policy collapses less than GRPO's.",
                        onPolicy,
                        TO_THE_START,
                        GRPO),
                reward(
                        "reward-on-policy-start",
                        "With a proxy of the start, accuracy on policy is above GRPO's.",
                        onPolicy,
                        TO_THE_START,
                        GRPO),
                solved("solved-on-policy-start", onPolicy, GRPO),
                entropy(
                        "entropy-off-policy",
                        "Off policy, entropy collapses less than with a higher clip.",
                        offPolicy,
                        PAPERS,
                        CLIP_HIGHER),
                reward(
                        "reward-off-policy",
                        "Off policy, accuracy is above that of a higher clip.",
                        offPolicy,
                        PAPERS,
                        CLIP_HIGHER),
                entropy(
                        "entropy-off-policy-start",
                        "With a proxy of the start, entropy off policy collapses less than with a higher clip.",
                        offPolicy,
                        TO_THE_START,
                        CLIP_HIGHER),
                reward(
                        "reward-off-policy-start",
                        "With a proxy of the start, accuracy off policy is above that of a higher clip.",
                        offPolicy,
                        TO_THE_START,
                        CLIP_HIGHER));
    }

    private static Claim spark(String name, String method, Experiment chain) {
        return claim(
                name,
                "An improbable token that pays later is kept where GRPO pushes it out"
                        + (method.equals(PAPERS) ? "." : ", with a proxy of the start."),
                chain,
                "probability of the spark after 50 steps",
                "%",
                "spark",
                method,
                Direction.MORE,
                GRPO);
    }

    private static Claim entropy(String name, String statement, Experiment experiment, String method, String against) {
        return claim(
                name,
                statement,
                experiment,
                "entropy of a token over the last tenth of the steps",
                "nats",
                "entropy",
                method,
                Direction.MORE,
                against);
    }

    private static Claim reward(String name, String statement, Experiment experiment, String method, String against) {
        return claim(
                name,
                statement,
                experiment,
                "right answers to held-out questions",
                "%",
                "reward",
                method,
                Direction.MORE,
                against);
    }

    private static Claim solved(String name, Experiment experiment, String against) {
        return claim(
                name,
                "With a proxy of the start, more questions are solved in 16 draws than after GRPO.",
                experiment,
                "held-out questions solved in 16 draws",
                "%",
                "solved",
                TO_THE_START,
                Direction.MORE,
                against);
    }

    private static Claim claim(
            String name,
            String statement,
            Experiment experiment,
            String measure,
            String unit,
            String number,
            String method,
            Direction direction,
            String against) {
        return new Claim(
                "lp-reg",
                name,
                statement,
                experiment,
                measure,
                unit,
                new Arm(method, number + ", " + method),
                direction,
                new Arm(against, number + ", " + against),
                0);
    }

    private static String chainDescription() {
        return String.format(
                Locale.ROOT,
                "A first token is plain (probability 0.92, right 60 %% of the time), a spark (0.04) or noise (0.01 each "
                        + "of four, never right); after a spark a second token is good (0.1, right 95 %%) or bad "
                        + "(right 10 %%). Free logits, %d steps of Adam, each on 32 groups of 8 new answers. Entropy "
                        + "bonus %s; Lp-Reg: share %s, beta %s, with the start as proxy beta %s. Of learning rates "
                        + "0.01, 0.02, 0.05 and 0.1 every arm was most accurate in the end at %s on seeds 101 to 105, "
                        + "where the strengths were chosen, too. Probabilities are exact.",
                SparkChain.STEPS,
                CHAIN_BONUS,
                SHARE,
                BETA,
                BETA_TO_THE_START,
                CHAIN_RATE);
    }

    private static Outcome chain(long seed) {
        Outcome outcome = with(Outcome.NOTHING, GRPO, new SparkChain.Method.Plain(), seed);
        outcome = with(outcome, BONUS, new SparkChain.Method.EntropyBonus(CHAIN_BONUS), seed);
        outcome = with(outcome, PAPERS, new SparkChain.Method.LowProbability(false, SHARE, BETA), seed);
        return with(
                outcome, TO_THE_START, new SparkChain.Method.LowProbability(true, SHARE, BETA_TO_THE_START), seed);
    }

    private static Outcome with(Outcome outcome, String arm, SparkChain.Method method, long seed) {
        SparkChain.Standing[] way = SparkChain.learn(method, CHAIN_RATE, seed);
        return outcome.with("spark, " + arm, way[49].spark())
                .with("noise, " + arm, way[49].noise())
                .with("accuracy, " + arm, way[way.length - 1].accuracy());
    }

    private static String description(Scale scale, int stepsPerDraw) {
        return String.format(
                Locale.ROOT,
                "The last digit of a sum after scratch work: a decoder of width 48 with two layers, made in %d steps "
                        + "from demonstrations half of which are right, then %d steps of 16 questions with 8 answers "
                        + "each, %s. GRPO clips at 0.2, clip-higher (DAPO without its other parts) at 0.2 and 0.28. "
                        + "Lp-Reg: share %s, kappa 0.02, beta %s and cap 10; with the start as proxy beta %s without "
                        + "a cap. Learning rate %s for all, of 5e-4, 1e-3 and 2e-3, and the strengths on seeds 101 and "
                        + "102. 20 held-out questions, 16 answers each.",
                scale.pretraining,
                scale.steps,
                stepsPerDraw == 1 ? "a new draw each" : stepsPerDraw + " steps a draw",
                SHARE,
                BETA,
                BETA_TO_THE_START,
                RATE);
    }

    private static Outcome sums(Scale scale, int stepsPerDraw, long seed) {
        List<String> arms = List.of(PAPERS, TO_THE_START, GRPO, CLIP_HIGHER);
        List<String> phases = List.of("lp-reg", "lp-reg-to-the-start", "grpo", "dapo");
        List<Method> methods = List.of(
                new LpRegMethod(new Source.Sampler(), 0.02, new Pull.Sampled(10), SHARE, BETA, 1, 9),
                new LpRegMethod(
                        new Source.Start(),
                        0.02,
                        new Pull.Sampled(Double.POSITIVE_INFINITY),
                        SHARE,
                        BETA_TO_THE_START,
                        1,
                        9),
                new GrpoMethod(0.2, 0),
                new DapoMethod(0.2, 0.28, 0, 0));
        RlvrTrial trial = RlvrTrial.run(config(scale, methods, stepsPerDraw, seed));
        Outcome outcome = Outcome.NOTHING;
        for (int i = 0; i < arms.size(); i++) {
            double[] entropy = trial.training(phases.get(i), "entropy");
            outcome = outcome.with("entropy, " + arms.get(i), late(entropy))
                    .with("reward, " + arms.get(i), trial.last(phases.get(i), "reward"))
                    .with("solved, " + arms.get(i), trial.last(phases.get(i), "solved"));
            for (int quarter = 1; quarter < 4; quarter++) {
                int to = Math.max(1, quarter * entropy.length / 4);
                outcome = outcome.with(
                        "entropy at " + 25 * quarter + " % of the steps, " + arms.get(i),
                        late(Arrays.copyOf(entropy, to)));
            }
        }
        return outcome;
    }

    /// The mean over the last tenth.
    private static double late(double[] values) {
        return Arrays.stream(values, values.length - (values.length + 9) / 10, values.length)
                .average()
                .orElseThrow();
    }

    private static RlvrRecipe.Config config(Scale scale, List<Method> methods, int stepsPerDraw, long seed) {
        Optimisation pretraining = new Optimisation(
                scale.pretraining,
                128,
                128,
                EpochBatches.Order.SHUFFLED,
                3e-3,
                Schedule.Shape.COSINE,
                scale.pretraining / 6,
                0.05,
                0.9,
                0.98,
                0.01,
                1,
                scale.pretraining);
        Optimisation rl = new Optimisation(
                scale.steps,
                16,
                16,
                EpochBatches.Order.SHUFFLED,
                RATE,
                Schedule.Shape.CONSTANT,
                0,
                1,
                0.9,
                0.98,
                0,
                1,
                scale.steps);
        return new RlvrRecipe.Config(
                new World.Generated(new ScratchSum(), 0.5, 48, 2, 4, 40_000, pretraining, 80, 20),
                methods,
                8,
                1,
                Truncated.JUDGED,
                rl,
                stepsPerDraw,
                1,
                scale.steps,
                16,
                scale.steps,
                "cpu",
                1,
                seed);
    }
}
