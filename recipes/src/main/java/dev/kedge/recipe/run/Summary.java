package dev.kedge.recipe.run;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// What a run found, for `summary.json` and the reports made from it. Every part may be empty.
///
/// ```java
/// run.summarise(Summary.of("dpo", Summary.Status.FINISHED, run.seconds())
///         .title("DPO on a tiny model")
///         .fact("accuracy", Summary.Estimate.of(0.81, 0.78, 0.84), "", "held-out pairs")
///         .comparison("reward", "", Summary.Estimate.of(0.1), Summary.Estimate.of(0.9)));
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

    /// A number, with the interval that it lies in where that is known.
    public record Estimate(double value, Optional<Interval> interval) {
        public static Estimate of(double value) {
            return new Estimate(value, Optional.empty());
        }

        public static Estimate of(double value, double low, double high) {
            return new Estimate(value, Optional.of(new Interval(low, high)));
        }
    }

    /// Both ends belong to it.
    public record Interval(double low, double high) {}

    /// One number of the run.
    ///
    /// @param unit empty where there is none
    /// @param note empty where there is none
    public record Fact(String name, Estimate estimate, String unit, String note) {}

    /// The same measure before and after.
    public record Comparison(String name, String unit, Estimate before, Estimate after) {}

    /// Curves over two measures, such as reward over divergence.
    ///
    /// @param x       what the x-axis shows, with its unit
    /// @param y       what the y-axis shows, with its unit
    /// @param optimum the exact optimum, where it is known, or what its first point's label says
    public record Frontier(String title, String x, String y, List<Arm> arms, List<Point> optimum) {}

    /// One method's points.
    public record Arm(String name, List<Point> points) {}

    /// @param y     with its interval where that is known
    /// @param label such as the strength, empty where there is none
    public record Point(double x, Estimate y, String label) {}

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

    /// The same with one more fact.
    public Summary fact(String name, Estimate estimate, String unit, String note) {
        List<Fact> more = plus(facts, new Fact(name, estimate, unit, note));
        return new Summary(title, recipe, verdict, status, seconds, more, comparisons, frontiers, samples, notes);
    }

    /// The same with one more comparison.
    public Summary comparison(String name, String unit, Estimate before, Estimate after) {
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

    private static <T> List<T> plus(List<T> list, T element) {
        List<T> more = new ArrayList<>(list);
        more.add(element);
        return more;
    }

    byte[] toJson() {
        return SummaryJson.write(this);
    }
}
