package dev.kedge.reproduction.proxies;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.lab.claim.Claim;
import dev.kedge.lab.claim.Outcome;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/// At a scale that says nothing of the paper.
class ProxyRewardModelClaimsTest {
    @Test
    void runsMeasureWhatClaimsRead() {
        List<Claim> claims = ProxyRewardModelClaims.claims(new ProxyRewardModelClaims.Scale(40, 4, 20, 30, 8));
        var experiments = claims.stream().map(Claim::experiment).collect(Collectors.toSet());
        assertEquals(1, experiments.size());
        Outcome outcome = experiments.iterator().next().trial().run(3);
        claims.forEach(claim -> assertTrue(Double.isFinite(claim.margin(outcome)), claim.name()));
        double best = outcome.number("true, early stopping");
        assertTrue(best >= outcome.number("true, no regularisation"), "the last policy is one of those kept");
    }
}
