package dev.kedge.objective.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The judge judged: it must fail what is wrong, and pass nothing silently.
class ConformanceRunTest {
    @TempDir
    Path folder;

    /// A pair at the reference under the reverse KL: loss log 2, gradients -beta/2 and beta/2.
    private static final String INPUTS = """
            {"policy_chosen_logps": [-1.0], "policy_rejected_logps": [-2.0],
             "ref_chosen_logps": [-1.0], "ref_rejected_logps": [-2.0]}""";

    private ConformanceRun run(String expectation) throws IOException {
        return run("f-dpo", INPUTS, "{\"divergence\": \"reverse_kl\", \"beta\": 0.4}", expectation);
    }

    private ConformanceRun run(String method, String inputs, String params, String expectation) throws IOException {
        String file = """
                {"method": "%s", "cases": [{"name": "one", "inputs": %s, "params": %s, %s}]}""".formatted(method, inputs, params, expectation);
        Files.writeString(folder.resolve("some.json"), file);
        return ConformanceRun.of(folder);
    }

    private static String last(ConformanceRun run) {
        return run.report().getLast();
    }

    @Test
    void theRightValuesPass() throws IOException {
        var run = run("\"expected\": {\"losses\": [0.69314718055], \"loss_mean\": 0.69314718055,"
                + " \"grad_policy_chosen_logps\": [-0.2], \"chosen_rewards\": [1e-12]}");
        assertEquals("1 passed, 0 failed, 0 skipped", last(run), run.failures().toString());
    }

    @Test
    void aWrongValueFailsWithFileNameFieldExpectedAndGot() throws IOException {
        var run = run("\"expected\": {\"losses\": [0.6931479], \"loss_mean\": 0.69314718055}");
        assertEquals("0 passed, 1 failed, 0 skipped", last(run));
        assertEquals(List.of("some.json: one: losses[0]: expected 0.6931479, got 0.6931471805599453"), run.failures());
    }

    @Test
    void aMissingOutputFails() throws IOException {
        assertEquals("0 passed, 1 failed, 0 skipped", last(run("\"expected\": {\"no_such\": 1}")));
        assertEquals("0 passed, 1 failed, 0 skipped", last(run("\"expected_names\": [\"no_such\"]")));
    }

    @Test
    void aWrongShapeFails() throws IOException {
        assertEquals("0 passed, 1 failed, 0 skipped", last(run("\"expected\": {\"losses\": [0.69314718055, 0]}")));
        assertEquals("0 passed, 1 failed, 0 skipped", last(run("\"expected\": {\"losses\": 0.69314718055}")));
        assertEquals("0 passed, 1 failed, 0 skipped", last(run("\"expected\": {\"losses\": \"large\"}")));
    }

    @Test
    void anExpectedNullIsNotCompared() throws IOException {
        var run = run("\"expected\": {\"losses\": [null], \"no_such\": null, \"loss_mean\": 0.69314718055}");
        assertEquals("1 passed, 0 failed, 0 skipped", last(run));
    }

    @Test
    void valuesKeptBackAreComputedAndCountAsSkipped() throws IOException {
        var run = run("\"expected_names\": [\"losses\"]");
        assertEquals("0 passed, 0 failed, 1 skipped", last(run));
        assertEquals(
                "UNCHECKED, computed but values kept back: some.json: one",
                run.report().getFirst());
    }

    @Test
    void nonFiniteValuesAreReadAndComparedAsStrings() throws IOException {
        String inputs = """
                {"policy_chosen_logps": ["-Infinity"], "policy_rejected_logps": [0],
                 "ref_chosen_logps": [0], "ref_rejected_logps": [0]}""";
        String params = "{\"divergence\": \"reverse_kl\", \"beta\": 1}";
        var right = run("f-dpo", inputs, params, "\"expected\": {\"loss_mean\": \"Infinity\"}");
        assertEquals("1 passed, 0 failed, 0 skipped", last(right));
        var wrong = run("f-dpo", inputs, params, "\"expected\": {\"loss_mean\": \"NaN\"}");
        assertEquals("0 passed, 1 failed, 0 skipped", last(wrong));
        var finite = run("f-dpo", inputs, params, "\"expected\": {\"loss_mean\": 1e308}");
        assertEquals("0 passed, 1 failed, 0 skipped", last(finite));
    }

    @Test
    void withoutAnAdapterACaseIsPendingByName() throws IOException {
        var method = run("no-such-method", INPUTS, "{}", "\"expected\": {\"loss\": 1}");
        assertEquals("0 passed, 0 failed, 1 skipped", last(method));
        assertEquals("PENDING, no adapter yet: some.json: one", method.report().getFirst());
        var signature = run("f-dpo", "{\"strange\": 1}", "{}", "\"expected\": {\"loss\": 1}");
        assertEquals(
                "PENDING, no adapter yet: some.json: one", signature.report().getFirst());
    }

    @Test
    void whatThrowsFails() throws IOException {
        var run = run(
                "f-dpo", INPUTS, "{\"divergence\": \"reverse_kl\", \"beta\": -1}", "\"expected\": {\"losses\": [1]}");
        assertEquals("0 passed, 1 failed, 0 skipped", last(run));
        assertTrue(run.failures().getFirst().contains("beta must be finite and > 0, was -1.0"));
    }

    @Test
    void aFileThatIsNotOneFails() throws IOException {
        Files.writeString(folder.resolve("broken.json"), "{\"method\": ");
        Files.writeString(folder.resolve("other.json"), "{\"a\": 1}");
        Files.writeString(folder.resolve("readme.txt"), "not read");
        assertEquals("0 passed, 2 failed, 0 skipped", last(ConformanceRun.of(folder)));
    }

    @Test
    void anEmptyFolderHasNoCase() {
        assertEquals(0, ConformanceRun.of(folder).total().cases());
    }

    @Test
    void theSummaryCountsByMethod() throws IOException {
        Path summary = folder.resolve("made/summary.txt");
        run("\"expected\": {\"losses\": [0]}").write(summary);
        String json = Files.readString(summary).replaceAll("\\s", "");
        assertEquals("{\"f-dpo\":{\"passed\":0,\"failed\":1,\"pending\":0,\"unchecked\":0}}", json);
    }
}
