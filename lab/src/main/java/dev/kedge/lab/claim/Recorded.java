package dev.kedge.lab.claim;

import dev.kedge.lab.catalogue.Paper;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;

/// What is recorded of a paper's claims: measured with portable kernels, and once more with others, so that a verdict
/// which hangs on rounding is seen to.
///
/// @param results what counts
/// @param other   the second measurement, where there is one
record Recorded(Results results, Optional<Results> other) {
    /// Beside the files that count, those measured with other kernels.
    static final String OTHER_KERNELS = "other-kernels";

    /// Reads `SLUG.json` of a folder, and of the folder `other-kernels` in it.
    static Recorded read(Path folder, Paper paper, List<Claim> claims) {
        Path other = folder.resolve(OTHER_KERNELS).resolve(paper.slug() + ".json");
        return new Recorded(
                ResultsJson.read(folder.resolve(paper.slug() + ".json"), paper, claims),
                Files.isRegularFile(other) ? Optional.of(ResultsJson.read(other, paper, claims)) : Optional.empty());
    }

    List<Entry> entries() {
        return results.findings().stream().map(this::entry).toList();
    }

    private Entry entry(Finding finding) {
        return new Entry(finding, other.flatMap(o -> o.findings().stream()
                .filter(f -> f.claim().name().equals(finding.claim().name()))
                .findFirst()));
    }

    /// How many claims have this verdict.
    long count(Verdict verdict) {
        return entries().stream().filter(e -> e.verdict() == verdict).count();
    }

    String sentence() {
        return Verdict.sentence(entries().stream().map(Entry::verdict).toList());
    }

    /// A claim with both findings.
    record Entry(Finding finding, Optional<Finding> other) {
        /// The one that both share.
        Verdict verdict() {
            return other.map(o -> finding.verdict().and(o.verdict())).orElse(finding.verdict());
        }

        /// By how much the effect differs, in widths of the wider interval; empty where neither has a width, or
        /// there is nothing to compare with.
        OptionalDouble move() {
            return other.stream()
                    .filter(o -> Math.max(width(finding), width(o)) > 0)
                    .mapToDouble(
                            o -> Math.abs(o.effect().value() - finding.effect().value())
                                    / Math.max(width(finding), width(o)))
                    .findFirst();
        }

        /// Whether both came to the same effect to the digit, or there is nothing to compare with.
        boolean isTheSame() {
            return other.map(o -> o.effect().equals(finding.effect())).orElse(true);
        }

        private static double width(Finding f) {
            return f.effect().high() - f.effect().low();
        }
    }
}
