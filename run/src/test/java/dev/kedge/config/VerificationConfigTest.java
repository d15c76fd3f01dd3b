package dev.kedge.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.data.task.Arithmetic;
import dev.kedge.data.verify.Boxed;
import dev.kedge.data.verify.Custom;
import dev.kedge.data.verify.Endpoint;
import dev.kedge.data.verify.Exact;
import dev.kedge.data.verify.Extraction;
import dev.kedge.data.verify.Format;
import dev.kedge.data.verify.Gsm8k;
import dev.kedge.data.verify.Length;
import dev.kedge.data.verify.Majority;
import dev.kedge.data.verify.Numeric;
import dev.kedge.data.verify.Program;
import dev.kedge.data.verify.Verification;
import dev.kedge.data.verify.WeightedSum;
import dev.kedge.data.verify.WeightedSum.Part;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/// Verifiers by the names that `docs/verifiers.md` gives them.
class VerificationConfigTest {
    record Config(Verification verifier) {}

    private static Config read(String verifier) {
        return ConfigFile.parse("recipe.yaml", "recipe: any\nverifier: " + verifier + "\n", List.of())
                .as(Config.class);
    }

    private static void assertReads(Verification expected, String verifier) {
        Config config = read(verifier);
        assertEquals(expected, config.verifier());
        String written = ConfigFile.text("any", config);
        assertEquals(
                config, ConfigFile.parse("written.yaml", written, List.of()).as(Config.class), written);
    }

    @Test
    void everyVerifierHasItsNameAndReadsBack() {
        assertReads(new Exact(), "{kind: exact}");
        assertReads(new Numeric(1e-6, Optional.empty()), "{kind: numeric, tolerance: 1e-6}");
        assertReads(new Numeric(0, Optional.of(0.5)), "{kind: numeric, tolerance: 0, absolute: 0.5}");
        assertReads(new Boxed(), "{kind: boxed}");
        assertReads(new Gsm8k(), "{kind: gsm8k}");
        assertReads(new Format("<a>.*</a>"), "{kind: format, pattern: '<a>.*</a>'}");
        assertReads(new Length(100, 20), "{kind: length, max: 100, buffer: 20}");
        assertReads(new Majority(Extraction.BOXED), "{kind: majority, answer: boxed}");
        assertReads(
                new Program(new Arithmetic(99, false)),
                "{kind: program, task: {kind: arithmetic, max: 99, difference: false}}");
        assertReads(new Custom("org.example.Mine"), "{kind: custom, class_name: org.example.Mine}");
        assertReads(
                new Endpoint(
                        "http://localhost:8000/judge",
                        Optional.empty(),
                        Optional.of(4),
                        Optional.of(2.5),
                        Optional.empty()),
                "{kind: endpoint, url: 'http://localhost:8000/judge', concurrency: 4, timeout_seconds: 2.5}");
        assertReads(
                new WeightedSum(
                        List.of(new Part("right", 1, new Gsm8k()), new Part("short", 0.5, new Length(100, 20)))),
                "{kind: weighted_sum, parts: [{name: right, weight: 1, verifier: {kind: gsm8k}},"
                        + " {name: short, weight: 0.5, verifier: {kind: length, max: 100, buffer: 20}}]}");
    }

    @Test
    void aMistakeIsNamedWithItsPlace() {
        var pattern = assertThrows(ConfigException.class, () -> read("{kind: format, pattern: '(a'}"));
        assertTrue(pattern.getMessage().startsWith("recipe.yaml:2:"), pattern.getMessage());
        assertTrue(pattern.getMessage().contains("pattern"), pattern.getMessage());
        var kind = assertThrows(ConfigException.class, () -> read("{kind: boxd}"));
        assertTrue(kind.getMessage().contains("did you mean `boxed`"), kind.getMessage());
    }
}
