package dev.kedge.objective.game;

import dev.kedge.objective.Loss;
import dev.kedge.tensor.Require;
import dev.kedge.tensor.Tensor;

/// Extragradient Preference Optimization (Zhou et al. 2025, arXiv:2503.08942): a policy comes to the regularised
/// equilibrium by steps against the opponent that it would itself be half a step later.
///
/// One update takes two gradients of one loss: from θ a step against π_θ leads to the opponent; from θ again, a step
/// against that opponent is the update. Only the opponent comes from the half step; the log-ratios are at θ both times.
public final class Egpo {
    private Egpo() {}

    /// The IPO loss of pairs drawn uniformly, against an opponent: for each game
    /// `(1/n²) Σ_ij (d_i - d_j)²`, `d_i = log π(i)/π_ref(i) - P(i > opponent)/beta`.
    ///
    /// Its gradient on logits is `(4/n)(d - mean d)`, so that a plain step of length `lr` is one of mirror descent,
    /// `θ ← (1 - h)·θ + h·(log ref + P·opponent/beta)` up to a constant, with `h = 4·lr/n`. Uniform pairs are what
    /// makes it so; 0 where the policy is the best response to the opponent.
    ///
    /// @param logPolicy   normalised log-probabilities, nats, `[G, n]`; gradient flows
    /// @param logOpponent likewise; a constant whatever graph it carries
    /// @param beta        strength of the KL regulariser, dimensionless, finite and > 0
    /// @param gamesInStep games in the whole optimizer step, at least G
    /// @return `Σ losses / gamesInStep`; metric `loss` `[G]`
    /// @throws IllegalArgumentException if shapes do not fit or an argument is out of range
    public static Loss egpo(Tensor logPolicy, Tensor logOpponent, MatrixGames games, double beta, long gamesInStep) {
        Require.positive("beta", beta);
        Tensor d = games.logRatio(logPolicy).minus(games.winRates(logOpponent).div(beta));
        // The mean over all pairs of (d_i - d_j)² is twice the variance.
        Tensor losses = d.minus(d.mean(1, true)).square().mean(1).times(2);
        return games.loss(losses, gamesInStep);
    }

    /// The loss on sampled answers: `(1/pairsInStep) Σ e²`,
    /// `e = log π(y)/π_ref(y) - log π(y')/π_ref(y') - (P(y > y'') - P(y' > y''))/beta`, with y'' from the opponent.
    ///
    /// With y and y' uniform its gradient is that of [#egpo] in expectation. The draws of y'' decide the method:
    /// from π_θ it is online IPO, from the half step's policy the second step of EGPO. With y and y' from π_θ and
    /// the preferences `P(y > y')` and 1/2 it is [OnlineIpo#onlineIpo2].
    ///
    /// @param logProbs    `log π` of y and of y', summed over tokens, nats, `[B, 2]`; gradient flows
    /// @param refLogProbs `log π_ref` of the same, `[B, 2]`; a constant whatever graph it carries
    /// @param preferences `P(y > y'')` and `P(y' > y'')`, in [0, 1], `[B, 2]`; a constant likewise
    /// @param beta        strength of the KL regulariser, dimensionless, finite and > 0
    /// @param pairsInStep pairs in the whole optimizer step, at least B
    /// @return the loss; metrics `[B]`: `loss`, and as `reward/first` and `reward/second` the implicit rewards
    ///         `beta·log π/π_ref` of y and of y'
    /// @throws IllegalArgumentException if shapes do not fit or an argument is out of range
    public static Loss sequences(
            Tensor logProbs, Tensor refLogProbs, Tensor preferences, double beta, long pairsInStep) {
        Require.positive("beta", beta);
        Require.dims("logProbs", logProbs, 2, "[B, 2]");
        if (logProbs.size(1) != 2) {
            throw new IllegalArgumentException("logProbs must be [B, 2], was [B, " + logProbs.size(1) + "]");
        }
        Require.sameShape("refLogProbs", refLogProbs, "logProbs", logProbs);
        Require.sameShape("preferences", preferences, "logProbs", logProbs);
        Require.denominator("pairsInStep", pairsInStep, logProbs.size(0));
        Tensor logRatio = logProbs.minus(refLogProbs.detach());
        Tensor d = logRatio.minus(preferences.detach().div(beta));
        Tensor losses = d.select(1, 0).minus(d.select(1, 1)).square();
        Tensor rewards = logRatio.times(beta);
        return Loss.of(losses.sum().div(pairsInStep))
                .with("loss", losses)
                .with("reward/first", rewards.select(1, 0))
                .with("reward/second", rewards.select(1, 1));
    }
}
