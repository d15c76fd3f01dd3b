package dev.kedge.objective.game;

import dev.kedge.objective.Loss;
import dev.kedge.tensor.Require;
import dev.kedge.tensor.Tensor;

/// Nash-MD-PG (Munos et al. 2023, arXiv:2312.00886): the policy gradient of Nash-MD's aim. The values of these losses
/// mean nothing; their gradients do.
public final class NashMdPg {
    private NashMdPg() {}

    /// For each game `-Σ_i π(i)·A(i)·log π(i)`, `A(i) = P(i > mixture) - beta·log π(i)/π_ref(i)`, of which only the
    /// last factor carries a gradient; the opponent is [NashMd#mixture]. Arguments are those of [NashMd#nashMd].
    public static Loss nashMdPg(Tensor logPolicy, MatrixGames games, double beta, double refShare, long gamesInStep) {
        Require.positive("beta", beta);
        Tensor wins = games.winRates(NashMd.mixture(logPolicy, games.logRef(), refShare));
        Tensor advantages = wins.minus(games.logRatio(logPolicy.detach()).times(beta));
        Tensor losses = logPolicy
                .detach()
                .exp()
                .times(advantages)
                .times(logPolicy)
                .sum(1)
                .neg();
        return games.loss(losses, gamesInStep);
    }

    /// The loss on sampled answers: `-(1/answersInStep) Σ (P(y > y'') - beta·log π_old(y)/π_ref(y))·log π(y)`. With y
    /// from π_old = π and y'' from the mixture its gradient is that of [#nashMdPg] in expectation.
    ///
    /// @param logProbs      `log π(y)`, summed over tokens, nats, `[B]`; gradient flows
    /// @param oldLogProbs   the same when y was drawn, `[B]`; a constant whatever graph it carries
    /// @param refLogProbs   `log π_ref(y)`, `[B]`; a constant likewise
    /// @param preferences   `P(y > y'')` `[B]`; a constant likewise. Less any baseline that y does not enter,
    ///                      such as 1/2, they give the same gradient in expectation
    /// @param beta          strength of the KL regulariser, dimensionless, finite and > 0
    /// @param answersInStep answers in the whole optimizer step, at least B
    /// @return the loss; metrics `[B]`: `loss` and `advantage`, the factor of `log π(y)`
    /// @throws IllegalArgumentException if shapes do not fit or an argument is out of range
    public static Loss sequences(
            Tensor logProbs,
            Tensor oldLogProbs,
            Tensor refLogProbs,
            Tensor preferences,
            double beta,
            long answersInStep) {
        Require.positive("beta", beta);
        Require.dims("logProbs", logProbs, 1, "[B]");
        Require.sameShape("oldLogProbs", oldLogProbs, "logProbs", logProbs);
        Require.sameShape("refLogProbs", refLogProbs, "logProbs", logProbs);
        Require.sameShape("preferences", preferences, "logProbs", logProbs);
        Require.denominator("answersInStep", answersInStep, logProbs.size(0));
        Tensor logRatio = oldLogProbs.detach().minus(refLogProbs.detach());
        Tensor advantages = preferences.detach().minus(logRatio.times(beta));
        Tensor losses = advantages.times(logProbs).neg();
        return Loss.of(losses.sum().div(answersInStep)).with("loss", losses).with("advantage", advantages);
    }
}
