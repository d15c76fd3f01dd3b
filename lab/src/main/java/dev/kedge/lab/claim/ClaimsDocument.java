package dev.kedge.lab.claim;

import dev.kedge.lab.catalogue.Catalogue;
import dev.kedge.lab.plot.Quantity;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// `docs/claims.md`: every recorded result on one page.
public final class ClaimsDocument {
    private ClaimsDocument() {}

    /// The page, from the files `SLUG.json` of a folder that `kedge reproduce SLUG --record` left there.
    ///
    /// @param papers slugs, in the order of the page; one without a file is left out
    /// @param claims of a slug
    /// @throws IllegalArgumentException naming the file, if it is malformed or out of date
    public static String markdown(Path folder, List<String> papers, Function<String, List<Claim>> claims) {
        var catalogue = Catalogue.load();
        var results = papers.stream()
                .filter(slug -> Files.isRegularFile(folder.resolve(slug + ".json")))
                .map(slug -> ResultsJson.read(
                        folder.resolve(slug + ".json"), catalogue.bySlug(slug).orElseThrow(), claims.apply(slug)))
                .toList();
        return """
                # Claims, measured again

                Written by `./kedge claims` from `docs/claims/*.json`, which `./kedge reproduce SLUG --record` leaves
                there; `./kedge reproduce SLUG` measures a paper's claims anew. An effect above 0 is what the paper
                says; behind it stands its 95 % bootstrap interval over seeds, in which the arms are paired. A claim is
                *reproduced* where the whole interval is above what the claim asks for, *contradicted* where the whole
                interval is below 0, and *not seen at this scale* otherwise. Times are those of one processor and of
                the whole experiment, which may serve several claims.

                """
                + overview(results)
                + results.stream().map(ClaimsDocument::section).collect(Collectors.joining());
    }

    private static String overview(List<Results> results) {
        var rows = new StringBuilder("| paper | claims | reproduced | not seen | contradicted | time |\n");
        rows.append("|---|---|---|---|---|---|\n");
        for (var r : results) {
            rows.append(row(
                    "[" + r.paper().slug() + "](#" + r.paper().slug() + ")",
                    Integer.toString(r.findings().size()),
                    Long.toString(r.count(Verdict.REPRODUCED)),
                    Long.toString(r.count(Verdict.NOT_SEEN)),
                    Long.toString(r.count(Verdict.CONTRADICTED)),
                    Quantity.duration(Math.round(r.seconds()))));
        }
        return rows.toString();
    }

    private static String section(Results results) {
        var paper = results.paper();
        var text = new StringBuilder("\n## " + paper.slug() + "\n\n[" + paper.title() + "](https://arxiv.org/abs/"
                + paper.arxiv() + "). " + results.sentence() + "\n\n");
        text.append("| claim | measured | effect | verdict | seeds | time |\n|---|---|---|---|---|---|\n");
        for (var f : results.findings()) {
            text.append(row(
                    f.claim().statement(),
                    f.comparison(),
                    f.effectInWords(),
                    f.verdict() == Verdict.REPRODUCED
                            ? "**reproduced**"
                            : f.verdict().toString(),
                    Integer.toString(f.seeds()),
                    Quantity.duration(Math.round(f.measurement().seconds()))));
        }
        for (var m : results.measurements()) {
            text.append("\n**" + m.experiment().name() + "**: " + m.experiment().description() + "\n");
        }
        return text.toString();
    }

    private static String row(String... cells) {
        return "| "
                + Stream.of(cells).map(cell -> cell.replace("|", "\\|")).collect(Collectors.joining(" | "))
                + " |\n";
    }
}
