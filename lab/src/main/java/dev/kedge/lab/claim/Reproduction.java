package dev.kedge.lab.claim;

import dev.kedge.lab.Jobs;
import dev.kedge.lab.catalogue.Paper;
import dev.kedge.lab.report.Page;
import dev.kedge.run.Terminal;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/// Measures a paper's claims again.
public final class Reproduction {
    private Reproduction() {}

    /// Runs what is not done yet of every experiment and seed, on all processors, and writes `results.json` and
    /// `report.html` into the folder.
    ///
    /// @param seeds instead of each experiment's own number, at least [Experiment#FEWEST]
    /// @throws IllegalArgumentException                          if the seeds are fewer
    /// @throws dev.kedge.run.RunFailedException           naming experiment and seed, if a trial fails
    public static Results run(Paper paper, List<Claim> claims, OptionalInt seeds, Path folder, Terminal terminal) {
        if (seeds.isPresent() && seeds.getAsInt() < Experiment.FEWEST) {
            throw new IllegalArgumentException(
                    "at least " + Experiment.FEWEST + " seeds are needed, was " + seeds.getAsInt());
        }
        var experiments = claims.stream().map(Claim::experiment).distinct().toList();
        var jobs = new ArrayList<Jobs.Job>();
        for (var experiment : experiments) {
            for (int seed = 1; seed <= seeds.orElse(experiment.seeds()); seed++) {
                jobs.add(job(experiment, seed));
            }
        }
        var done = Jobs.run(folder, jobs, paper.slug(), terminal, rooms(experiments));
        var measurements = new ArrayList<Measurement>();
        int first = 0;
        for (var experiment : experiments) {
            int next = first + seeds.orElse(experiment.seeds());
            measurements.add(measurement(experiment, done.subList(first, next), folder));
            first = next;
        }
        var results = Results.of(paper, done.stream().findFirst().map(Jobs.Done::platform), claims, measurements);
        ResultsJson.save(results, folder.resolve("results.json"));
        Page.write(folder.resolve("report.html"), ClaimsPage.html(results));
        return results;
    }

    /// Trials come from rooms above.
    private static Class<?>[] rooms(List<Experiment> experiments) {
        return experiments.stream().map(e -> e.trial().getClass()).toArray(Class<?>[]::new);
    }

    private static Jobs.Job job(Experiment experiment, int seed) {
        return new Jobs.Job(
                experiment.name() + "-seed-" + seed,
                experiment.description(),
                () -> ResultsJson.write(experiment.trial().run(seed)));
    }

    private static Measurement measurement(Experiment experiment, List<Jobs.Done> done, Path folder) {
        return new Measurement(
                experiment,
                done.stream()
                        .map(d -> ResultsJson.outcome(d.result(), folder.toString()))
                        .toList(),
                done.stream().mapToDouble(Jobs.Done::seconds).sum());
    }
}
