package dev.kedge.objective.policy;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Test-time reinforcement learning (Zuo et al. 2025, arXiv:2504.16084): the majority of a prompt's own answers stands
/// in for the label. The rest is [Grpo] with these rewards, on all votes or the first of them.
public final class Ttrl {
    private Ttrl() {}

    /// Counts the answers to one prompt.
    ///
    /// An answer that could not be read is empty: it cannot win and gets 0, but counts among the votes.
    ///
    /// @param answers as read off the completions, compared as strings; at least one
    /// @return the most frequent answer, of equally frequent ones the first seen
    /// @throws IllegalArgumentException if there is no answer
    public static Vote vote(List<Optional<String>> answers) {
        if (answers.isEmpty()) {
            throw new IllegalArgumentException("a vote needs answers, there were none");
        }
        Map<String, Integer> counts = new LinkedHashMap<>();
        answers.forEach(answer -> answer.ifPresent(a -> counts.merge(a, 1, Integer::sum)));
        int most = 0;
        Optional<String> majority = Optional.empty();
        for (var entry : counts.entrySet()) {
            if (entry.getValue() > most) {
                most = entry.getValue();
                majority = Optional.of(entry.getKey());
            }
        }
        Optional<String> label = majority;
        double[] rewards = answers.stream()
                .mapToDouble(a -> a.isPresent() && a.equals(label) ? 1 : 0)
                .toArray();
        return new Vote(majority, (double) most / answers.size(), rewards);
    }

    /// How a vote came out.
    ///
    /// @param majority the winner; empty if no answer could be read
    /// @param share    its votes by all votes, in [0, 1]
    /// @param rewards  1 for each vote that agrees with it, else 0, in the order of the answers
    public record Vote(Optional<String> majority, double share, double[] rewards) {}
}
