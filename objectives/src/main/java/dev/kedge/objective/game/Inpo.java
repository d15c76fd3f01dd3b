package dev.kedge.objective.game;

import dev.kedge.objective.Loss;
import dev.kedge.objective.preference.Ipo;
import dev.kedge.objective.preference.PreferenceLogProbs;
import dev.kedge.tensor.Require;
import dev.kedge.tensor.Tensor;

/// Iterative Nash Policy Optimization (Zhang et al. 2024, arXiv:2407.00617): self-play by online mirror descent, each
/// step of which is a regression on pairs that the previous policy π_t drew.
///
/// The regression's optimum is `π_{t+1}(y) ~ exp(P(y > π_t)/eta)·ref(y)^(tau/eta)·π_t(y)^(1 - tau/eta)`. Throughout,
/// `h(y, y') = s(y) - s(y')` with `s = log π - (tau/eta)·log π_ref - (1 - tau/eta)·log π_t`. `eta` is an inverse step
/// size, finite and > 0; `tau`, from 0 to eta, is the strength of the KL regulariser: 0 is self-play without
/// reference, eta forgets π_t. All throw [IllegalArgumentException] if an argument is out of range.
public final class Inpo {
    private Inpo() {}

    /// `(1/pairsInStep) Σ (h(y_w, y_l) - 1/(2·eta))²` over pairs from π_t with drawn labels: [Ipo] against the
    /// geometric mixture of π_ref and π_t.
    ///
    /// Log-probabilities are sums over tokens; the margin wanted, `1/(2·eta)`, has their size. Only pairs drawn
    /// independently, each labelled by one draw of the preference, have the optimum above; the best and the worst
    /// of several answers, or the likelier label, move it.
    ///
    /// @param lp               pairs under policy and reference
    /// @param previousChosen   `log π_t(y_w)`, nats, `[B]`; a constant whatever graph it carries
    /// @param previousRejected `log π_t(y_l)`, likewise
    /// @param pairsInStep      pairs in the whole optimizer step, at least B
    /// @return the loss; metrics as in [Ipo#ipo], with rewards `eta·s(y)`, which tend to `P(y > π_t)` but for a
    ///         constant
    public static Loss inpo(
            PreferenceLogProbs lp,
            Tensor previousChosen,
            Tensor previousRejected,
            double eta,
            double tau,
            long pairsInStep) {
        Require.sameShape("previousChosen", previousChosen, "chosen", lp.chosen());
        Require.sameShape("previousRejected", previousRejected, "chosen", lp.chosen());
        double share = refShare(eta, tau);
        Tensor chosen = anchor(lp.refChosen(), previousChosen, share);
        Tensor rejected = anchor(lp.refRejected(), previousRejected, share);
        return Ipo.ipo(new PreferenceLogProbs(lp.chosen(), lp.rejected(), chosen, rejected), eta, pairsInStep);
    }

    /// The population's loss with win rates: for each game `E_{y,y'~π_t} (h(y, y') - (P(y > π_t) - P(y' > π_t))/eta)²`.
    /// It is 0 at the optimum.
    ///
    /// @param logPolicy   `log π`, normalised, nats, `[G, n]`; gradient flows
    /// @param logPrevious `log π_t`, normalised and finite, `[G, n]`; a constant whatever graph it carries
    /// @param gamesInStep games in the whole optimizer step, at least G
    /// @return `Σ losses / gamesInStep`; metric `loss` `[G]`
    public static Loss withWinRates(
            Tensor logPolicy, Tensor logPrevious, MatrixGames games, double eta, double tau, long gamesInStep) {
        Tensor e = score(logPolicy, logPrevious, games, eta, tau)
                .minus(games.winRates(logPrevious).div(eta));
        Tensor weights = logPrevious.detach().exp();
        Tensor mean = e.times(weights).sum(1, true);
        // The mean over independent pairs of (e(y) - e(y'))² is twice the variance.
        Tensor losses = e.minus(mean).square().times(weights).sum(1).times(2);
        return games.loss(losses, gamesInStep);
    }

    /// The population's loss with winners and losers, which [#inpo] has in expectation: for each game
    /// `E_{y,y'~π_t} [P(y > y')·(h(y, y') - 1/(2·eta))² + P(y' > y)·(h(y', y) - 1/(2·eta))²]`. It differs from
    /// [#withWinRates] by a number that does not depend on π. Arguments and result are the same.
    public static Loss withWinnersAndLosers(
            Tensor logPolicy, Tensor logPrevious, MatrixGames games, double eta, double tau, long gamesInStep) {
        Tensor h = MatrixGames.differences(score(logPolicy, logPrevious, games, eta, tau));
        Tensor wins = games.winProbabilities().detach();
        Tensor first = h.minus(1 / (2 * eta)).square().times(wins);
        Tensor second = h.neg().minus(1 / (2 * eta)).square().times(wins.neg().plus(1));
        Tensor losses =
                first.plus(second).times(MatrixGames.pairs(logPrevious)).sum(-1).sum(-1);
        return games.loss(losses, gamesInStep);
    }

    private static Tensor score(Tensor logPolicy, Tensor logPrevious, MatrixGames games, double eta, double tau) {
        games.requirePolicy("logPolicy", logPolicy);
        games.requirePolicy("logPrevious", logPrevious);
        return logPolicy.minus(anchor(games.logRef(), logPrevious, refShare(eta, tau)));
    }

    /// What the policy is held to, up to a normaliser: a constant.
    private static Tensor anchor(Tensor ref, Tensor previous, double refShare) {
        return ref.detach().times(refShare).plus(previous.detach().times(1 - refShare));
    }

    private static double refShare(double eta, double tau) {
        Require.positive("eta", eta);
        if (!(tau >= 0 && tau <= eta)) {
            throw new IllegalArgumentException("tau must be in [0, eta] = [0, " + eta + "], was " + tau);
        }
        return tau / eta;
    }
}
