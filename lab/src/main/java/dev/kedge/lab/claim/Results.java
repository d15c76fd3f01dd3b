package dev.kedge.lab.claim;

import dev.kedge.lab.catalogue.Paper;
import java.util.EnumMap;
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
                        .filter(m ->
                                m.experiment().name().equals(claim.experiment().name()))
                        .map(m -> Finding.of(claim, m)))
                .toList();
        return new Results(paper, measurements, findings);
    }

    /// Seconds on one processor.
    public double seconds() {
        return measurements.stream().mapToDouble(Measurement::seconds).sum();
    }

    /// How many claims have this verdict.
    public long count(Verdict verdict) {
        return findings.stream().filter(f -> f.verdict() == verdict).count();
    }

    /// The verdicts counted, as "3 claims: 2 reproduced, 1 contradicted."
    public String sentence() {
        var counts = new EnumMap<Verdict, Integer>(Verdict.class);
        findings.forEach(f -> counts.merge(f.verdict(), 1, Integer::sum));
        var words = counts.entrySet().stream().map(c -> c.getValue() + " " + c.getKey());
        return findings.size() + (findings.size() == 1 ? " claim: " : " claims: ")
                + words.collect(Collectors.joining(", ")) + ".";
    }
}
