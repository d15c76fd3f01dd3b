package dev.kedge.lab.claim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ClaimsDocumentTest {
    @TempDir
    Path folder;

    private final Experiment experiment = Examples.experiment(Examples::outcome);
    private Results results;

    @BeforeEach
    void record() {
        var outcomes = IntStream.rangeClosed(1, 6).mapToObj(Examples::outcome).toList();
        results = Results.of(
                Examples.PAPER, Examples.claims(experiment), List.of(new Measurement(experiment, outcomes, 83.44)));
        ResultsJson.save(results, folder.resolve("f-dpo.json"));
    }

    private String markdown(List<Claim> claims) {
        return ClaimsDocument.markdown(
                folder, List.of("dpo", "f-dpo"), slug -> slug.equals("f-dpo") ? claims : List.of());
    }

    @Test
    void aRowForEachClaim() {
        var rows = markdown(Examples.claims(experiment))
                .lines()
                .filter(l -> l.endsWith(" | 6 | 1 min 23 s |"))
                .toList();
        assertEquals(4, rows.size());
        var effect = results.findings().getFirst().effectInWords();
        assertEquals(
                "| A is more than B \\| <says> the paper. | height (nats): method A against " + "baseline B | " + effect
                        + " | **reproduced** | 6 | 1 min 23 s |",
                rows.getFirst());
        assertTrue(rows.get(2).contains("| contradicted |"), rows.get(2));
    }

    @Test
    void verdictsAreCountedByPaper() {
        var text = markdown(Examples.claims(experiment));
        long reproduced = results.count(Verdict.REPRODUCED);
        long contradicted = results.count(Verdict.CONTRADICTED);
        assertTrue(reproduced > 0 && contradicted > 0);
        assertTrue(
                text.contains("| [f-dpo](#f-dpo) | 4 | " + reproduced + " | " + (4 - reproduced - contradicted) + " | "
                        + contradicted + " | 1 min 23 s |\n"),
                text);
    }

    @Test
    void everyExperimentIsDescribedUnderItsPaper() {
        var text = markdown(Examples.claims(experiment));
        assertTrue(text.contains("\n## f-dpo\n"), text);
        assertTrue(text.contains("https://arxiv.org/abs/2309.16240"), text);
        assertTrue(text.contains(results.sentence()), text);
        assertTrue(text.contains("\n**example**: Numbers | out of <thin> air.\n"), text);
        assertFalse(text.contains("## dpo"), "nothing is recorded of it");
    }

    /// Verdicts are found anew from what was measured: what a file says of them does not count.
    @Test
    void aVerdictCannotBeWritten() throws IOException {
        var before = markdown(Examples.claims(experiment));
        var file = folder.resolve("f-dpo.json");
        Files.writeString(file, Files.readString(file).replace("\"contradicted\"", "\"reproduced\""));
        assertEquals(before, markdown(Examples.claims(experiment)));
    }

    @Test
    void readingGivesBackWhatWasWritten() {
        var read = ResultsJson.read(folder.resolve("f-dpo.json"), Examples.PAPER, Examples.claims(experiment));
        assertEquals(ResultsJson.write(results), ResultsJson.write(read));
    }

    @Test
    void aClaimWhoseExperimentChangedMustBeMeasuredAgain() {
        var changed = new Experiment("example", "Other numbers.", 6, Examples::outcome);
        var e = assertThrows(IllegalArgumentException.class, () -> markdown(Examples.claims(changed)));
        assertTrue(e.getMessage().contains("f-dpo.json"), e.getMessage());
        assertTrue(e.getMessage().contains("kedge reproduce f-dpo --record"), e.getMessage());
        var renamed = new Experiment("another", "Numbers | out of <thin> air.", 6, Examples::outcome);
        assertThrows(IllegalArgumentException.class, () -> markdown(Examples.claims(renamed)));
    }

    @Test
    void aDamagedFileIsNamed() throws IOException {
        Files.writeString(folder.resolve("f-dpo.json"), "{\"experiments\": [");
        var e = assertThrows(IllegalArgumentException.class, () -> markdown(Examples.claims(experiment)));
        assertTrue(e.getMessage().contains("f-dpo.json: not valid JSON"), e.getMessage());
    }
}
