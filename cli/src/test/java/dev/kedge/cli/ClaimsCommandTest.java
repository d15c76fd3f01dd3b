package dev.kedge.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.kedge.lab.catalogue.Catalogue;
import dev.kedge.lab.catalogue.Paper;
import dev.kedge.reproduction.Claims;
import dev.kedge.run.result.PlatformJson;
import dev.kedge.tensor.Platform;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ClaimsCommandTest {
    private static final int SEEDS = 6;

    private final ObjectMapper mapper = new ObjectMapper();

    @TempDir
    Path folder;

    @Test
    void theDocumentInTheRepositoryIsWhatTheCommandWrites() throws IOException {
        assertEquals(
                Files.readString(Installation.docs().resolve("claims.md")), ClaimsCommand.text(), "run ./kedge claims");
    }

    @Test
    void usage() {
        Spoken.of("reproduce").refused(2, "SLUG", "kedge reproduce --help");
        Spoken.of("reproduce", "f-dqo").refused(2, "f-dqo", "did you mean `f-dpo`?");
        Spoken.of("reproduce", "xyzzyplugh").refused(2, "xyzzyplugh", "kedge papers");
        Catalogue.load().papers().stream()
                .map(Paper::slug)
                .filter(slug -> !Claims.PAPERS.contains(slug))
                .findFirst()
                .ifPresent(slug -> Spoken.of("reproduce", slug).refused(2, slug + " has no claims", "f-dpo"));
        Spoken.of("reproduce", "f-dpo", "--seeds", "few").refused(2, "--seeds", "few");
        Spoken.of("reproduce", "f-dpo", "--seeds", "4", "--kernels", "machine", "--out", "" + folder)
                .refused(2, "5 seeds", "4");
        Spoken.of("reproduce", "f-dpo", "--kernels", "fastest").refused(2, "--kernels", "fastest");
        Spoken.of("claims", "--nonsense").refused(2, "--nonsense");
        Spoken.of("compare", "dpoo").refused(2, "dpoo", "did you mean `dpo`?");
        Spoken.of("compare", "dpo", "dpo", "--out", "" + folder).refused(2, "twice");
        Spoken.of("compare", "dpo", "--task", "bandid", "--out", "" + folder).refused(2, "bandid", "`bandit`");
        Spoken.of("compare", "dpo", "--seeds", "4", "--out", "" + folder).refused(2, "5 seeds", "4");
        Spoken.of("compare", "rrpo").refused(2, "./kedge reproduce rrpo");
        Spoken.of("compare", "adpo", "--task", "game", "--out", "" + folder).refused(2, "rankings", "`egpo`");
        String listed = Spoken.of("compare").fine().out();
        assertTrue(listed.contains("f-dpo-forward-kl") && listed.contains("egpo") && listed.contains("rrpo"), listed);
        assertTrue(Spoken.of("reproduce", "--help").fine().out().contains("--record"));
    }

    /// From trials that are done: what the repository recorded of the first seeds.
    @Test
    void reproduceShowsWhatWasMeasured() throws IOException {
        for (String paper : Claims.PAPERS) {
            prepareTrials(paper);
        }
        Spoken spoken = Spoken.of(
                "reproduce", "f-dpo", "--kernels", "machine", "--seeds", "" + SEEDS, "--out", "" + folder, "--json");
        String said = spoken.fine().out();
        JsonNode json = mapper.readTree(said.lines().toList().getLast());
        assertEquals("f-dpo", json.path("paper").asText());
        assertEquals(Claims.of("f-dpo").size(), json.path("claims").size());
        assertEquals(SEEDS, json.path("claims").path(0).path("seeds").asInt());
        for (JsonNode claim : json.path("claims")) {
            assertTrue(said.contains(claim.path("verdict").asText() + " "), said);
            assertTrue(said.contains(claim.path("statement").asText()), said);
        }
        Path report = folder.resolve("reproduce-f-dpo-machine").resolve("report.html");
        assertTrue(said.contains("report: " + report), said);
        assertTrue(Files.isRegularFile(report));
        assertTrue(spoken.err().startsWith("warning: " + SEEDS + " of " + SEEDS + " results"), spoken.err());
        JsonNode all = mapper.readTree(Spoken.of(
                        "reproduce",
                        "all",
                        "--kernels",
                        "machine",
                        "--seeds",
                        "" + SEEDS,
                        "--out",
                        "" + folder,
                        "--json",
                        "--quiet")
                .fine()
                .out()
                .lines()
                .toList()
                .getLast());
        assertEquals(json, all.path("papers").path(Claims.PAPERS.indexOf("f-dpo")));
    }

    private void prepareTrials(String paper) throws IOException {
        Path jobs = Files.createDirectories(
                folder.resolve("reproduce-" + paper + "-machine").resolve("jobs"));
        JsonNode recorded = mapper.readTree(
                Installation.docs().resolve("claims").resolve(paper + ".json").toFile());
        for (JsonNode experiment : recorded.path("experiments")) {
            for (int seed = 1; seed <= SEEDS; seed++) {
                var file = mapper.createObjectNode();
                file.set("what", experiment.path("description"));
                file.put("seconds", 1.0);
                file.set("platform", PlatformJson.write(Platform.here(1)));
                file.set("result", experiment.path("trials").path(seed - 1));
                mapper.writeValue(
                        jobs.resolve(experiment.path("name").asText() + "-seed-" + seed + ".json")
                                .toFile(),
                        file);
            }
        }
    }

    @Test
    void compareTrainsAndThenRemembers() throws IOException {
        String[] arguments = {"compare", "sft-on-chosen", "--out", "" + folder, "--quiet", "--json"};
        String said = Spoken.of(arguments).fine().out();
        JsonNode json = mapper.readTree(said.lines().toList().getLast());
        assertEquals(5, json.path("seeds").asInt());
        assertEquals(
                8, json.path("frontier").path("arms").path(0).path("points").size());
        assertTrue(
                json.path("places").path(0).path("missing_reward").path("value").asDouble() > 0);
        assertTrue(Files.isRegularFile(folder.resolve("compare-bandit").resolve("report.html")));
        Path point = folder.resolve("compare-bandit/jobs/sft-on-chosen-0.01-seed-1.json");
        var written = Files.getLastModifiedTime(point);
        assertEquals(said, Spoken.of(arguments).fine().out());
        assertEquals(written, Files.getLastModifiedTime(point));
    }
}
