package dev.kedge.objective.game;

import dev.kedge.objective.Loss;
import dev.kedge.tensor.Require;
import dev.kedge.tensor.Tensor;
import java.util.Arrays;

/// G preference games of n actions each, side by side: what the tabular objectives learn. Both tensors are constants,
/// whatever graph they carry.
///
/// @param winProbabilities `P(i > j)` at `[g][i][j]`, with `P + Pᵀ = 1`: `[G, n, n]`
/// @param logRef           normalised log-probabilities of the reference, finite, nats: `[G, n]`
public record MatrixGames(Tensor winProbabilities, Tensor logRef) {
    /// @throws IllegalArgumentException if the shapes do not fit
    public MatrixGames {
        Require.dims("logRef", logRef, 2, "[G, n]");
        long games = logRef.size(0);
        long actions = logRef.size(1);
        if (!Arrays.equals(winProbabilities.shape(), new long[] {games, actions, actions})) {
            throw new IllegalArgumentException("winProbabilities must be [G, n, n] = [" + games + ", " + actions + ", "
                    + actions + "] as logRef is [G, n], was " + Arrays.toString(winProbabilities.shape()));
        }
    }

    /// How many games, G.
    public long count() {
        return logRef.size(0);
    }

    /// `P(y > opponent)` of every action y: `[G, n]`, a constant.
    ///
    /// @param logOpponent normalised log-probabilities, `[G, n]`
    Tensor winRates(Tensor logOpponent) {
        requirePolicy("logOpponent", logOpponent);
        return winProbabilities
                .detach()
                .matmul(logOpponent.detach().exp().unsqueeze(2))
                .squeeze(2);
    }

    /// `log π(y)/π_ref(y)`, `[G, n]`.
    Tensor logRatio(Tensor logPolicy) {
        requirePolicy("logPolicy", logPolicy);
        return logPolicy.minus(logRef.detach());
    }

    void requirePolicy(String name, Tensor logPolicy) {
        Require.sameShape(name, logPolicy, "logRef", logRef);
    }

    /// `Σ perGame / gamesInStep`; the metric `loss` is that of each game.
    Loss loss(Tensor perGame, long gamesInStep) {
        Require.denominator("gamesInStep", gamesInStep, count());
        return Loss.of(perGame.sum().div(gamesInStep)).with("loss", perGame);
    }

    /// `x(i) - x(j)` at `[g][i][j]`: from `[G, n]` to `[G, n, n]`.
    static Tensor differences(Tensor x) {
        return x.unsqueeze(2).minus(x.unsqueeze(1));
    }

    /// The chance of every ordered pair of independent draws, `p(i)·p(j)` at `[g][i][j]`: a constant.
    static Tensor pairs(Tensor logProbs) {
        Tensor p = logProbs.detach().exp();
        return p.unsqueeze(2).times(p.unsqueeze(1));
    }
}
