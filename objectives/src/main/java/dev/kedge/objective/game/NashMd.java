package dev.kedge.objective.game;

import dev.kedge.objective.Loss;
import dev.kedge.tensor.Require;
import dev.kedge.tensor.Tensor;

/// Nash-MD (Munos et al. 2023, arXiv:2312.00886): a policy plays against its geometric mixture with the reference.
///
/// Arguments are those of [Egpo#egpo]; in place of the opponent stands `refShare`, the mixture's exponent on the
/// reference, in [0, 1]. Mirror descent with steps of length h (see there) has `refShare = h`. With a share that
/// stays, a policy comes to rest where it is the best response to the mixture: near the equilibrium, but not there.
public final class NashMd {
    private NashMd() {}

    /// `log softmax((1 - refShare)·log π + refShare·log π_ref)`, `[G, n]`: a constant.
    public static Tensor mixture(Tensor logPolicy, Tensor logRef, double refShare) {
        if (!(refShare >= 0 && refShare <= 1)) {
            throw new IllegalArgumentException("refShare must be in [0, 1], was " + refShare);
        }
        Require.dims("logPolicy", logPolicy, 2, "[G, n]");
        Require.sameShape("logRef", logRef, "logPolicy", logPolicy);
        return logPolicy
                .detach()
                .times(1 - refShare)
                .plus(logRef.detach().times(refShare))
                .logSoftmax(1);
    }

    /// [Egpo#egpo] against the [#mixture]; with a share of 0 it is [OnlineIpo#onlineIpo1].
    public static Loss nashMd(Tensor logPolicy, MatrixGames games, double beta, double refShare, long gamesInStep) {
        return Egpo.egpo(logPolicy, mixture(logPolicy, games.logRef(), refShare), games, beta, gamesInStep);
    }
}
