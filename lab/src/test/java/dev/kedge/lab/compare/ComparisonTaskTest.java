package dev.kedge.lab.compare;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.env.PreferenceGame;
import dev.kedge.env.RegularizedGame;
import dev.kedge.lab.compare.ComparisonTask.Arena;
import dev.kedge.lab.tabular.Bandit;
import dev.kedge.objective.divergence.ReverseKl;
import java.util.List;
import org.junit.jupiter.api.Test;

class ComparisonTaskTest {
    private static final double[][] LOG_REF = {{Math.log(0.2), Math.log(0.3), Math.log(0.5)}};

    private static Arena rockPaperScissors() {
        return Arena.againstReference(LOG_REF, List.of(PreferenceGame.rockPaperScissors()));
    }

    @Test
    void inAGameAnOutcomeIsWorthItsWinsAgainstTheReference() {
        // Rock beats scissors: half of 0.2, and 0.3.
        assertArrayEquals(
                new double[] {0.4, 0.65, 0.45}, rockPaperScissors().bandit().reward()[0], 1e-15);
        var arena = ComparisonTask.GAME.arena(1);
        assertEquals(0.5, arena.bandit().evaluate(arena.logRef()).reward(), 1e-12);
    }

    @Test
    void equalSeedsGiveEqualTasksAndOthersOthers() {
        for (var task : ComparisonTask.values()) {
            assertArrayEquals(task.arena(3).logRef()[1], task.arena(3).logRef()[1]);
            assertArrayEquals(
                    task.arena(3).bandit().reward()[1], task.arena(3).bandit().reward()[1]);
            assertTrue(task.arena(3).logRef()[1][0] != task.arena(4).logRef()[1][0]);
            assertTrue(task.arena(3).judges().get(0).winProbability(0, 1)
                    != task.arena(3).judges().get(1).winProbability(0, 1));
        }
    }

    @Test
    void theJudgeOfABanditIsBradleyTerry() {
        var arena = Arena.bradleyTerry(
                new Bandit(new double[][] {{Math.log(0.5), Math.log(0.5)}}, new double[][] {{Math.log(3), 0}}));
        assertEquals(0.75, arena.judges().getFirst().winProbability(0, 1), 1e-15);
    }

    /// With the frequency of independent draws: 2·0.2·0.3 is the chance of rock and scissors in either order.
    @Test
    void pairsOfAGameAreIndependentDrawsAndWinnersComeFirst() {
        int count = 100_000;
        var pairs = rockPaperScissors().pairs(count, 5);
        int rockOverScissors = 0;
        int ties = 0;
        for (int i = 0; i < count; i++) {
            long gap = Math.floorMod(pairs.rejected()[i] - pairs.chosen()[i], 3);
            assertTrue(gap != 2, "the loser of a sure duel came first");
            ties += gap == 0 ? 1 : 0;
            rockOverScissors += pairs.chosen()[i] == 0 && pairs.rejected()[i] == 1 ? 1 : 0;
        }
        double standardError = 0.5 / Math.sqrt(count); // at most
        assertEquals(0.12, rockOverScissors / (double) count, 5 * standardError);
        assertEquals(0.04 + 0.09 + 0.25, ties / (double) count, 5 * standardError);
    }

    @Test
    void theGapIsThatOfTheGamesAndNoneIfThePolicyDiverged() {
        var arena = rockPaperScissors();
        var game = new RegularizedGame(PreferenceGame.rockPaperScissors(), LOG_REF[0], 0.1);
        assertEquals(0, arena.dualityGap(new double[][] {game.nash()}, 0.1), 1e-12);
        double[][] best = arena.bandit().optimum(new ReverseKl(), 0.1);
        assertEquals(game.dualityGap(best[0]), arena.dualityGap(best, 0.1), 1e-15);
        assertTrue(Double.isNaN(arena.dualityGap(new double[][] {{0, Double.NaN, 0}}, 0.1)));
    }
}
