package dev.kedge.objective.game;

import dev.kedge.objective.Loss;
import dev.kedge.tensor.Functional;
import dev.kedge.tensor.Require;
import dev.kedge.tensor.Tensor;

/// Iterative DPO (Xiong et al. 2023, arXiv:2312.11456): DPO on pairs that the previous policy drew, over and over. It
/// takes preferences for differences of rewards, which a game with cycles does not have; here to compare with.
public final class IterativeDpo {
    private IterativeDpo() {}

    /// The population's loss: for each game `-E log σ(beta·(x(y_w) - x(y_l)))`, `x = log π/π_ref`, over pairs of
    /// independent draws from π_t, of which either wins by its preference. It is what
    /// [dev.kedge.objective.preference.Dpo#dpo] has in expectation.
    ///
    /// Where `P(y > y') = σ(r(y) - r(y'))`, the optimum is `π(y) ~ ref(y)·exp(r(y)/beta)`, whatever π_t.
    ///
    /// @param logPolicy   `log π`, normalised, nats, `[G, n]`; gradient flows
    /// @param logPrevious `log π_t`, likewise; a constant whatever graph it carries
    /// @param beta        strength of the KL regulariser, dimensionless, finite and > 0
    /// @param gamesInStep games in the whole optimizer step, at least G
    /// @return `Σ losses / gamesInStep`; metric `loss` `[G]`
    /// @throws IllegalArgumentException if shapes do not fit or an argument is out of range
    public static Loss population(
            Tensor logPolicy, Tensor logPrevious, MatrixGames games, double beta, long gamesInStep) {
        Require.positive("beta", beta);
        games.requirePolicy("logPrevious", logPrevious);
        Tensor margins = MatrixGames.differences(games.logRatio(logPolicy)).times(beta);
        Tensor losses = Functional.logSigmoid(margins)
                .times(games.winProbabilities().detach())
                .times(MatrixGames.pairs(logPrevious))
                .sum(-1)
                .sum(-1)
                .times(-2); // either of a pair may come first
        return games.loss(losses, gamesInStep);
    }
}
