package dev.kedge.data.verify;

import dev.kedge.config.Kind;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// 1 if a completion agrees with the most frequent answer among all completions of its question, else 0: learning
/// without labels (TTRL, Zuo et al. 2025, arXiv:2504.16084). Of equally frequent answers the first seen wins; a
/// completion without an answer gets 0 and never wins. The reference answer is not looked at.
///
/// @param answer how answers are read off completions
@Kind("majority")
public record Majority(Extraction answer) implements Verification, Verifier {
    @Override
    public Verifier verifier() {
        return this;
    }

    /// A vote of one: 1 if there is an answer. [VerifierBatch] lets all completions of a question vote.
    @Override
    public double reward(VerifierQuestion question, String completion) {
        return answer.of(completion).isPresent() ? 1 : 0;
    }

    /// The vote of each question.
    ///
    /// @param questions   one for each completion; equal ones vote together
    /// @param completions in the order in which they are seen
    /// @return a reward for each completion
    double[] vote(List<VerifierQuestion> questions, List<String> completions) {
        List<Optional<String>> answers = completions.stream().map(answer::of).toList();
        Map<VerifierQuestion, List<Integer>> groups = new LinkedHashMap<>();
        for (int i = 0; i < questions.size(); i++) {
            groups.computeIfAbsent(questions.get(i), _ -> new ArrayList<>()).add(i);
        }
        double[] rewards = new double[questions.size()];
        for (List<Integer> group : groups.values()) {
            Map<String, Integer> counts = new LinkedHashMap<>();
            group.forEach(i -> answers.get(i).ifPresent(a -> counts.merge(a, 1, Integer::sum)));
            int most = counts.values().stream().mapToInt(n -> n).max().orElse(0);
            Optional<String> winner = counts.entrySet().stream()
                    .filter(e -> e.getValue() == most)
                    .map(Map.Entry::getKey)
                    .findFirst();
            group.forEach(i -> rewards[i] = winner.isPresent() && answers.get(i).equals(winner) ? 1 : 0);
        }
        return rewards;
    }
}
