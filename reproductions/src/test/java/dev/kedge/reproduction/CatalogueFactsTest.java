package dev.kedge.reproduction;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.lab.catalogue.Catalogue;
import dev.kedge.lab.catalogue.Conformance;
import dev.kedge.lab.catalogue.Paper;
import dev.kedge.lab.catalogue.Status;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.YearMonth;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// The facts of the catalogue, held against each other and against the repository.
final class CatalogueFactsTest {
    private static final Path ROOT = Path.of(System.getProperty("kedge.root", ".."));

    /// A paper that there is not, on a list of its own.
    private static final String EXTRA = """
            {"slug": "anchored-drift", "list": "peers", "title": "Drifting at Anchor", "arxiv": "2401.00042",
             "published": "2024-01-05", "authors": 2, "votes": 0, "family": "preference optimisation",
             "methods": ["Anchored Drift"], "summary": "A ship that moves while it is held, as an example of a paper.",
             "objective": "\\\\max_{\\\\pi}", "recipes": [], "claims": []}""";

    private final Predicate<String> isRecipe = Status.recipeIn(ROOT.resolve("recipes"));

    private static List<String> problems(List<Paper> papers, Predicate<String> isRecipe) {
        var problems = new ArrayList<String>();
        var slugs = new HashSet<String>();
        var ids = new HashSet<String>();
        for (var p : papers) {
            var found = new ArrayList<String>();
            check(found, slugs.add(p.slug()), "the slug stands twice");
            check(found, ids.add(p.arxiv()), "the arXiv id stands twice");
            check(found, p.slug().matches("[a-z0-9]+(-[a-z0-9]+)*"), "the slug is not lower case with hyphens");
            check(found, p.list().matches("[a-z0-9]+(-[a-z0-9]+)*"), "the list is not lower case with hyphens");
            check(found, p.arxiv().matches("\\d{2}(0[1-9]|1[0-2])\\.\\d{5}"), "no arXiv id: " + p.arxiv());
            check(found, datesAgree(p), "published " + p.published() + ", but " + p.arxiv());
            check(found, p.authors().matches("1 author|[1-9]\\d* authors|\\p{L}.*"), "authors: " + p.authors());
            check(found, !p.methods().isEmpty(), "no methods");
            check(found, p.summary().endsWith(".") && p.summary().length() > 40, "the summary is no sentence");
            check(found, count(p.objective(), '{') == count(p.objective(), '}'), "braces of the objective");
            p.recipes().forEach(r -> check(found, isRecipe.test(r), "no recipe " + r));
            found.forEach(f -> problems.add(p.slug() + ": " + f));
        }
        return problems;
    }

    private static void check(List<String> problems, boolean holds, String otherwise) {
        if (!holds) {
            problems.add(otherwise);
        }
    }

    /// An id carries the month in which arXiv announced the paper: that of its first version, or the next one.
    private static boolean datesAgree(Paper p) {
        if (!p.arxiv().matches("\\d{4}\\..*")) {
            return true; // told already
        }
        var published = YearMonth.from(p.published());
        var announced = p.arxiv().substring(0, 4);
        return Stream.of(published, published.plusMonths(1))
                .map(month -> "%02d%02d".formatted(month.getYear() % 100, month.getMonthValue()))
                .anyMatch(announced::equals);
    }

    private static long count(String text, char c) {
        return text.chars().filter(x -> x == c).count();
    }

    @Test
    void theFactsAgree() {
        assertEquals(List.of(), problems(Catalogue.load().papers(), isRecipe));
    }

    @Test
    void theListThatTheProjectBeganWithIsWhole() {
        var list = Catalogue.load().papers().stream()
                .filter(p -> p.list().equals("kedge-37"))
                .toList();
        assertEquals(37, list.size());
        for (var p : list) {
            assertTrue(!p.claims().isEmpty(), p.slug() + " says nothing to measure again");
        }
    }

    @Test
    void whatIsRecordedBelongsToAnEntry() throws IOException {
        var catalogue = Catalogue.load();
        var recorded = new ArrayList<String>(Claims.PAPERS);
        Conformance.load().keySet().stream().filter(m -> !m.startsWith("_")).forEach(recorded::add);
        for (var folder : List.of("docs/claims", "docs/papers")) {
            try (var files = Files.list(ROOT.resolve(folder))) {
                files.map(f -> f.getFileName().toString().replaceFirst("\\.(json|md)$", ""))
                        .forEach(recorded::add);
            }
        }
        assertTrue(recorded.size() > Claims.PAPERS.size());
        for (var slug : recorded) {
            assertTrue(catalogue.bySlug(slug).isPresent(), slug);
        }
    }

    @Test
    void oneObjectMoreIsOnePaperMore() throws IOException {
        var own = Catalogue.load().papers();
        var catalogue = Catalogue.parse(with(EXTRA));
        assertEquals(own.size() + 1, catalogue.papers().size());
        assertEquals(own, catalogue.papers().subList(0, own.size()));
        assertEquals(List.of(), problems(catalogue.papers(), isRecipe));
        var extra = catalogue.bySlug("anchored-drift").orElseThrow();
        assertEquals("peers", extra.list());
        assertEquals("2 authors", extra.authors());
        assertEquals(List.of(extra), catalogue.find("anchored drift").papers());
        assertEquals(List.of(extra), catalogue.find("Peers").papers());
        assertEquals(Status.PLANNED, Status.of(extra, isRecipe, _ -> true));
    }

    @Test
    void wrongFactsAreFound() throws IOException {
        assertFound("f-dpo: the slug stands twice", "anchored-drift", "f-dpo");
        assertFound("anchored-drift: the arXiv id stands twice", "2401.00042", "2309.16240");
        assertFound("anchored-drift: no arXiv id: 2413.00042", "2401.00042", "2413.00042");
        assertFound("anchored-drift: published 2024-02-05, but 2401.00042", "2024-01-05", "2024-02-05");
        assertFound("anchored-drift: authors: 0 authors", "\"authors\": 2", "\"authors\": 0");
        assertFound("anchored-drift: no methods", "[\"Anchored Drift\"]", "[]");
        assertFound("anchored-drift: no recipe drift", "\"recipes\": []", "\"recipes\": [\"drift\"]");
    }

    @Test
    void whatIsNoEntryIsRefused() {
        assertRefused("anchored-drift: 'votes' must be a count, got -1", "\"votes\": 0", "\"votes\": -1");
        assertRefused("anchored-drift: 'authors' must be a count, got nothing", "\"authors\": 2, ", "");
        assertRefused("anchored-drift: 'list' must be a text, got 37", "\"peers\"", "37");
        assertRefused("anchored-drift: 'claims' must be a list of texts, got [1]", "\"claims\": []", "\"claims\": [1]");
        assertRefused("anchored-drift: Text '2024-01-32' could not be parsed", "2024-01-05", "2024-01-32");
        assertRefused("anchored-drift: unknown family 'drift'", "preference optimisation", "drift");
    }

    private void assertFound(String problem, String fact, String wrong) throws IOException {
        var papers = Catalogue.parse(with(EXTRA.replace(fact, wrong))).papers();
        assertTrue(problems(papers, isRecipe).contains(problem), () -> problems(papers, isRecipe)
                .toString());
    }

    private static void assertRefused(String problem, String fact, String wrong) {
        var json = "[" + EXTRA.replace(fact, wrong) + "]";
        var e = assertThrows(IllegalArgumentException.class, () -> Catalogue.parse(json));
        assertTrue(e.getMessage().startsWith("papers.json: " + problem), e.getMessage());
    }

    /// The catalogue's file with one object more at its end.
    private static String with(String entry) throws IOException {
        var json = Files.readString(ROOT.resolve("lab/src/main/resources/dev/kedge/lab/catalogue/papers.json"));
        return json.substring(0, json.lastIndexOf(']')) + ", " + entry + "]";
    }
}
