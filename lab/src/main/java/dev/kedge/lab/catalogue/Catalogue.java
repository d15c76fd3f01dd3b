package dev.kedge.lab.catalogue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.text.Normalizer;
import java.time.DateTimeException;
import java.time.LocalDate;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/// The papers whose methods belong to the project, and the search over them.
public record Catalogue(List<Paper> papers) {
    private static final int NEAREST = 3;

    public Catalogue {
        papers = List.copyOf(papers);
    }

    /// What a query found: the papers, best first; and, only when there are none, the names nearest to the query.
    public record Found(List<Paper> papers, List<String> nearest) {}

    private record Scored(Paper paper, int score) {}

    private record Near(String name, int distance) {}

    /// The catalogue that the project carries.
    public static Catalogue load() {
        try (var in = Catalogue.class.getResourceAsStream("papers.json")) {
            return parse(new String(in.readAllBytes(), StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read the catalogue papers.json", e);
        }
    }

    /// The catalogue in `json`, a list of objects with the keys of [Paper]; one object more is one paper more. Instead
    /// of `authors`, a count, an entry may name an `organisation`. Throws [IllegalArgumentException] that names the
    /// entry and the key where one is missing or something else.
    public static Catalogue parse(String json) {
        try {
            var entries = new ObjectMapper().readTree(json);
            return new Catalogue(StreamSupport.stream(entries.spliterator(), false)
                    .map(Catalogue::paper)
                    .toList());
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("papers.json: not valid JSON: " + e.getOriginalMessage(), e);
        }
    }

    /// The paper of exactly that slug.
    public Optional<Paper> bySlug(String slug) {
        return papers.stream().filter(p -> p.slug().equals(slug)).findFirst();
    }

    /// The papers that `query` means: a slug, a method, an arXiv id, a family, a list, or words of the entry. Case and
    /// punctuation do not count. Exact slugs and methods come first, then names that contain the query, then
    /// entries that hold all its words. A blank query finds all papers in catalogue order.
    public Found find(String query) {
        var compact = compact(query);
        if (compact.isEmpty()) {
            return new Found(papers, List.of());
        }
        var words = words(query);
        var found = papers.stream()
                .map(p -> new Scored(p, score(p, compact, words)))
                .filter(s -> s.score > 0)
                .sorted(Comparator.comparingInt(Scored::score).reversed())
                .map(Scored::paper)
                .toList();
        return new Found(found, found.isEmpty() ? nearest(compact) : List.of());
    }

    private static int score(Paper p, String compact, List<String> words) {
        if (names(p).anyMatch(n -> compact(n).equals(compact))
                || compact(p.arxiv()).equals(compact)) {
            return 100;
        }
        if (names(p).anyMatch(n -> words(n).containsAll(words))) {
            return 80;
        }
        if (compact(p.family().title()).equals(compact) || compact(p.list()).equals(compact)) {
            return 70;
        }
        if (compact.length() >= 3 && names(p).anyMatch(n -> compact(n).contains(compact))) {
            return 60;
        }
        if (words(p.title()).containsAll(words)) {
            return 50;
        }
        if (words(p.family().title()).containsAll(words)) {
            return 40;
        }
        return words(everything(p)).containsAll(words) ? 20 : 0;
    }

    private static Stream<String> names(Paper p) {
        return Stream.concat(Stream.of(p.slug()), p.methods().stream());
    }

    private static String everything(Paper p) {
        return String.join(
                " ",
                p.slug(),
                p.title(),
                String.join(" ", p.methods()),
                p.family().title(),
                p.summary(),
                p.authors(),
                String.join(" ", p.claims()));
    }

    private List<String> nearest(String compact) {
        return papers.stream()
                .flatMap(Catalogue::names)
                .distinct()
                .map(n -> new Near(n, editDistance(compact, compact(n))))
                .sorted(Comparator.comparingInt(Near::distance))
                .limit(NEAREST)
                .map(Near::name)
                .toList();
    }

    private static String plain(String text) {
        return Normalizer.normalize(text, Normalizer.Form.NFKD)
                .replaceAll("\\p{M}", "")
                .toLowerCase(Locale.ROOT);
    }

    private static String compact(String text) {
        // "KD++" and "Diff-Instruct*" stay apart from "KD" and "Diff-Instruct".
        return plain(text).replaceAll("[^\\p{L}\\p{N}+*]", "");
    }

    private static List<String> words(String text) {
        return Stream.of(plain(text).split("[^\\p{L}\\p{N}+*]+"))
                .filter(w -> !w.isEmpty())
                .toList();
    }

    /// Levenshtein distance.
    private static int editDistance(String a, String b) {
        var previous = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            previous[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            var row = new int[b.length() + 1];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int substitution = previous[j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                row[j] = Math.min(substitution, Math.min(previous[j], row[j - 1]) + 1);
            }
            previous = row;
        }
        return previous[b.length()];
    }

    private static Paper paper(JsonNode e) {
        try {
            return new Paper(
                    text(e, "slug"),
                    text(e, "list"),
                    text(e, "title"),
                    text(e, "arxiv"),
                    LocalDate.parse(text(e, "published")),
                    authors(e),
                    count(e, "votes"),
                    Family.named(text(e, "family")),
                    texts(e, "methods"),
                    text(e, "summary"),
                    text(e, "objective"),
                    texts(e, "recipes"),
                    texts(e, "claims"));
        } catch (IllegalArgumentException | DateTimeException problem) {
            var slug = e.path("slug").asText("entry without a slug");
            throw new IllegalArgumentException("papers.json: " + slug + ": " + problem.getMessage(), problem);
        }
    }

    private static String authors(JsonNode e) {
        if (e.has("organisation")) {
            return text(e, "organisation");
        }
        int count = count(e, "authors");
        return count == 1 ? "1 author" : count + " authors";
    }

    private static int count(JsonNode e, String key) {
        var value = e.path(key);
        if (!value.canConvertToInt() || value.intValue() < 0) {
            throw new IllegalArgumentException("'" + key + "' must be a count, got " + shown(value));
        }
        return value.intValue();
    }

    private static String text(JsonNode e, String key) {
        var value = e.path(key);
        if (!value.isTextual()) {
            throw new IllegalArgumentException("'" + key + "' must be a text, got " + shown(value));
        }
        return value.textValue();
    }

    private static List<String> texts(JsonNode e, String key) {
        var value = e.path(key);
        var texts = StreamSupport.stream(value.spliterator(), false).toList();
        if (!value.isArray() || !texts.stream().allMatch(JsonNode::isTextual)) {
            throw new IllegalArgumentException("'" + key + "' must be a list of texts, got " + shown(value));
        }
        return texts.stream().map(JsonNode::textValue).toList();
    }

    private static String shown(JsonNode value) {
        return value.isMissingNode() ? "nothing" : value.toString();
    }
}
