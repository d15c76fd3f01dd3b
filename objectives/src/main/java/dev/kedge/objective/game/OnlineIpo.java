package dev.kedge.objective.game;

import dev.kedge.objective.Loss;
import dev.kedge.tensor.Require;
import dev.kedge.tensor.Tensor;

/// Online IPO: the IPO loss (arXiv:2310.12036) with a policy that plays against itself, in the two forms of
/// arXiv:2503.08942. Both come to rest at the regularised equilibrium only, and may turn around it for ever.
///
/// Arguments are those of [Egpo#egpo], without an opponent.
public final class OnlineIpo {
    private OnlineIpo() {}

    /// Online IPO 1: pairs drawn uniformly, against the policy itself; [Egpo#egpo] without its half step. Plain
    /// gradient steps on logits are online mirror descent.
    public static Loss onlineIpo1(Tensor logPolicy, MatrixGames games, double beta, long gamesInStep) {
        return Egpo.egpo(logPolicy, logPolicy, games, beta, gamesInStep);
    }

    /// Online IPO 2 (arXiv:2403.08635): pairs drawn from the policy, compared with each other: for each game
    /// `Σ_ij π(i)·π(j)·(log π(i)/π_ref(i) - log π(j)/π_ref(j) - (P(i > j) - 1/2)/beta)²`, the chances `π(i)·π(j)`
    /// constant.
    public static Loss onlineIpo2(Tensor logPolicy, MatrixGames games, double beta, long gamesInStep) {
        Require.positive("beta", beta);
        Tensor margins = MatrixGames.differences(games.logRatio(logPolicy));
        Tensor targets = games.winProbabilities().detach().minus(0.5).div(beta);
        Tensor losses = margins.minus(targets)
                .square()
                .times(MatrixGames.pairs(logPolicy))
                .sum(-1)
                .sum(-1);
        return games.loss(losses, gamesInStep);
    }
}
