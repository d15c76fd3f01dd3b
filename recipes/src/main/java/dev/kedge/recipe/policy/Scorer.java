package dev.kedge.recipe.policy;

import dev.kedge.data.verify.Limits;
import dev.kedge.data.verify.Verifier;
import dev.kedge.data.verify.VerifierBatch;
import dev.kedge.data.verify.VerifierQuestion;
import dev.kedge.data.verify.VerifierResult;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.IntStream;

/// Rewards completions. Never throws for what a model wrote or for a verifier that fails: such a completion has a
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

    /// Rewards by a verifier, also one of one's own, within the [Limits#usual] limits. Answers are not read off: there
    /// are no votes.
    static Scorer of(Verifier verifier) {
        return of(verifier, _ -> Optional.empty());
    }

    /// The same for methods that vote.
    ///
    /// @param vote how an answer is read off a completion
    static Scorer of(Verifier verifier, Function<String, Optional<String>> vote) {
        return (questions, completions) -> {
            List<VerifierQuestion> asked =
                    questions.stream().map(Question::asked).toList();
            List<VerifierResult> results = VerifierBatch.verify(verifier, asked, completions, Limits.usual())
                    .each();
            return IntStream.range(0, completions.size())
                    .mapToObj(i -> new Score(
                            results.get(i).reward().orElse(Double.NaN),
                            vote.apply(completions.get(i)),
                            results.get(i).reason()))
                    .toList();
        };
    }
}
