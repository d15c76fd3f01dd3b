package dev.kedge.env;

import java.util.Arrays;

/// The exact updates of policies that learn a preference game by mirror descent: closed forms that gradients of the
/// methods' losses reach in the limit. Policies are normalised log-probabilities, nats, `[n]`.
///
/// All updates are one step, `π'(y) ~ exp(P(y > opponent)/eta)·ref(y)^(tau/eta)·π(y)^(1 - tau/eta)`, the maximiser of
/// `E_π'[P(y > opponent)] - tau·KL(π'||ref) - (eta - tau)·KL(π'||π)`; they differ in the opponent. In the notation of
/// EGPO (arXiv:2503.08942), whose step is `θ' = (1 - h)·θ + h·(log ref + P·opponent/beta)`, `tau` is beta and `eta` is
/// `beta/h`.
public final class MirrorDescent {
    private final PreferenceGame game;
    private final double[] logRef;
    private final double eta;
    private final double tau;

    /// @param refLogits of the reference, `[n]`; normalised here
    /// @param eta       inverse step size, finite and > 0
    /// @param tau       strength of the regulariser, from 0 (no reference) to eta (no memory)
    /// @throws IllegalArgumentException if an argument is out of range
    public MirrorDescent(PreferenceGame game, double[] refLogits, double eta, double tau) {
        if (!(eta > 0 && eta < Double.POSITIVE_INFINITY) || !(tau >= 0 && tau <= eta)) {
            throw new IllegalArgumentException(
                    "finite eta > 0 and tau in [0, eta] expected, were " + eta + " and " + tau);
        }
        if (refLogits.length != game.actions()) {
            throw new IllegalArgumentException(
                    "a reference over " + refLogits.length + " actions in a game of " + game.actions() + " actions");
        }
        this.game = game;
        this.logRef = Categorical.logSoftmax(refLogits);
        this.eta = eta;
        this.tau = tau;
    }

    /// One step against an opponent.
    public double[] against(double[] logOpponent, double[] logPolicy) {
        double[] rates = game.winRates(Categorical.probabilities(logOpponent));
        double share = tau / eta;
        double[] logits = new double[rates.length];
        Arrays.setAll(logits, y -> rates[y] / eta + share * logRef[y] + (1 - share) * logPolicy[y]);
        return Categorical.logSoftmax(logits);
    }

    /// Against itself: online mirror descent, the update of INPO (arXiv:2407.00617) and of online IPO.
    public double[] online(double[] logPolicy) {
        return against(logPolicy, logPolicy);
    }

    /// Against what [#online] would make of it: mirror prox, the update of EGPO.
    public double[] extragradient(double[] logPolicy) {
        return against(online(logPolicy), logPolicy);
    }

    /// Against its geometric mixture with the reference, `~ π^(1-c)·ref^c`: Nash-MD (arXiv:2312.00886), in which
    /// `c = tau/eta`. With a c > 0 that stays, what it comes to is near the equilibrium but not there.
    ///
    /// @param refShare c, in [0, 1]
    public double[] nashMd(double[] logPolicy, double refShare) {
        double[] mixture = new double[logPolicy.length];
        Arrays.setAll(mixture, y -> (1 - refShare) * logPolicy[y] + refShare * logRef[y]);
        return against(Categorical.logSoftmax(mixture), logPolicy);
    }
}
