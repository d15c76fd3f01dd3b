package dev.kedge.reproduction;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.data.task.ScratchSum;
import dev.kedge.lab.catalogue.Catalogue;
import dev.kedge.lab.claim.Claim;
import dev.kedge.lab.claim.Experiment;
import dev.kedge.lab.claim.Outcome;
import dev.kedge.lab.tabular.TabularTraining;
import dev.kedge.reproduction.adpo.AdpoClaims;
import dev.kedge.reproduction.adpo.AdpoDistillation;
import dev.kedge.reproduction.adpo.AdpoExperiments;
import dev.kedge.reproduction.asft.AsftClaims;
import dev.kedge.reproduction.asft.AsftExperiment;
import dev.kedge.reproduction.demoregrl.DemoRegRlClaims;
import dev.kedge.reproduction.demoregrl.DemoRegRlExperiments;
import dev.kedge.reproduction.drpo.DrpoClaims;
import dev.kedge.reproduction.egpo.EgpoClaims;
import dev.kedge.reproduction.egpo.EgpoExperiments;
import dev.kedge.reproduction.fdpo.FDpoClaims;
import dev.kedge.reproduction.fdpo.FDpoExperiment;
import dev.kedge.reproduction.games.GameMethod;
import dev.kedge.reproduction.games.TabularDynamics;
import dev.kedge.reproduction.games.TabularGames;
import dev.kedge.reproduction.genarm.GenarmClaims;
import dev.kedge.reproduction.genarm.GenarmFrontClaims;
import dev.kedge.reproduction.gtpo.GtpoClaims;
import dev.kedge.reproduction.hypo.HypoClaims;
import dev.kedge.reproduction.infalign.InfalignClaims;
import dev.kedge.reproduction.infalign.InfalignPolicies;
import dev.kedge.reproduction.infalign.InfalignTabular;
import dev.kedge.reproduction.inpo.InpoClaims;
import dev.kedge.reproduction.inpo.InpoExperiments;
import dev.kedge.reproduction.oreal.OrealClaims;
import dev.kedge.reproduction.proxies.CorrelatedProxiesClaims;
import dev.kedge.reproduction.proxies.ProxyExperiments;
import dev.kedge.reproduction.recap.RecapClaims;
import dev.kedge.reproduction.recap.RecapExperiment;
import dev.kedge.reproduction.rlklbayes.RlKlBayesClaims;
import dev.kedge.reproduction.rlklbayes.RlKlBayesTabular;
import dev.kedge.reproduction.rlklbayes.RlKlBayesTexts;
import dev.kedge.reproduction.rrpo.RrpoClaims;
import dev.kedge.reproduction.rrpo.RrpoExperiment;
import dev.kedge.reproduction.topr.ToprClaims;
import dev.kedge.reproduction.trial.ScratchSumTrial;
import dev.kedge.reproduction.xpo.XpoClaims;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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

    /// At a scale that says nothing, but runs all of every experiment.
    @Test
    void gamesMeasureWhatTheirClaimsRead() {
        measuresWhatIsRead(EgpoClaims.claims(new EgpoExperiments.Scale(4, 40, 40, 20, 20, 5)), 3);
        measuresWhatIsRead(InpoClaims.claims(new InpoExperiments.Scale(4, 20, 3, 3, 4, 30)), 2);
    }

    @Test
    void anchorsAndPhrasesMeasureWhatTheirClaimsRead() {
        measuresWhatIsRead(AdpoClaims.claims(new AdpoExperiments.Scale(5, 40), new AdpoDistillation.Scale(25, 40)), 2);
        measuresWhatIsRead(RrpoClaims.claims(new RrpoExperiment.Scale(5, 40, 25, 20)), 1);
    }

    @Test
    void skillsMeasureWhatTheirClaimsRead() {
        measuresWhatIsRead(AsftClaims.claims(new AsftExperiment.Scale(10, 40, 10, 20)), 1);
        measuresWhatIsRead(RecapClaims.claims(new RecapExperiment.Scale(10, 25, 20)), 1);
    }

    @Test
    void selectionMeasuresWhatItsClaimsRead() {
        measuresWhatIsRead(
                InfalignClaims.claims(
                        new InfalignTabular.Scale(3, 20, 20), new InfalignPolicies.Scale(200, 6, 2, 2, 4)),
                2);
    }

    @Test
    void verifiableRewardsMeasureWhatTheirClaimsRead() {
        measuresWhatIsRead(OrealClaims.claims(ScratchSumTrial.plain(6, 4, 4, 2, 1, 1, 2)), 1);
        measuresWhatIsRead(
                ToprClaims.claims(
                        ScratchSumTrial.plain(6, 4, 4, 4, 4, 2, 4), ScratchSumTrial.plain(6, 4, 4, 4, 2, 1, 4)),
                2);
    }

    @Test
    void inferenceMeasuresWhatItsClaimsRead() {
        measuresWhatIsRead(
                RlKlBayesClaims.claims(
                        new RlKlBayesTabular.Scale(6, 0.5, 20, 8, 0.02),
                        new RlKlBayesTexts.Scale(3, 4, 16, 4, 8, 32, 1000)),
                2);
    }

    @Test
    void guidanceMeasuresWhatItsClaimsRead() {
        measuresWhatIsRead(GenarmClaims.claims(new GenarmClaims.Scale(16, 20, 60, 4, 30, 10)), 1);
        measuresWhatIsRead(GenarmFrontClaims.claims(new GenarmClaims.Scale(24, 200, 800, 60, 100, 10)), 1);
    }

    @Test
    void proxiesMeasureWhatTheirClaimsRead() {
        measuresWhatIsRead(
                CorrelatedProxiesClaims.claims(
                        new ProxyExperiments.Scale(5, 3, List.of(0.5), 2), new ProxyExperiments.Sampling(2, 64, 0.1)),
                5);
    }

    @Test
    void demonstrationsMeasureWhatTheirClaimsRead() {
        var scale = new DemoRegRlExperiments.Scale(2, List.of(1, 2, 3, 4, 6), 1, 1, List.of(3, 6, 9), 3);
        measuresWhatIsRead(DemoRegRlClaims.claims(scale), 5);
    }

    private static void measuresWhatIsRead(List<Claim> claims, int experiments) {
        var outcomes = new HashMap<Experiment, Outcome>();
        for (var claim : claims) {
            var outcome =
                    outcomes.computeIfAbsent(claim.experiment(), e -> e.trial().run(3));
            assertTrue(Double.isFinite(claim.margin(outcome)), claim.name());
        }
        assertEquals(experiments, outcomes.size());
        outcomes.forEach((e, outcome) -> assertEquals(outcome, e.trial().run(3), e.name()));
        outcomes.forEach((e, outcome) -> assertNotEquals(outcome, e.trial().run(4), e.name()));
    }

    /// EGPO's numbers are those of play: on a game whose gaps are known after as many gradients, and updates.
    @Test
    void egpoIsHeldAgainstTheOthersAtEqualBudgets() {
        var scale = new EgpoExperiments.Scale(10, 80, 40, 20, 20, 5);
        var outcome = EgpoExperiments.games(scale).trial().run(2);
        var games = TabularGames.random(1, 10, 0.01, 2);
        var egpo =
                TabularDynamics.exact(new GameMethod.Egpo(0.02), games, 40, 1).getFirst();
        var ipo = TabularDynamics.exact(new GameMethod.OnlineIpo1(0.02), games, 80, 1)
                .getFirst();
        assertEquals(80, egpo.end().gradients());
        assertEquals(
                egpo.end().last().logGap(), outcome.number(EgpoExperiments.Method.EGPO.number(EgpoExperiments.SAME)));
        assertEquals(
                ipo.end().last().logGap(), outcome.number(EgpoExperiments.Method.IPO_1.number(EgpoExperiments.SAME)));
        assertEquals(
                egpo.end().last().logGap(), outcome.number(EgpoExperiments.Method.EGPO.number(EgpoExperiments.HALF)));
        assertEquals(
                ipo.afterUpdates(40).last().logGap(),
                outcome.number(EgpoExperiments.Method.IPO_1.number(EgpoExperiments.HALF)));
    }

    @Test
    void hypoAndXpoMeasureWhatTheirClaimsRead() {
        for (var claims : List.of(HypoClaims.claims(), XpoClaims.claims())) {
            var experiment = claims.getFirst().experiment();
            var outcome = experiment.trial().run(1000);
            for (var claim : claims) {
                assertEquals(experiment.name(), claim.experiment().name());
                assertTrue(Double.isFinite(claim.margin(outcome)), claim.name());
            }
        }
    }

    /// One step on what twelve steps of demonstrations teach.
    @Test
    void drpoAndGtpoMeasureWhatTheirClaimsRead() {
        var scale = ScratchSumTrial.shallow(new ScratchSum(Optional.of(0.5)), 12, 1, 4, 1, 4);
        for (var claims : List.of(DrpoClaims.claims(scale), GtpoClaims.claims(scale))) {
            var experiment = claims.getFirst().experiment();
            var outcome = experiment.trial().run(1000);
            for (var claim : claims) {
                assertEquals(experiment.name(), claim.experiment().name());
                assertTrue(Double.isFinite(claim.margin(outcome)), claim.name());
            }
        }
    }
}
