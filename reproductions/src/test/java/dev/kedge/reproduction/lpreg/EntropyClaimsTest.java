package dev.kedge.reproduction.lpreg;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.lab.claim.Claim;
import dev.kedge.lab.claim.Experiment;
import dev.kedge.lab.claim.Outcome;
import dev.kedge.reproduction.spine.SpineClaims;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/// The runs behind the claims of Lp-Reg and SPINE, at a scale that says nothing; the chain has a test of its own.
class EntropyClaimsTest {
    @Test
    void runsMeasureWhatClaimsRead() {
        measure("scratch-sums", LpRegClaims.claims(new LpRegClaims.Scale(6, 4)));
        measure("worked-sums", SpineClaims.claims(new SpineClaims.Scale(6, 2, 2)));
    }

    private static void measure(String experiment, List<Claim> all) {
        List<Claim> claims = all.stream()
                .filter(c -> c.experiment().name().equals(experiment))
                .toList();
        Set<Experiment> experiments = claims.stream().map(Claim::experiment).collect(Collectors.toSet());
        assertEquals(1, experiments.size());
        Outcome outcome = experiments.iterator().next().trial().run(3);
        claims.forEach(claim -> assertTrue(Double.isFinite(claim.margin(outcome)), claim.name()));
    }
}
