package dev.kedge.env;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.kedge.env.PreferenceOracle.AnswerPair;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class PreferenceOracleTest {
    private static final int[] PROMPT = {9};

    static Stream<PreferenceOracle> oracles() {
        return Stream.of(
                new BradleyTerryOracle((prompt, answer) -> answer.length * 40 - prompt.length),
                new ClassGameOracle(PreferenceGame.random(5, 3), (_, answer) -> answer.length),
                ClassGameOracle.byFirstToken(PreferenceGame.rockPaperScissors(), 2, 0, 1));
    }

    @ParameterizedTest
    @MethodSource("oracles")
    void theProbabilitiesOfAPairAndItsSwapAddUpToOne(PreferenceOracle oracle) {
        var random = new Random(1);
        List<AnswerPair> pairs = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            pairs.add(new AnswerPair(PROMPT, answer(random), answer(random)));
        }
        double[] wins = oracle.firstWins(pairs);
        double[] swapped =
                oracle.firstWins(pairs.stream().map(AnswerPair::swapped).toList());
        for (int i = 0; i < wins.length; i++) {
            assertEquals(1, wins[i] + swapped[i], 1e-15);
        }
        assertEquals(0, oracle.firstWins(List.of()).length);
    }

    private static int[] answer(Random random) {
        return random.ints(random.nextInt(5), 0, 4).toArray();
    }

    @Test
    void bradleyTerryIsTheLogisticOfTheRewards() {
        var oracle = new BradleyTerryOracle((prompt, answer) -> prompt[0] * Math.log(answer[0]));
        var pairs = List.of(
                new AnswerPair(new int[] {1}, new int[] {3}, new int[] {1}),
                new AnswerPair(new int[] {2}, new int[] {1}, new int[] {2}),
                new AnswerPair(new int[] {1}, new int[] {7}, new int[] {7}));
        assertArrayEquals(new double[] {0.75, 0.2, 0.5}, oracle.firstWins(pairs), 1e-15);
    }

    @Test
    void aRewardThatIsNoNumberIsRefusedWithItsPair() {
        var oracle = new BradleyTerryOracle((_, answer) -> answer.length == 0 ? Double.NaN : 0);
        var pairs = List.of(new AnswerPair(PROMPT, PROMPT, PROMPT), new AnswerPair(PROMPT, PROMPT, new int[0]));
        var e = assertThrows(IllegalArgumentException.class, () -> oracle.firstWins(pairs));
        assertEquals("the reward of an answer in pair 1 must be finite, was NaN", e.getMessage());
    }

    @Test
    void firstTokensPlayTheGameAndAllElseLoses() {
        var oracle = ClassGameOracle.byFirstToken(PreferenceGame.rockPaperScissors(), 70, 71, 72);
        int[] rock = {70, 5};
        int[] scissors = {71, 70};
        int[] paper = {72};
        int[] none = {};
        int[] other = {5, 70};
        var pairs = List.of(
                new AnswerPair(PROMPT, rock, scissors),
                new AnswerPair(PROMPT, scissors, paper),
                new AnswerPair(PROMPT, paper, rock),
                new AnswerPair(PROMPT, rock, paper),
                new AnswerPair(PROMPT, rock, rock),
                new AnswerPair(PROMPT, none, paper),
                new AnswerPair(PROMPT, paper, other),
                new AnswerPair(PROMPT, none, other));
        assertArrayEquals(new double[] {1, 1, 1, 0, 0.5, 0, 1, 0.5}, oracle.firstWins(pairs));
    }

    @Test
    void classesThatDoNotPlayAreRefused() {
        var game = PreferenceGame.rockPaperScissors();
        assertThrows(IllegalArgumentException.class, () -> ClassGameOracle.byFirstToken(game, 1, 2));
        var oracle = new ClassGameOracle(game, (_, answer) -> answer.length);
        var pairs = List.of(new AnswerPair(PROMPT, new int[2], new int[3]));
        var e = assertThrows(IllegalArgumentException.class, () -> oracle.firstWins(pairs));
        assertEquals("the class of an answer in pair 0 must be in [0, 3), was 3", e.getMessage());
    }
}
