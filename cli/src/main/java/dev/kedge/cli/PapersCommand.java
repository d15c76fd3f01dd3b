package dev.kedge.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.kedge.lab.catalogue.Catalogue;
import dev.kedge.lab.catalogue.Conformance;
import dev.kedge.lab.catalogue.Paper;
import dev.kedge.lab.catalogue.Status;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// The catalogue of papers.
@Command(name = "papers", description = "The papers, found by word, method or family.", mixinStandardHelpOptions = true)
final class PapersCommand implements Callable<Integer> {
    @Parameters(arity = "0..*", paramLabel = "QUERY", description = "A slug, a method, a family, a list, or words.")
    List<String> query = List.of();

    @Option(names = "--json", description = "Print an array of objects.")
    boolean json;

    @Override
    public Integer call() throws JsonProcessingException {
        Catalogue.Found found = Catalogue.load().find(String.join(" ", query));
        Map<String, Conformance> conformance = Conformance.load();
        if (json) {
            System.out.println(array(found.papers(), conformance));
        } else if (found.papers().isEmpty()) {
            System.out.println("Nothing found for \"" + String.join(" ", query) + "\"; nearest: "
                    + String.join(", ", found.nearest()));
        } else {
            found.papers().forEach(paper -> print(paper, status(paper, conformance)));
        }
        return 0;
    }

    private static Status status(Paper paper, Map<String, Conformance> conformance) {
        return Status.of(
                paper,
                Status.recipeIn(Installation.recipes()),
                slug -> conformance.containsKey(slug) && conformance.get(slug).passes());
    }

    private static void print(Paper paper, Status status) {
        System.out.printf(
                Locale.ROOT,
                "%s  (%s, %s, %s, %s)%n",
                paper.slug(),
                paper.list(),
                paper.published(),
                paper.family().title(),
                status);
        System.out.println("  " + paper.title() + " (arXiv:" + paper.arxiv() + ")");
        System.out.println("  " + paper.summary());
        System.out.println("  methods: " + String.join(", ", paper.methods()));
        String recipes = String.join(", ", paper.recipes());
        System.out.println("  recipe: " + (recipes.isEmpty() ? "none yet" : recipes));
        System.out.println();
    }

    private static String array(List<Paper> papers, Map<String, Conformance> conformance)
            throws JsonProcessingException {
        ObjectMapper mapper = new ObjectMapper();
        ArrayNode array = mapper.createArrayNode();
        for (Paper paper : papers) {
            ObjectNode node = array.addObject();
            node.put("slug", paper.slug());
            node.put("list", paper.list());
            node.put("title", paper.title());
            node.put("arxiv", paper.arxiv());
            node.put("published", paper.published().toString());
            node.put("authors", paper.authors());
            node.put("votes", paper.votes());
            node.put("family", paper.family().title());
            node.set("methods", mapper.valueToTree(paper.methods()));
            node.put("summary", paper.summary());
            node.put("objective", paper.objective());
            node.put(
                    "recipe", paper.recipes().isEmpty() ? null : paper.recipes().getFirst());
            node.set("recipes", mapper.valueToTree(paper.recipes()));
            node.set("claims", mapper.valueToTree(paper.claims()));
            node.put("status", status(paper, conformance).toString());
        }
        return mapper.writerWithDefaultPrettyPrinter().writeValueAsString(array);
    }
}
