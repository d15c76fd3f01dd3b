package dev.kedge.lab.claim;

import dev.kedge.lab.catalogue.Paper;
import dev.kedge.tensor.Platform;
import java.util.List;
import java.util.Optional;

/// What was measured of a paper's claims.
///
/// @param platform     what computed it; empty where that was not recorded
/// @param measurements one an experiment
/// @param findings     one a claim, in the paper's order
public record Results(
        Paper paper, Optional<Platform> platform, List<Measurement> measurements, List<Finding> findings) {
    public Results {
        measurements = List.copyOf(measurements);
        findings = List.copyOf(findings);
    }

    /// Finds what measurements say about claims; a claim whose experiment is not among them is left out.
    public static Results of(
            Paper paper, Optional<Platform> platform, List<Claim> claims, List<Measurement> measurements) {
        var findings = claims.stream()
                .flatMap(claim -> measurements.stream()
                        .filter(m ->
                                m.experiment().name().equals(claim.experiment().name()))
                        .map(m -> Finding.of(claim, m)))
                .toList();
        return new Results(paper, platform, measurements, findings);
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
        return Verdict.sentence(findings.stream().map(Finding::verdict).toList());
    }
}
