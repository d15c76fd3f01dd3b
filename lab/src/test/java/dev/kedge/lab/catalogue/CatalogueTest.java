package dev.kedge.lab.catalogue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class CatalogueTest {
    private final Catalogue catalogue = Catalogue.load();

    @ParameterizedTest
    @CsvSource({
        "fdpo, f-dpo",
        "f-DPO, f-dpo",
        "F DPO, f-dpo",
        "dpo, f-dpo",
        "forward KL, f-dpo",
        "JSD, f-dpo",
        "GRPO guard, grpo-guard",
        "grpo-guard, grpo-guard",
        "flow grpo, grpo-guard",
        "2309.16240, f-dpo",
        "KD++, nd-kd",
        "di*, diff-instruct-star",
        "ewc, mllm-ctbench",
        "reward hacking, correlated-proxies",
        "tencent, lp-reg",
        "kedge-37, infalign",
        "traffic, rift",
        "best-of-N, infalign",
        "Nash-MD, egpo"
    })
    void theFirstHitIsWhatAPersonMeans(String query, String slug) {
        var found = catalogue.find(query);
        assertFalse(found.papers().isEmpty(), query);
        assertEquals(slug, found.papers().getFirst().slug(), query);
        assertTrue(found.nearest().isEmpty());
    }

    @Test
    void aFamilyFindsAllItsPapersFirst() {
        var found = catalogue.find("nash LEARNING").papers();
        assertEquals(List.of("egpo", "inpo"), slugs(found.subList(0, 2)));
        var preference = catalogue.find("preference optimisation").papers();
        assertTrue(slugs(preference).containsAll(List.of("f-dpo", "hypo", "xpo", "rrpo", "adpo")));
    }

    @Test
    void nothingFoundNamesTheNearest() {
        var found = catalogue.find("grpo gard");
        assertTrue(found.papers().isEmpty());
        assertEquals("grpo-guard", found.nearest().getFirst());
        assertEquals(3, found.nearest().size());
    }

    @Test
    void aBlankQueryFindsAll() {
        assertEquals(catalogue.papers(), catalogue.find(" - ").papers());
    }

    @Test
    void aPaperWorksOnlyWithRecipeAndPassingConformance(@TempDir Path recipes) throws IOException {
        var fdpo = catalogue.bySlug("f-dpo").orElseThrow();
        var without = catalogue.papers().stream()
                .filter(p -> p.recipes().isEmpty())
                .findFirst()
                .orElseThrow();
        var runs = Status.recipeIn(recipes);
        assertEquals(Status.PLANNED, Status.of(fdpo, runs, _ -> true));
        Files.writeString(recipes.resolve("f-dpo.yaml"), "beta: 0.1\n");
        assertEquals(Status.WORKS, Status.of(fdpo, runs, _ -> true));
        assertEquals(Status.PLANNED, Status.of(fdpo, runs, _ -> false));
        assertEquals(Status.PLANNED, Status.of(without, _ -> true, _ -> true));
        var peer = catalogue.bySlug("kto").orElseThrow(); // no authors' cases: its recipe alone decides
        assertEquals(Status.PLANNED, Status.of(peer, runs, _ -> true));
        assertEquals(Status.WORKS, Status.of(peer, _ -> true, _ -> false));
        assertEquals("works", Status.WORKS.toString());
    }

    @Test
    void conformancePassesOnlyWhenNothingFailsOrWaits() {
        var counts = Conformance.parse("""
                {"a": {"passed": 3, "failed": 0, "pending": 0}, "b": {"passed": 3, "failed": 1, "pending": 0},
                 "c": {"passed": 3, "pending": 2}, "d": {}}""");
        var passing = counts.entrySet().stream()
                .filter(e -> e.getValue().passes())
                .map(Map.Entry::getKey)
                .collect(Collectors.toList());
        assertEquals(List.of("a"), passing);
        var e = assertThrows(IllegalArgumentException.class, () -> Conformance.parse("{\"a\": {\"passed\": \"3\"}}"));
        assertEquals("conformance.json: a: 'passed' must be a count, got \"3\"", e.getMessage());
    }

    private static List<String> slugs(List<Paper> papers) {
        return papers.stream().map(Paper::slug).toList();
    }
}
