package dev.kedge.reproduction.games;

/// Policies on their way through games.
sealed interface Dynamics extends AutoCloseable permits ExactDynamics, SampledDynamics {
    /// One update in every game.
    ///
    /// @return how many gradients it took
    int update();

    /// Logits of the policies: [G·n].
    double[] logits();

    @Override
    void close();
}
