package dev.kedge.task;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.env.Categorical;
import dev.kedge.env.ClassGameOracle;
import dev.kedge.env.PreferenceGame;
import dev.kedge.env.PreferenceOracle.AnswerPair;
import dev.kedge.env.RegularizedGame;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.recipe.TinyTask;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Games of classes against the games of all answers that they stand for, pair by pair.
class AnswerGameTest {
    private static final int V = 4;
    private static final int END = 2;
    private static final int DEPTH = 2;
    private static final double BETA = 0.2;
    private static final List<int[]> PROMPTS = List.of(new int[] {1, 3, 0}, new int[] {0});

    private final List<int[]> answers = AnswerTree.answers(V, END, DEPTH);
    private final ClassGameOracle judge = new ClassGameOracle(
            PreferenceGame.rockPaperScissors(),
            (prompt, answer) -> (prompt.length + Arrays.stream(answer).sum()) % 3);
    private Decoder reference;
    private Decoder policy;
    private AnswerGame game;

    @BeforeEach
    void make() {
        reference = TinyTask.decoder(V, 12);
        policy = TinyTask.decoder(V, 11);
        game = new AnswerGame(judge, reference, PROMPTS, BETA, END, DEPTH);
    }

    @AfterEach
    void close() {
        reference.close();
        policy.close();
    }

    /// The game of a prompt with answers for actions.
    private RegularizedGame whole(int prompt) {
        double[][] p = new double[answers.size()][];
        for (int y = 0; y < p.length; y++) {
            List<AnswerPair> pairs = new ArrayList<>();
            for (int[] other : answers) {
                pairs.add(new AnswerPair(PROMPTS.get(prompt), answers.get(y), other));
            }
            p[y] = judge.firstWins(pairs);
        }
        return new RegularizedGame(new PreferenceGame(p), game.logProbs(reference)[prompt], BETA);
    }

    @Test
    void gapsAreThoseOfTheWholeGame() {
        double[][] logPolicy = game.logProbs(policy);
        double[] gaps = game.gaps(logPolicy);
        for (int i = 0; i < PROMPTS.size(); i++) {
            assertEquals(whole(i).dualityGap(logPolicy[i]), gaps[i], 1e-12);
            assertTrue(gaps[i] > 1e-3, "too near to tell anything: " + gaps[i]);
        }
    }

    @Test
    void theEquilibriumIsThatOfTheWholeGame() {
        double[][] shares = game.equilibrium();
        double[][] nash = new double[PROMPTS.size()][];
        Arrays.setAll(nash, i -> whole(i).nash());
        for (int i = 0; i < PROMPTS.size(); i++) {
            assertArrayEquals(game.shares(nash)[i], shares[i], 1e-10);
            assertEquals(0, game.gaps(nash)[i], 1e-12);
        }
    }

    @Test
    void sharesAndDivergencesAddUp() {
        double[][] logPolicy = game.logProbs(policy);
        double[][] solutions = {{1, END}, {END}};
        List<int[]> right = Arrays.stream(solutions)
                .map(s -> Arrays.stream(s).mapToInt(x -> (int) x).toArray())
                .toList();
        var exact = AnswerTree.exact(policy, reference, PROMPTS, right, END, DEPTH);
        for (int i = 0; i < PROMPTS.size(); i++) {
            assertEquals(1, Arrays.stream(game.shares(logPolicy)[i]).sum(), 1e-12);
            assertEquals(exact.get(i).kl(), game.divergences(logPolicy)[i], 1e-11);
        }
    }

    @Test
    void anAverageIsOfProbabilities() {
        double[][] one = game.logProbs(policy);
        double[][] other = game.logProbs(reference);
        double[][] average = AnswerGame.average(List.of(one, other, other));
        for (int i = 0; i < PROMPTS.size(); i++) {
            double[] p = Categorical.probabilities(average[i]);
            for (int y = 0; y < p.length; y++) {
                assertEquals((Math.exp(one[i][y]) + 2 * Math.exp(other[i][y])) / 3, p[y], 1e-15);
            }
        }
    }
}
