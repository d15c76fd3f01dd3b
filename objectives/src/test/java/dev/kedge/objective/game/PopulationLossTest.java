package dev.kedge.objective.game;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.objective.InScope;
import dev.kedge.objective.Loss;
import dev.kedge.tensor.Tensor;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// What all losses over the whole of a game keep to.
@ExtendWith(InScope.class)
class PopulationLossTest {
    private static final double BETA = 0.3;
    private static final double SHARE = 0.4;

    @FunctionalInterface
    interface Form {
        Loss loss(Tensor logPolicy, Tensor logPrevious, MatrixGames games, long gamesInStep);
    }

    static Stream<Form> forms() {
        return Stream.of(
                (policy, other, games, n) -> Egpo.egpo(policy, other, games, BETA, n),
                (policy, _, games, n) -> NashMd.nashMd(policy, games, BETA, SHARE, n),
                (policy, _, games, n) -> NashMdPg.nashMdPg(policy, games, BETA, SHARE, n),
                (policy, _, games, n) -> OnlineIpo.onlineIpo1(policy, games, BETA, n),
                (policy, _, games, n) -> OnlineIpo.onlineIpo2(policy, games, BETA, n),
                (policy, previous, games, n) -> IterativeDpo.population(policy, previous, games, BETA, n),
                (policy, previous, games, n) -> Inpo.withWinRates(policy, previous, games, BETA, 0.1, n),
                (policy, previous, games, n) -> Inpo.withWinnersAndLosers(policy, previous, games, BETA, 0.1, n));
    }

    /// One number a game, which does not depend on the other games of the step.
    @ParameterizedTest
    @MethodSource("forms")
    void eachGameHasItsOwnLoss(Form form) {
        Tensor policy = Games.policy(Games.LOGITS);
        Tensor previous = Games.policy(Games.OTHER_LOGITS);
        MatrixGames games = Games.all();
        double[] alone = new double[2];
        for (int g = 0; g < 2; g++) {
            var game = new MatrixGames(
                    games.winProbabilities().narrow(0, g, 1), games.logRef().narrow(0, g, 1));
            alone[g] = form.loss(policy.narrow(0, g, 1), previous.narrow(0, g, 1), game, 1)
                    .value()
                    .item();
        }
        Loss loss = form.loss(policy, previous, games, 5);
        assertArrayEquals(new long[] {2}, loss.metric("loss").shape());
        assertArrayEquals(alone, loss.metric("loss").toDoubles(), 1e-14);
        assertEquals((alone[0] + alone[1]) / 5, loss.value().item(), 1e-14);
    }

    @ParameterizedTest
    @MethodSource("forms")
    void onlyThePolicyIsLearnt(Form form) {
        Tensor policy = Games.policy(Games.LOGITS).detach().requiresGrad();
        Tensor previous = Games.policy(Games.OTHER_LOGITS).detach().requiresGrad();
        Tensor wins = Games.all().winProbabilities().requiresGrad();
        Tensor ref = Games.all().logRef().detach().requiresGrad();
        form.loss(policy, previous, new MatrixGames(wins, ref), 2).value().backward();
        assertTrue(policy.grad().ne(0).anyTrue());
        assertNull(previous.grad());
        assertNull(wins.grad());
        assertNull(ref.grad());
    }
}
