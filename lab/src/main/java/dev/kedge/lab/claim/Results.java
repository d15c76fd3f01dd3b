package dev.kedge.lab.claim;

import dev.kedge.lab.Paper;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/// What was measured of a paper's claims.
///
/// @param measurements one an experiment
/// @param findings     one a claim, in the paper's order
public record Results(Paper paper, List<Measurement> measurements, List<Finding> findings) {
    public Results {
        measurements = List.copyOf(measurements);
        findings = List.copyOf(findings);
    }

    /// Finds what measurements say about claims; a claim whose experiment is not among them is left out.
    public static Results of(Paper paper, List<Claim> claims, List<Measurement> measurements) {
        var findings = claims.stream()
                .flatMap(claim -> measurements.stream()
                        .filter(m -> m.experiment().name().equals(claim.experiment().name()))
                        .map(m -> Finding.of(claim, m)))
                .toList();
        return new Results(paper, measurements, findings);
    }

    /// Seconds on one processor.
    public double seconds() {
        return measurements.stream().mapToDouble(Measurement::seconds).sum();
    }

    /// The verdicts counted, as "Of 3 claims 2 are reproduced and 1 is contradicted."
    public String sentence() {
        var counts = Arrays.stream(Verdict.values())
                .map(v -> new Object() {
                    final long count =
                            findings.stream().filter(f -> f.verdict() == v).count();
                    final String words = count + (count == 1 ? " is " : " are ") + v;
                })
                .filter(c -> c.count > 0)
                .map(c -> c.words)
                .collect(Collectors.joining(", "));
        return "Of " + findings.size() + (findings.size() == 1 ? " claim " : " claims ") + counts + ".";
    }
}
