package dev.kedge.env;

import java.util.Arrays;

/// A preference game whose players are held to a reference: the first maximises, and the second minimises,
/// `V(p, q) = pᵀ·P·q - beta·KL(p||ref) + beta·KL(q||ref)` (arXiv:2312.00886; arXiv:2503.08942). It has one equilibrium,
/// in which both play the same policy: `π(y) ~ ref(y)·exp(P(y > π)/beta)`.
///
/// Policies are normalised log-probabilities, nats, `[n]`: with a small beta the rare actions are rarer than a double
/// can say. Each method throws [IllegalArgumentException] if a policy has another length or is not normalised.
public final class RegularizedGame {
    private static final double ROUNDING = 1e-6;

    private final PreferenceGame game;
    private final double[] logRef;
    private final double beta;

    /// @param refLogits of the reference, finite, `[n]`; normalised here
    /// @param beta      strength of the regulariser, finite and > 0
    /// @throws IllegalArgumentException if an argument is out of range
    public RegularizedGame(PreferenceGame game, double[] refLogits, double beta) {
        if (refLogits.length != game.actions()) {
            throw new IllegalArgumentException(
                    "a reference over " + refLogits.length + " actions in a game of " + game.actions() + " actions");
        }
        if (!Arrays.stream(refLogits).allMatch(Double::isFinite)) {
            throw new IllegalArgumentException("refLogits must be finite, were " + Arrays.toString(refLogits));
        }
        if (!(beta > 0 && beta < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("beta must be finite and > 0, was " + beta);
        }
        this.game = game;
        this.logRef = Categorical.logSoftmax(refLogits);
        this.beta = beta;
    }

    /// The game without the regulariser.
    public PreferenceGame game() {
        return game;
    }

    /// A copy of the reference's log-probabilities, `[n]`.
    public double[] logRef() {
        return logRef.clone();
    }

    /// Strength of the regulariser.
    public double beta() {
        return beta;
    }

    /// `V(first, second)`. `V(p, q) + V(q, p) = 1` and `V(p, p) = 1/2`.
    public double value(double[] logFirst, double[] logSecond) {
        requirePolicy(logFirst);
        requirePolicy(logSecond);
        double wins = game.winRate(Categorical.probabilities(logFirst), Categorical.probabilities(logSecond));
        return wins - beta * Categorical.kl(logFirst, logRef) + beta * Categorical.kl(logSecond, logRef);
    }

    /// The policy that does best against an opponent: `~ ref(y)·exp(P(y > opponent)/beta)`, log-probabilities `[n]`.
    public double[] bestResponse(double[] logOpponent) {
        requirePolicy(logOpponent);
        double[] rates = game.winRates(Categorical.probabilities(logOpponent));
        double[] logits = new double[rates.length];
        Arrays.setAll(logits, y -> logRef[y] + rates[y] / beta);
        return Categorical.logSoftmax(logits);
    }

    /// `V(BR, π) - V(π, BR)` with the best response BR to π: never below 0, and 0 at the equilibrium only.
    ///
    /// As `V(BR, π) - V(π, π) = beta·KL(π||BR)` and the game is symmetric, it is `2·beta·KL(π||BR)`, which keeps
    /// its digits when it is small.
    public double dualityGap(double[] logPolicy) {
        return 2 * beta * Categorical.kl(logPolicy, bestResponse(logPolicy));
    }

    /// The equilibrium's log-probabilities, `[n]`: the π with `log π = log ref + P·π/beta - const` to within 1e-12, or
    /// 1e-14/beta where rounding allows no better.
    ///
    /// @throws ArithmeticException if rounding prevents that
    public double[] nash() {
        return NashPath.equilibrium(game, logRef, beta);
    }

    private void requirePolicy(double[] logPolicy) {
        if (logPolicy.length != logRef.length) {
            throw new IllegalArgumentException(
                    "a policy over " + logPolicy.length + " actions in a game of " + logRef.length + " actions");
        }
        double normalizer = Categorical.logSumExp(logPolicy);
        if (!(Math.abs(normalizer) <= ROUNDING)) {
            throw new IllegalArgumentException(
                    "a policy must be normalised log-probabilities, added up to exp(" + normalizer + ")");
        }
    }
}
