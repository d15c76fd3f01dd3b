package dev.kedge.bench;

import static dev.kedge.bench.BenchReport.text;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;

/// Log-probs through a head, chunk by chunk against all logits at once, each in a fresh process.
public final class HeadBench {
    private static final int[] VOCABULARIES = {4096, 16384, 65536, 131072};

    private HeadBench() {}

    public static BenchReport run() {
        ObjectNode json = BenchReport.object();
        json.put("benchmark", "head").put("positions", HeadPass.POSITIONS).put("hidden_size", HeadPass.WIDTH);
        json.put("load_average", BenchReport.load());
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("V", "chunked: extra memory", "time", "plain: extra memory", "time", "log-probs differ by"));
        var sizes = json.putArray("sizes");
        for (int vocabulary : VOCABULARIES) {
            BenchReport.progress("V = " + vocabulary);
            JsonNode chunked = measure("chunked", vocabulary);
            JsonNode plain = measure("plain", vocabulary);
            double expected = plain.get("log_prob_sum").asDouble();
            double difference = Math.abs(chunked.get("log_prob_sum").asDouble() / expected - 1);
            ObjectNode one = sizes.addObject().put("vocabulary_size", vocabulary);
            one.set("chunked", chunked);
            one.set("plain", plain);
            one.put("relative_difference", difference);
            rows.add(List.of(
                    "" + vocabulary,
                    BenchReport.mebibytes(chunked.get("extra_bytes").asLong()),
                    text("%.2f s", chunked.get("seconds").asDouble()),
                    BenchReport.mebibytes(plain.get("extra_bytes").asLong()),
                    text("%.2f s", plain.get("seconds").asDouble()),
                    text("%.0e", difference)));
        }
        List<String> lines = new ArrayList<>(BenchReport.table(rows));
        lines.add(text(
                "From V = %d to %d the memory beyond parameters and gradients goes from %s to %s chunk by chunk, and from"
                        + " %s to %s with all logits at once.",
                VOCABULARIES[0],
                VOCABULARIES[VOCABULARIES.length - 1],
                rows.get(1).get(1),
                rows.getLast().get(1),
                rows.get(1).get(3),
                rows.getLast().get(3)));
        return new BenchReport(lines, json);
    }

    private static JsonNode measure(String way, int vocabulary) {
        try (Contestant process = Contestant.java(way, "head", way, "" + vocabulary)) {
            return process.ask("");
        }
    }
}
