package dev.kedge.lab.claim;

/// Policies on their way through games.
sealed interface Play extends AutoCloseable permits ExactPlay, SampledPlay {
    /// One update in every game.
    ///
    /// @return how many gradients it took
    int update();

    /// Logits of the policies: [G·n].
    double[] logits();

    @Override
    void close();
}
