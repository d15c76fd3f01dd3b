package dev.kedge.lab.claim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.lab.Catalogue;
import dev.kedge.lab.tabular.TabularTraining;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class ClaimsTest {
    @Test
    void everyPaperInTheListIsInTheCatalogueAndHasClaims() {
        for (var slug : Claims.PAPERS) {
            assertTrue(Catalogue.load().bySlug(slug).isPresent(), slug);
            assertFalse(Claims.of(slug).isEmpty(), slug);
        }
        assertTrue(Claims.of("no-such-paper").isEmpty());
    }

    @Test
    void namesAreToldApart() {
        for (var slug : Claims.PAPERS) {
            Set<String> names = new HashSet<>();
            Map<String, String> descriptions = new HashMap<>();
            for (var claim : Claims.of(slug)) {
                assertEquals(slug, claim.paper());
                assertTrue(names.add(claim.name()), claim.name());
                var experiment = claim.experiment();
                var other = descriptions.put(experiment.name(), experiment.description());
                assertTrue(other == null || other.equals(experiment.description()), experiment.name());
            }
        }
    }

    /// At a scale that says nothing about the claims, but runs all of the experiment.
    @Test
    void fDpoMeasuresWhatItsClaimsRead() {
        var scale = new FDpoExperiment.Scale(
                2, 6, 400, new TabularTraining(60, 0.1), FDpoExperiment.halvings(8, 6), FDpoExperiment.halvings(32, 7));
        var experiment = FDpoExperiment.tabular(scale);
        var outcome = experiment.trial().run(1);
        for (var claim : FDpoClaims.claims(experiment)) {
            assertTrue(Double.isFinite(claim.margin(outcome)), claim.name());
        }
        assertEquals(4, outcome.frontiers().size());
        assertEquals(outcome, experiment.trial().run(1));
        assertTrue(outcome.number("calibration error over its bound") <= 1);
    }
}
