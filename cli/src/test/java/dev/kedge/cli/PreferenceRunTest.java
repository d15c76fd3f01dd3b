package dev.kedge.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// What the commands make of odd preferences, references and strengths: docs/preferences.md.
class PreferenceRunTest {
    private static final String GOOD = record("abcd", "efgh");
    private static final String TIE = record("abab", "abab");
    private static final String EMPTY_CHOSEN = record("", "ef");
    private static final String EMPTY_REJECTED = record("ab", " ");
    private static final String TOO_LONG = record("abcd".repeat(8), "ef");

    @TempDir
    Path folder;

    private Path model;
    private Path data;

    @BeforeEach
    void files() {
        model = TinyFiles.model(folder.resolve("model"));
        data = folder.resolve("pairs.jsonl");
    }

    private static String record(String chosen, String rejected) {
        return "{\"prompt\": \"ab \", \"chosen\": \"%s\", \"rejected\": \"%s\"}".formatted(chosen, rejected);
    }

    /// DPO on these records, each of them 20 times, and 4 more of the last one for judging.
    private Spoken run(String... records) throws IOException {
        List<String> lines = Stream.concat(
                        Stream.of(records).flatMap(r -> Stream.generate(() -> r).limit(20)),
                        Stream.generate(() -> records[records.length - 1]).limit(4))
                .toList();
        Files.write(data, lines);
        Path recipe = TinyFiles.dpo(folder.resolve("tiny.yaml"), model, data);
        return Spoken.of("run", "--quiet", "--out", "" + folder.resolve("run"), "" + recipe);
    }

    @Test
    void aFileOfOnePeculiarityIsRefusedWithItsCount() throws IOException {
        run(TIE).refused(3, "pairs.jsonl: ", "24 x chosen and rejected are the same (first at ", "line 1)");
        Spoken.of("preview", "--data", "" + data, "--model", "" + model).refused(3, "chosen and rejected are the same");
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    void emptyReplies(int rejected) throws IOException {
        run(rejected == 0 ? EMPTY_CHOSEN : EMPTY_REJECTED)
                .refused(3, "key \"" + (rejected == 0 ? "chosen" : "rejected") + "\": expected text, found an empty");
    }

    @Test
    void repliesLongerThanTheContext() throws IOException {
        run(TOO_LONG)
                .refused(
                        3,
                        "no pair is left to learn from",
                        "20 x longer than 24 tokens (first at " + data + ", line 1)");
    }

    @Test
    void amongGoodOnesTheyAreLeftOutAndCounted() throws IOException {
        run(TIE, EMPTY_CHOSEN, EMPTY_REJECTED, TOO_LONG, GOOD).fine();
        String log = Files.readString(folder.resolve("run/log.txt"));
        for (String line : List.of(
                "left out: 20 x chosen and rejected are the same (first at " + data + ", line 1)",
                "left out: 20 x key \"chosen\": expected text, found an empty string (first at " + data + ", line 21)",
                "left out: 20 x key \"rejected\": expected text, found an empty string",
                "left out: 20 x longer than 24 tokens (first at " + data + ", line 61)",
                "20 pairs to learn from, 4 held out")) {
            assertTrue(log.contains(line), () -> line + " is not in " + log);
        }
    }

    /// Scores beside the replies are not read: what stands as chosen is preferred.
    @Test
    void equalScoresAreNoTie() throws IOException {
        run(GOOD.replace("}", ", \"score_chosen\": 7, \"score_rejected\": 7}")).fine();
        assertTrue(Files.readString(folder.resolve("run/log.txt")).contains("20 pairs to learn from, 4 held out"));
    }

    @Test
    void aReferenceThatIsNotThere() throws IOException {
        model = folder.resolve("nowhere");
        run(GOOD).refused(3, "nowhere");
    }

    @Test
    void aReferenceThatGoesMissingIsMadeAgainOrNamed() throws IOException {
        run(GOOD).fine();
        Files.delete(folder.resolve("run/summary.json")); // as if it had been killed before its end
        Path reference = folder.resolve("run/reference");
        Path weights = reference.resolve("model.safetensors");
        byte[] before = Files.readAllBytes(weights);
        Files.delete(weights);
        resume().refused(3, "reference", "model.safetensors");
        Files.delete(reference.resolve("config.json")); // written last: without it the folder is unfinished
        resume().fine();
        assertEquals(-1, java.util.Arrays.mismatch(before, Files.readAllBytes(weights)));
    }

    private Spoken resume() {
        return Spoken.of("run", "--quiet", "--resume", "" + folder.resolve("run"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "quickstart  | betas=[1, 0]",
                "dpo         | loss.beta=0",
                "hh-dpo      | loss={kind: ipo, beta: 0}",
                "f-dpo       | loss.beta=-0.1",
                "rrpo        | beta=0",
                "hypo        | betas=[0.1, -1]",
                "adpo        | taus=[0]",
                "adpo        | loss={kind: listwise, reward_temperature: 0}",
                "xpo         | beta=-1",
                "xpo-learned | judge.beta=0",
                "inpo        | eta=0",
                "inpo        | taus=[-0.1]",
                "egpo        | beta=0",
            })
    void strengthsOfZeroOrBelow(String recipe, String override) {
        Spoken.of("run", "--print-config", recipe, override).refused(2, override, "> 0");
    }

    /// Chi-squared gives up outcomes and total variation has no inverse: neither implies a reward.
    @ParameterizedTest
    @ValueSource(strings = {"chi_squared", "total_variation"})
    void divergencesThatImplyNoReward(String divergence) {
        Spoken.of("run", "--print-config", "f-dpo", "loss.divergence=" + divergence)
                .refused(
                        2,
                        "`loss.divergence` cannot be \"" + divergence + "\"",
                        "valid here: `reverse_kl`, `forward_kl`, `jensen_shannon`, `alpha`");
    }
}
