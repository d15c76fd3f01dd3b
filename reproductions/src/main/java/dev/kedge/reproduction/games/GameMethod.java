package dev.kedge.reproduction.games;

/// A method that learns a preference game by playing it, with its own settings. The strength of the regulariser is the
/// game's beta, but for [SelfPlay], which has none.
///
/// A learning rate is that of plain gradient steps on the logits of n actions. For the losses of uniform pairs a rate
/// of `lr` is a mirror step of `h = 4·lr/n`, or of inverse size `eta = beta/h`.
public sealed interface GameMethod {
    /// EGPO (arXiv:2503.08942): two gradients an update.
    record Egpo(double learningRate) implements GameMethod {}

    /// Online IPO with uniform pairs: online mirror descent.
    record OnlineIpo1(double learningRate) implements GameMethod {}

    /// Online IPO with the policy's own pairs.
    record OnlineIpo2(double learningRate) implements GameMethod {}

    /// Nash-MD (arXiv:2312.00886) by the loss of uniform pairs.
    ///
    /// @param refShare exponent of the reference in the opponent, in [0, 1]
    record NashMd(double learningRate, double refShare) implements GameMethod {}

    /// Nash-MD-PG, its policy gradient, which is in units of preferences and weighs actions by their chance: larger by
    /// some n/beta is the rate that moves a policy as fast.
    ///
    /// @param refShare exponent of the reference in the opponent, in [0, 1]
    record NashMdPg(double learningRate, double refShare) implements GameMethod {}

    /// INPO (arXiv:2407.00617): a regression an update.
    ///
    /// @param eta inverse step size, at least the game's beta
    record Inpo(double eta) implements GameMethod {}

    /// INPO without the reference, `tau = 0`: self-play in the bare game.
    ///
    /// @param eta inverse step size
    record SelfPlay(double eta) implements GameMethod {}

    /// Mirror prox by its closed form: what [Egpo] does exactly, given a step in the terms of [Inpo].
    ///
    /// @param eta inverse step size, at least the game's beta
    record MirrorExtragradient(double eta) implements GameMethod {}

    /// Iterative DPO (arXiv:2312.11456) against the fixed reference: a fit of rewards an update.
    record IterativeDpo() implements GameMethod {}
}
