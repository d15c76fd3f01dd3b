package dev.kedge.reproduction.games;

import dev.kedge.env.Categorical;
import dev.kedge.env.MirrorDescent;
import dev.kedge.env.RegularizedGame;
import dev.kedge.objective.Loss;
import dev.kedge.objective.game.Egpo;
import dev.kedge.objective.game.Inpo;
import dev.kedge.objective.game.IterativeDpo;
import dev.kedge.objective.game.MatrixGames;
import dev.kedge.objective.game.NashMd;
import dev.kedge.objective.game.NashMdPg;
import dev.kedge.objective.game.OnlineIpo;
import dev.kedge.tensor.Elementwise;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.util.Arrays;

/// Updates by the gradients of the objectives' exact forms.
final class ExactDynamics implements Dynamics {
    /// Steps of a fit of rewards.
    private static final int FIT = 100;

    private final GameMethod method;
    private final TabularGames games;
    private final MatrixGames tensors;
    private final TabularPolicies policies;

    ExactDynamics(GameMethod method, TabularGames games, TabularPolicies policies) {
        this.method = method;
        this.games = games;
        tensors = policies.games();
        this.policies = policies;
    }

    @Override
    public int update() {
        double beta = games.beta();
        int count = games.count();
        try (Scope _ = new Scope()) {
            Tensor logPolicy = policies.logProbs();
            return switch (method) {
                case GameMethod.Egpo(double rate) -> extragradient(rate);
                case GameMethod.OnlineIpo1(double rate) ->
                    descend(OnlineIpo.onlineIpo1(logPolicy, tensors, beta, count), rate);
                case GameMethod.OnlineIpo2(double rate) ->
                    descend(OnlineIpo.onlineIpo2(logPolicy, tensors, beta, count), rate);
                case GameMethod.NashMd(double rate, double share) ->
                    descend(NashMd.nashMd(logPolicy, tensors, beta, share, count), rate);
                case GameMethod.NashMdPg(double rate, double share) ->
                    descend(NashMdPg.nashMdPg(logPolicy, tensors, beta, share, count), rate);
                case GameMethod.Inpo(double eta) -> regress(logPolicy, eta, beta);
                case GameMethod.SelfPlay(double eta) -> regress(logPolicy, eta, 0);
                case GameMethod.MirrorExtragradient(double eta) -> mirror(eta);
                case GameMethod.IterativeDpo() -> fit(logPolicy.detach());
            };
        }
    }

    private int descend(Loss loss, double rate) {
        policies.descend(loss, rate);
        return 1;
    }

    private int extragradient(double rate) {
        policies.extragradient(
                () -> policies.logProbs().detach(),
                opponent -> Egpo.egpo(policies.logProbs(), opponent, tensors, games.beta(), games.count()),
                rate);
        return 2;
    }

    /// The regression's loss is quadratic in the logits, with second derivatives `4·(diag π_t - π_t·π_tᵀ)`: one step of
    /// Newton is its end.
    private int regress(Tensor logPolicy, double eta, double tau) {
        Tensor previous = logPolicy.detach();
        Loss loss = Inpo.withWinRates(logPolicy, previous, tensors, eta, tau, games.count());
        policies.descend(loss, scale(previous, 4));
        return 1;
    }

    /// The second derivatives of the fit are at most `beta²/2·(diag π_t - π_t·π_tᵀ)`: no step of this size overshoots.
    private int fit(Tensor previous) {
        double beta = games.beta();
        Tensor scale = scale(previous, beta * beta / 2);
        for (int i = 0; i < FIT; i++) {
            try (Scope _ = new Scope()) {
                policies.descend(
                        IterativeDpo.population(policies.logProbs(), previous, tensors, beta, games.count()), scale);
            }
        }
        return FIT;
    }

    /// `curvature·π_t`, [G·n]. An action whose chance underflows has no gradient and stays.
    private static Tensor scale(Tensor previous, double curvature) {
        return Elementwise.clampMin(previous.exp().times(curvature), Double.MIN_NORMAL)
                .view(-1);
    }

    private int mirror(double eta) {
        double[] logits = policies.logits();
        int n = games.actions();
        for (int g = 0; g < games.count(); g++) {
            RegularizedGame game = games.games().get(g);
            double[] policy = Categorical.logSoftmax(Arrays.copyOfRange(logits, g * n, (g + 1) * n));
            double[] next = new MirrorDescent(game.game(), game.logRef(), eta, game.beta()).extragradient(policy);
            System.arraycopy(next, 0, logits, g * n, n);
        }
        policies.setLogits(logits);
        return 2;
    }
}
