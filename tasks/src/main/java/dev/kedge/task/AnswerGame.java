package dev.kedge.task;

import dev.kedge.env.Categorical;
import dev.kedge.env.ClassGameOracle;
import dev.kedge.env.PreferenceGame;
import dev.kedge.env.RegularizedGame;
import dev.kedge.nn.lm.Decoder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// The game that a judge of classes makes of everything a language model can answer, one game a prompt, solved exactly:
/// no sampling, no error bars.
///
/// Its actions are all answers ([AnswerTree]), thousands of them; as the judge sees classes only, win rates need no
/// more than the classes' masses.
public final class AnswerGame {
    private final PreferenceGame game;
    private final double beta;
    private final List<int[]> prompts;
    private final int end;
    private final int depth;
    private final int[][] classes; // of each answer to each prompt
    private final double[][] logRef;

    /// @param beta  strength of the regulariser, > 0
    /// @param end   the end token
    /// @param depth tokens of the longest answer, 1 to 3
    public AnswerGame(ClassGameOracle judge, Decoder reference, List<int[]> prompts, double beta, int end, int depth) {
        this.game = judge.game();
        this.beta = beta;
        this.prompts = prompts;
        this.end = end;
        this.depth = depth;
        List<int[]> answers = AnswerTree.answers(reference.config().vocabularySize(), end, depth);
        classes = prompts.stream()
                .map(prompt -> answers.stream()
                        .mapToInt(answer -> judge.classOf().applyAsInt(prompt, answer))
                        .toArray())
                .toArray(int[][]::new);
        logRef = logProbs(reference);
    }

    /// How likely a policy gives each answer: nats, `[prompts][answers]`.
    public double[][] logProbs(Decoder policy) {
        return AnswerTree.logProbs(policy, prompts, end, depth);
    }

    /// The average of several policies' answers, as log-probabilities.
    public static double[][] average(List<double[][]> logPolicies) {
        double[][] average = new double[logPolicies.getFirst().length][];
        for (int i = 0; i < average.length; i++) {
            double[] sum = new double[logPolicies.getFirst()[i].length];
            for (double[][] policy : logPolicies) {
                for (int y = 0; y < sum.length; y++) {
                    sum[y] += Math.exp(policy[i][y]) / logPolicies.size();
                }
            }
            average[i] = Arrays.stream(sum).map(Math::log).toArray();
        }
        return average;
    }

    /// The duality gap of the regularised game, for each prompt: `2·beta·KL(π||BR)`, BR the best response to π, as in
    /// [RegularizedGame#dualityGap].
    public double[] gaps(double[][] logPolicy) {
        double[] gaps = new double[logPolicy.length];
        for (int i = 0; i < gaps.length; i++) {
            double[] rates = game.winRates(shares(i, logPolicy[i]));
            double[] logits = logRef[i].clone();
            for (int y = 0; y < logits.length; y++) {
                logits[y] += rates[classes[i][y]] / beta;
            }
            gaps[i] = 2 * beta * Categorical.kl(logPolicy[i], Categorical.logSoftmax(logits));
        }
        return gaps;
    }

    /// `KL(π||ref)` of whole answers, for each prompt: nats.
    public double[] divergences(double[][] logPolicy) {
        double[] kl = new double[logPolicy.length];
        Arrays.setAll(kl, i -> Categorical.kl(logPolicy[i], logRef[i]));
        return kl;
    }

    /// Probability of each class: [prompts][classes].
    public double[][] shares(double[][] logPolicy) {
        double[][] shares = new double[logPolicy.length][];
        Arrays.setAll(shares, i -> shares(i, logPolicy[i]));
        return shares;
    }

    /// Probability of each class at the equilibrium of the regularised game: [prompts][classes]. Within a class the
    /// equilibrium is the reference.
    public double[][] equilibrium() {
        List<double[]> shares = new ArrayList<>();
        for (double[] ref : shares(logRef)) {
            double[] logRef = Arrays.stream(ref).map(Math::log).toArray();
            shares.add(Categorical.probabilities(new RegularizedGame(game, logRef, beta).nash()));
        }
        return shares.toArray(double[][]::new);
    }

    private double[] shares(int prompt, double[] logPolicy) {
        double[] shares = new double[game.actions()];
        for (int y = 0; y < logPolicy.length; y++) {
            shares[classes[prompt][y]] += Math.exp(logPolicy[y]);
        }
        return shares;
    }
}
