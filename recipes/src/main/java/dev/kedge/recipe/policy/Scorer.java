package dev.kedge.recipe.policy;

import java.util.List;

/// Judges completions. Never throws for what a model wrote or for a verifier in trouble: such a completion has a
/// [Score] without a reward.
@FunctionalInterface
public interface Scorer extends AutoCloseable {
    /// @param questions   one a completion
    /// @param completions texts without special tokens
    /// @return in the same order
    List<Score> score(List<Question> questions, List<String> completions);

    /// Frees what it holds.
    @Override
    default void close() {}
}
