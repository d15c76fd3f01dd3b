package dev.kedge.reproduction.games;

/// How policies move in games.
interface Dynamics {
    /// One update in every game.
    ///
    /// @return how many gradients it took
    int update();
}
