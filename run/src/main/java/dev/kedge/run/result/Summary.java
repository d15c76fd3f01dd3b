package dev.kedge.run.result;

import dev.kedge.statistics.Estimate;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// What a run found, for `summary.json` and the reports made from it. Every part may be empty.
///
/// ```java
/// run.summarise(Summary.of("dpo", Summary.Status.FINISHED, run.seconds())
///         .title("DPO on a tiny model")
///         .fact("accuracy", "accuracy", new Estimate(0.81, 0.78, 0.84), "", "held-out pairs")
///         .comparison("reward", "", Estimate.of(0.1), Estimate.of(0.9)));
/// ```
///
/// @param title   empty where there is none
/// @param verdict in words, empty where there is none
/// @param seconds that the run took
public record Summary(
        String title,
        String recipe,
        String verdict,
        Status status,
        double seconds,
        List<Fact> facts,
        List<Comparison> comparisons,
        List<Frontier> frontiers,
        List<Sample> samples,
        List<String> notes) {
    /// How the run stands.
    public enum Status {
        RUNNING,
        FINISHED,
        FAILED
    }

    /// One number of the run.
    ///
    /// @param key  what programs find it by: lower-case words with `_` between them, the same whatever it is called
    /// @param name for readers
    /// @param unit "%" for a share or a difference of two, in [-1, 1]; otherwise what follows the number, or empty
    /// @param note empty where there is none
    public record Fact(String key, String name, Estimate estimate, String unit, String note) {}

    /// What a model said before and after.
    public record Sample(
            String prompt,
            String before,
            String after,
            Optional<Double> rewardBefore,
            Optional<Double> rewardAfter,
            String note) {}

    public Summary {
        facts = List.copyOf(facts);
        comparisons = List.copyOf(comparisons);
        frontiers = List.copyOf(frontiers);
        samples = List.copyOf(samples);
        notes = List.copyOf(notes);
    }

    /// A summary with nothing in it yet.
    public static Summary of(String recipe, Status status, double seconds) {
        return new Summary("", recipe, "", status, seconds, List.of(), List.of(), List.of(), List.of(), List.of());
    }

    public Summary title(String value) {
        return new Summary(value, recipe, verdict, status, seconds, facts, comparisons, frontiers, samples, notes);
    }

    public Summary verdict(String value) {
        return new Summary(title, recipe, value, status, seconds, facts, comparisons, frontiers, samples, notes);
    }

    /// The key of a fact that stands once for each phase, method or number: what it is, then of which.
    ///
    /// @param which such as `grpo-kl` or 0.5; whatever is neither a letter of English nor a digit becomes `_`
    public static String key(String what, Object which) {
        return what + "_" + words(which.toString());
    }

    static String words(String text) {
        return text.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]+", "_").replaceAll("^_|_$", "");
    }

    /// The same with one more fact.
    ///
    /// @throws IllegalArgumentException if the key is malformed, or a share is none
    public Summary fact(String key, String name, Estimate estimate, String unit, String note) {
        if (!key.matches("[a-z0-9]+(_[a-z0-9]+)*")) {
            throw new IllegalArgumentException("a fact's key is lower-case words with _ between them, was " + key);
        }
        Comparison.requireShare(name, unit, estimate, -1);
        List<Fact> more = plus(facts, new Fact(key, name, estimate, unit, note));
        return new Summary(title, recipe, verdict, status, seconds, more, comparisons, frontiers, samples, notes);
    }

    /// The same with one more fact, a number without interval.
    public Summary fact(String key, String name, double value, String unit, String note) {
        return fact(key, name, Estimate.of(value), unit, note);
    }

    /// The same with one more comparison.
    ///
    /// @throws IllegalArgumentException if a share is none
    public Summary comparison(String name, String unit, Estimate before, Estimate after) {
        Comparison.requireShare(name, unit, before, 0);
        Comparison.requireShare(name, unit, after, 0);
        List<Comparison> more = plus(comparisons, new Comparison(name, unit, before, after));
        return new Summary(title, recipe, verdict, status, seconds, facts, more, frontiers, samples, notes);
    }

    /// The same with one more frontier.
    public Summary frontier(Frontier frontier) {
        List<Frontier> more = plus(frontiers, frontier);
        return new Summary(title, recipe, verdict, status, seconds, facts, comparisons, more, samples, notes);
    }

    /// The same with one more sample.
    public Summary sample(Sample sample) {
        List<Sample> more = plus(samples, sample);
        return new Summary(title, recipe, verdict, status, seconds, facts, comparisons, frontiers, more, notes);
    }

    /// The same with one more note.
    public Summary note(String note) {
        List<String> more = plus(notes, note);
        return new Summary(title, recipe, verdict, status, seconds, facts, comparisons, frontiers, samples, more);
    }

    /// The number of a fact.
    ///
    /// @throws IllegalArgumentException naming the keys there are, if there is none of this key
    public double number(String key) {
        return facts.stream()
                .filter(f -> f.key().equals(key))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no fact '" + key + "' among "
                        + facts.stream().map(Fact::key).toList()))
                .estimate()
                .value();
    }

    private static <T> List<T> plus(List<T> list, T element) {
        List<T> more = new ArrayList<>(list);
        more.add(element);
        return more;
    }
}
