package dev.kedge.lab.claim;

import dev.kedge.lab.catalogue.Catalogue;
import dev.kedge.lab.plot.Quantity;
import dev.kedge.tensor.Platform;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// `docs/claims.md`: every recorded result on one page.
public final class ClaimsDocument {
    private ClaimsDocument() {}

    /// Where results measured with portable kernels are recorded.
    public static Path folder(Path docs) {
        return docs.resolve("claims");
    }

    /// Where results measured with other kernels are recorded, beside the former.
    public static Path otherKernels(Path docs) {
        return folder(docs).resolve(Recorded.OTHER_KERNELS);
    }

    /// The page, from the files `SLUG.json` of a folder that `kedge reproduce SLUG --record` left there.
    ///
    /// @param papers slugs, in the order of the page; one without a file is left out
    /// @param claims of a slug
    /// @throws IllegalArgumentException naming the file, if it is malformed or out of date
    public static String markdown(Path folder, List<String> papers, Function<String, List<Claim>> claims) {
        var catalogue = Catalogue.load();
        var recorded = papers.stream()
                .filter(slug -> Files.isRegularFile(folder.resolve(slug + ".json")))
                .map(slug -> Recorded.read(folder, catalogue.bySlug(slug).orElseThrow(), claims.apply(slug)))
                .toList();
        return """
                # Claims, measured again

                Written by `./kedge claims` from `docs/claims/*.json`, which `./kedge reproduce SLUG --record` leaves
                there; `./kedge reproduce SLUG` measures a paper's claims anew. An effect above 0 is what the paper
                says; behind it stands its 95 % bootstrap interval over seeds, in which the arms are paired. A claim is
                *reproduced* where the whole interval is above what the claim asks for, *contradicted* where the whole
                interval is below 0, and *not seen at this scale* otherwise. Where the verdict is another one with other
                kernels, which differ in nothing but rounding, the claim counts as *within rounding*: more seeds would
                have to tell. Times are processor time of the threads that did the work, of the whole experiment,
                which may serve several claims; what else the machine did meanwhile is not in them.

                """
                + platforms(recorded)
                + "\n"
                + overview(recorded)
                + recorded.stream().map(ClaimsDocument::section).collect(Collectors.joining());
    }

    /// What computed both measurements, and how far they are apart.
    private static String platforms(List<Recorded> recorded) {
        var text = "Measured on: " + platforms(recorded.stream().map(Recorded::results)) + ".\n";
        var twice = recorded.stream().filter(r -> r.other().isPresent()).toList();
        if (twice.isEmpty()) {
            return text + "Nothing has been measured with other kernels (`--kernels machine`) yet.\n";
        }
        var entries = twice.stream()
                .flatMap(r -> r.entries().stream())
                .filter(e -> e.other().isPresent())
                .toList();
        long moved = entries.stream().filter(e -> !e.isTheSame()).count();
        long within = entries.stream()
                .filter(e -> e.verdict() == Verdict.WITHIN_ROUNDING)
                .count();
        return text + "And with other kernels (`--kernels machine`, in `docs/claims/other-kernels`) on: "
                + platforms(twice.stream().flatMap(r -> r.other().stream())) + ".\n"
                + "Of " + entries.size() + " claims measured with both, " + moved + " have another effect"
                + furthest(entries) + "; " + within + " have another verdict.\n";
    }

    private static String furthest(List<Recorded.Entry> entries) {
        return entries.stream()
                .filter(e -> e.move().isPresent() && !e.isTheSame())
                .max(Comparator.comparingDouble(e -> e.move().getAsDouble()))
                .map(e -> ", the furthest by " + Quantity.number(e.move().getAsDouble()) + " of its interval's width (`"
                        + e.finding().claim().name() + "`)")
                .orElse("");
    }

    private static String platforms(Stream<Results> results) {
        return results.map(Results::platform)
                .distinct()
                .map(p -> p.map(Platform::toString).orElse("a platform that was not recorded"))
                .collect(Collectors.joining("; and "));
    }

    private static String overview(List<Recorded> recorded) {
        var rows = new StringBuilder(
                "| paper | claims | reproduced | not seen | contradicted | within rounding | time |\n");
        rows.append("|---|---|---|---|---|---|---|\n");
        for (var r : recorded) {
            var slug = r.results().paper().slug();
            rows.append(row(
                    "[" + slug + "](#" + slug + ")",
                    Integer.toString(r.entries().size()),
                    Long.toString(r.count(Verdict.REPRODUCED)),
                    Long.toString(r.count(Verdict.NOT_SEEN)),
                    Long.toString(r.count(Verdict.CONTRADICTED)),
                    Long.toString(r.count(Verdict.WITHIN_ROUNDING)),
                    Quantity.duration(Math.round(r.results().seconds()))));
        }
        return rows.toString();
    }

    private static String section(Recorded recorded) {
        var paper = recorded.results().paper();
        var text = new StringBuilder("\n## " + paper.slug() + "\n\n[" + paper.title() + "](https://arxiv.org/abs/"
                + paper.arxiv() + "). " + recorded.sentence() + "\n\n");
        text.append("| claim | measured | effect | verdict | seeds | time |\n|---|---|---|---|---|---|\n");
        for (var entry : recorded.entries()) {
            var f = entry.finding();
            var differing = entry.other().filter(_ -> entry.verdict() == Verdict.WITHIN_ROUNDING);
            text.append(row(
                    f.claim().statement(),
                    f.comparison(),
                    f.effectInWords()
                            + differing
                                    .map(o -> "; other kernels: " + o.effectInWords())
                                    .orElse(""),
                    words(entry.verdict())
                            + differing
                                    .map(o -> ": " + f.verdict() + "; other kernels: " + o.verdict())
                                    .orElse(""),
                    Integer.toString(f.seeds()),
                    Quantity.duration(Math.round(f.measurement().seconds()))));
        }
        for (var m : recorded.results().measurements()) {
            text.append("\n**" + m.experiment().name() + "**: " + m.experiment().description() + "\n");
        }
        return text.toString();
    }

    private static String words(Verdict verdict) {
        return verdict == Verdict.REPRODUCED ? "**reproduced**" : verdict.toString();
    }

    private static String row(String... cells) {
        return "| "
                + Stream.of(cells).map(cell -> cell.replace("|", "\\|")).collect(Collectors.joining(" | "))
                + " |\n";
    }
}
