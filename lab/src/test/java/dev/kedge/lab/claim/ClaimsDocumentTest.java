package dev.kedge.lab.claim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.tensor.Kernels;
import dev.kedge.tensor.Platform;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ClaimsDocumentTest {
    @TempDir
    Path folder;

    private final Experiment experiment = Examples.experiment(Examples::outcome);
    private static final Platform PORTABLE =
            new Platform("Some processor", "2.10.0", Kernels.PORTABLE, "AVX2", "Haswell", 1);
    private static final Platform MACHINE =
            new Platform("Some processor", "2.10.0", Kernels.MACHINE, "AVX512", "SkylakeX", 1);

    private Results results;

    @BeforeEach
    void record() {
        var outcomes = IntStream.rangeClosed(1, 6).mapToObj(Examples::outcome).toList();
        results = Results.of(
                Examples.PAPER,
                Optional.of(PORTABLE),
                Examples.claims(experiment),
                List.of(new Measurement(experiment, outcomes, 83.44)));
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
                        + contradicted + " | 0 | 1 min 23 s |\n"),
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

    /// The same claims from other kernels, where the arm a has so much less that one of the verdicts is another.
    private void recordOtherKernels(double less) {
        var outcomes = IntStream.rangeClosed(1, 6)
                .mapToObj(seed -> Outcome.NOTHING
                        .with("a", Examples.outcome(seed).number("a") - less)
                        .with("b", Examples.outcome(seed).number("b")))
                .toList();
        ResultsJson.save(
                Results.of(
                        Examples.PAPER,
                        Optional.of(MACHINE),
                        Examples.claims(experiment),
                        List.of(new Measurement(experiment, outcomes, 1))),
                folder.resolve("other-kernels/f-dpo.json"));
    }

    @Test
    void aVerdictThatOtherKernelsDoNotShareIsWithinRounding() {
        var once = markdown(Examples.claims(experiment));
        assertTrue(once.contains("Measured on: " + PORTABLE + ".\nNothing has been measured with other kernels"), once);
        double first = results.findings().getFirst().effect().value();
        recordOtherKernels(first); // A is then neither more nor less than B
        var text = markdown(Examples.claims(experiment));
        assertTrue(text.contains("Measured on: " + PORTABLE + ".\n"), text);
        assertTrue(text.contains(" on: " + MACHINE + ".\n"), text);
        assertTrue(text.contains("Of 4 claims measured with both, 4 have another effect, the furthest by "), text);
        assertTrue(text.contains("; 2 have another verdict.\n"), text);
        assertTrue(text.contains("| [f-dpo](#f-dpo) | 4 | 1 | 1 | 0 | 2 | 1 min 23 s |\n"), text);
        assertTrue(text.contains("4 claims: 1 reproduced, 1 not seen at this scale, 2 within rounding."), text);
        var row = text.lines()
                .filter(l -> l.startsWith("| A is more than B"))
                .findFirst()
                .orElseThrow();
        assertTrue(row.contains(results.findings().getFirst().effectInWords() + "; other kernels: "), row);
        assertTrue(row.contains("| within rounding: reproduced; other kernels: not seen at this scale |"), row);
    }

    @Test
    void theSameFromOtherKernelsChangesNoVerdict() {
        var before = markdown(Examples.claims(experiment));
        recordOtherKernels(0);
        var text = markdown(Examples.claims(experiment));
        assertTrue(
                text.contains("Of 4 claims measured with both, 0 have another effect; 0 have another verdict."), text);
        assertEquals(before.substring(before.indexOf("| paper")), text.substring(text.indexOf("| paper")));
    }

    @Test
    void aMoveIsCountedInWidthsOfTheInterval() {
        recordOtherKernels(0.25);
        var claims = Examples.claims(experiment);
        var entry = Recorded.read(folder, Examples.PAPER, claims).entries().getFirst();
        var effect = results.findings().getFirst().effect();
        assertEquals(0.25 / (effect.high() - effect.low()), entry.move().orElseThrow(), 1e-9);
    }

    /// Files from before what computed them was recorded.
    @Test
    void anOldFileIsRead() throws IOException {
        var file = folder.resolve("f-dpo.json");
        var text = Files.readString(file);
        assertTrue(text.contains("\"processor\" : \"Some processor\""), text);
        Files.writeString(file, text.replaceAll("(?s)  \"platform\" : \\{.*?\\},\n", ""));
        assertFalse(Files.readString(file).contains("platform"));
        assertTrue(markdown(Examples.claims(experiment)).contains("Measured on: a platform that was not recorded.\n"));
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
