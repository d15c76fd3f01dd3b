package dev.kedge.lab;

import dev.kedge.recipe.statistics.Estimate;
import java.util.List;
import java.util.Map;

/// What a run found, as its recipe wrote it down. Every part may be empty.
///
/// @param status      "finished", "failed" or another word
/// @param seconds     how long the run took; NaN where unknown
/// @param phases      what the recipe says of each phase, as names and values
/// @param environment machine and versions, as names and values
public record Summary(
        String title,
        String recipe,
        String verdict,
        String status,
        double seconds,
        List<Fact> facts,
        List<Comparison> comparisons,
        List<Frontier> frontiers,
        List<Sample> samples,
        List<String> notes,
        List<Map<String, String>> phases,
        Map<String, String> environment) {

    /// The number of a fact.
    ///
    /// @throws IllegalArgumentException if there is none of this name
    public double number(String fact) {
        return facts.stream()
                .filter(f -> f.name().equals(fact))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no fact " + fact))
                .value()
                .value();
    }

    /// A named number; `text` stands in its place where the fact is a word, and is empty otherwise.
    public record Fact(String name, Estimate value, String text, String unit, String note) {}

    /// A prompt with the answers before and after training; a reward is NaN where none was given.
    public record Sample(
            String prompt, String before, String after, double rewardBefore, double rewardAfter, String note) {}

    /// The summary of a run that has not ended.
    public static Summary unfinished() {
        return new Summary(
                "",
                "",
                "",
                "unfinished",
                Double.NaN,
                List.of(),
                List.of(),
                List.of(),
                List.of(),
                List.of(),
                List.of(),
                Map.of());
    }
}
