package dev.kedge.env;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.kedge.env.PreferenceOracle.Duel;
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
    void theProbabilitiesOfADuelAndItsSwapAddUpToOne(PreferenceOracle oracle) {
        var random = new Random(1);
        List<Duel> duels = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            duels.add(new Duel(PROMPT, answer(random), answer(random)));
        }
        double[] wins = oracle.firstWins(duels);
        double[] swapped = oracle.firstWins(duels.stream().map(Duel::swapped).toList());
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
        var duels = List.of(
                new Duel(new int[] {1}, new int[] {3}, new int[] {1}),
                new Duel(new int[] {2}, new int[] {1}, new int[] {2}),
                new Duel(new int[] {1}, new int[] {7}, new int[] {7}));
        assertArrayEquals(new double[] {0.75, 0.2, 0.5}, oracle.firstWins(duels), 1e-15);
    }

    @Test
    void aRewardThatIsNoNumberIsRefusedWithItsDuel() {
        var oracle = new BradleyTerryOracle((_, answer) -> answer.length == 0 ? Double.NaN : 0);
        var duels = List.of(new Duel(PROMPT, PROMPT, PROMPT), new Duel(PROMPT, PROMPT, new int[0]));
        var e = assertThrows(IllegalArgumentException.class, () -> oracle.firstWins(duels));
        assertEquals("the reward of an answer in duel 1 must be finite, was NaN", e.getMessage());
    }

    @Test
    void firstTokensPlayTheGameAndAllElseLoses() {
        var oracle = ClassGameOracle.byFirstToken(PreferenceGame.rockPaperScissors(), 70, 71, 72);
        int[] rock = {70, 5};
        int[] scissors = {71, 70};
        int[] paper = {72};
        int[] none = {};
        int[] other = {5, 70};
        var duels = List.of(
                new Duel(PROMPT, rock, scissors),
                new Duel(PROMPT, scissors, paper),
                new Duel(PROMPT, paper, rock),
                new Duel(PROMPT, rock, paper),
                new Duel(PROMPT, rock, rock),
                new Duel(PROMPT, none, paper),
                new Duel(PROMPT, paper, other),
                new Duel(PROMPT, none, other));
        assertArrayEquals(new double[] {1, 1, 1, 0, 0.5, 0, 1, 0.5}, oracle.firstWins(duels));
    }

    @Test
    void classesThatDoNotPlayAreRefused() {
        var game = PreferenceGame.rockPaperScissors();
        assertThrows(IllegalArgumentException.class, () -> ClassGameOracle.byFirstToken(game, 1, 2));
        var oracle = new ClassGameOracle(game, (_, answer) -> answer.length);
        var duels = List.of(new Duel(PROMPT, new int[2], new int[3]));
        var e = assertThrows(IllegalArgumentException.class, () -> oracle.firstWins(duels));
        assertEquals("the class of an answer in duel 0 must be in [0, 3), was 3", e.getMessage());
    }
}
