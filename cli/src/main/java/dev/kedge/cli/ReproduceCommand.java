package dev.kedge.cli;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.kedge.config.ConfigException;
import dev.kedge.config.Names;
import dev.kedge.lab.Jobs;
import dev.kedge.lab.catalogue.Catalogue;
import dev.kedge.lab.catalogue.Paper;
import dev.kedge.lab.claim.ClaimsDocument;
import dev.kedge.lab.claim.Finding;
import dev.kedge.lab.claim.Reproduction;
import dev.kedge.lab.claim.Results;
import dev.kedge.lab.claim.ResultsJson;
import dev.kedge.lab.plot.Quantity;
import dev.kedge.reproduction.Claims;
import dev.kedge.run.Terminal;
import dev.kedge.tensor.Kernels;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Measures claims again.
@Command(
        name = "reproduce",
        description = "Measure the claims of a paper again on this machine.",
        mixinStandardHelpOptions = true,
        footer = {"", "A call that was stopped goes on where it stood when it is given again."})
final class ReproduceCommand implements Callable<Integer> {
    private static final String ALL = "all";

    @Parameters(paramLabel = "SLUG", description = "A paper, as kedge papers names it; all: every one with claims.")
    String slug;

    @Option(names = "--seeds", paramLabel = "N", description = "Seeds, instead of each experiment's own number.")
    Integer seeds;

    @Option(names = "--fresh", description = "Forget what was measured before, as after a change of the code.")
    boolean fresh;

    @Option(
            names = "--record",
            description = "Keep the results in docs/claims, where kedge claims reads them; what other code measured is "
                    + "measured again.")
    boolean record;

    @Option(
            names = "--kernels",
            defaultValue = "portable",
            paramLabel = "WHICH",
            description = {
                "portable: the same on every x86-64 processor with AVX2 and FMA; machine: the processor's own, or what "
                        + "ATEN_CPU_CAPABILITY and OPENBLAS_CORETYPE say, recorded beside the others "
                        + "(${DEFAULT-VALUE})."
            })
    Kernels kernels;

    @Option(
            names = "--out",
            defaultValue = "runs",
            paramLabel = "DIR",
            description = "Results go to DIR/reproduce-SLUG, of the machine's kernels to DIR/reproduce-SLUG-machine "
                    + "(${DEFAULT-VALUE}).")
    Path out;

    @Option(names = "--json", description = "One JSON object, alone on the last line.")
    boolean json;

    @Option(names = "--quiet", description = "No progress.")
    boolean quiet;

    @Override
    public Integer call() {
        var all = new ArrayList<Results>();
        List<Paper> papers = papers();
        choose();
        for (Paper paper : papers) {
            Path folder = out.resolve("reproduce-" + paper.slug() + suffix());
            if (fresh) {
                Jobs.forget(folder);
            } else if (record) {
                Jobs.forgetOutdated(folder, Claims.class);
            }
            Results results = Reproduction.run(
                    paper,
                    Claims.of(paper.slug()),
                    seeds == null ? OptionalInt.empty() : OptionalInt.of(seeds),
                    folder,
                    quiet ? Terminal.quiet() : Terminal.standardError());
            print(results, folder);
            if (record) {
                ResultsJson.save(results, ledger().resolve(paper.slug() + ".json"));
            }
            all.add(results);
        }
        if (json) {
            System.out.println(slug.equals(ALL) ? list(all) : ResultsJson.write(all.getFirst()));
        }
        return 0;
    }

    private void choose() {
        kernels.obstacle().ifPresent(why -> {
            throw new ConfigException(why + "; --kernels machine measures with its own");
        });
        kernels.choose();
    }

    private String suffix() {
        return switch (kernels) {
            case PORTABLE -> "";
            case MACHINE -> "-machine";
        };
    }

    /// Where results are kept.
    private Path ledger() {
        return switch (kernels) {
            case PORTABLE -> ClaimsDocument.folder(Installation.docs());
            case MACHINE -> ClaimsDocument.otherKernels(Installation.docs());
        };
    }

    private List<Paper> papers() {
        Catalogue catalogue = Catalogue.load();
        if (slug.equals(ALL)) {
            return Claims.PAPERS.stream()
                    .map(s -> catalogue.bySlug(s).orElseThrow())
                    .toList();
        }
        Paper paper = catalogue.bySlug(slug).orElseThrow(() -> unknown(catalogue));
        if (!Claims.PAPERS.contains(slug)) {
            throw new ConfigException(slug + " has no claims to measure yet; these have: " + names());
        }
        return List.of(paper);
    }

    private ConfigException unknown(Catalogue catalogue) {
        List<String> slugs = catalogue.papers().stream().map(Paper::slug).toList();
        String nearest = Names.nearest(slug, slugs)
                .map(name -> "; did you mean `" + name + "`?")
                .orElse("; kedge papers lists them");
        return new ConfigException("no paper `" + slug + "`" + nearest);
    }

    private static String names() {
        return String.join(", ", Claims.PAPERS);
    }

    private static void print(Results results, Path folder) {
        Paper paper = results.paper();
        System.out.println(paper.slug() + ": " + paper.title() + " (arXiv:" + paper.arxiv() + ")\n");
        int widest = results.findings().stream()
                .mapToInt(f -> f.effectInWords().length())
                .max()
                .orElse(0);
        for (Finding f : results.findings()) {
            System.out.printf(
                    Locale.ROOT,
                    "%-22s  %-" + widest + "s  %s%n",
                    f.verdict(),
                    f.effectInWords(),
                    f.claim().statement());
        }
        System.out.printf(
                Locale.ROOT,
                "%n%s %d seeds, %s of one processor. Above 0 is as claimed; in brackets the 95 %% interval.%n",
                results.sentence(),
                results.findings().getFirst().seeds(),
                Quantity.duration(Math.round(results.seconds())));
        results.platform().ifPresent(System.out::println);
        System.out.println("report: " + folder.resolve("report.html") + "\n");
    }

    private static String list(List<Results> all) {
        var json = JsonNodeFactory.instance.objectNode();
        var papers = json.putArray("papers");
        all.forEach(results -> papers.add(ResultsJson.write(results)));
        return json.toString();
    }
}
