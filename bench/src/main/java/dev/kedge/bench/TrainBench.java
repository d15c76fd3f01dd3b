package dev.kedge.bench;

import static dev.kedge.bench.BenchReport.least;
import static dev.kedge.bench.BenchReport.median;
import static dev.kedge.bench.BenchReport.text;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.nn.lm.DecoderConfig;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Rng;
import dev.kedge.tensor.Scope;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// A step of training by Kedge, by the bare binding and by Python, taking turns.
public final class TrainBench {
    private static final int BATCH = 8;
    private static final int LENGTH = 256;
    private static final int STEPS = 2; // a turn
    private static final int FIRST = 3; // steps whose losses are compared; they warm up too
    private static final String KEDGE = "kedge";
    private static final String BARE = "bare";
    private static final String PYTHON = "python";
    private static final String PYTHON_PASSIVE = "python_passive";

    private TrainBench() {}

    private static final class Entry {
        final Contestant contestant;
        final List<Double> seconds = new ArrayList<>();
        final List<Double> losses = new ArrayList<>();

        Entry(Contestant contestant) {
            this.contestant = contestant;
        }

        void turn(int steps, boolean counts) {
            JsonNode answer = contestant.ask("steps " + steps);
            if (counts) {
                answer.get("seconds").forEach(s -> seconds.add(s.asDouble()));
            } else {
                answer.get("losses").forEach(l -> losses.add(l.asDouble()));
            }
        }
    }

    /// @param rounds turns of each contestant, >= 1
    public static BenchReport run(int rounds) {
        Path folder = null;
        Map<String, Entry> entries = new LinkedHashMap<>();
        try {
            folder = Files.createTempDirectory("kedge-bench");
            Workload workload = workload(folder);
            enter(entries, folder);
            List<Double> rates = new ArrayList<>();
            for (Entry entry : entries.values()) {
                BenchReport.progress("warming up " + entry.contestant.name());
                entry.turn(FIRST, false);
            }
            for (int round = 1; round <= rounds; round++) {
                BenchReport.progress("round " + round + " of " + rounds);
                entries.values().forEach(e -> e.turn(STEPS, true));
                rates.add(entries.get(KEDGE)
                        .contestant
                        .ask("matmul")
                        .get("flops_per_second")
                        .asDouble());
            }
            return report(
                    workload, entries, rates.stream().mapToDouble(r -> r).max().orElseThrow(), rounds);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } finally {
            entries.values().forEach(e -> e.contestant.close());
            Folders.delete(folder);
        }
    }

    private static Workload workload(Path folder) {
        try (Scope _ = new Scope();
                Rng rng = Rng.seeded(0);
                Decoder model = Decoder.random(DecoderConfig.small(4096, 256, 6, 4, LENGTH), rng, Device.CPU)) {
            return Workload.write(folder, model, BATCH, LENGTH);
        }
    }

    private static void enter(Map<String, Entry> entries, Path folder) {
        entries.put(KEDGE, new Entry(Contestant.java("Kedge", "kedge", folder.toString())));
        entries.put(BARE, new Entry(Contestant.java("bare binding", "bare", folder.toString())));
        if (Contestant.pythonHasTorch()) {
            entries.put(PYTHON, new Entry(Contestant.python("Python as it comes", folder, Map.of())));
            entries.put(
                    PYTHON_PASSIVE,
                    new Entry(Contestant.python("Python, passive waiting", folder, Contestant.PASSIVE)));
        } else {
            BenchReport.progress(
                    "Python is left out: /usr/bin/python3 has no torch (Debian's package is python3-torch)");
        }
    }

    private static BenchReport report(Workload workload, Map<String, Entry> entries, double rate, int rounds) {
        ObjectNode json = BenchReport.object();
        json.put("benchmark", "train").put("rounds", rounds).put("steps_per_round", STEPS);
        json.put("batch", BATCH)
                .put("length", LENGTH)
                .put("vocabulary_size", workload.config().vocabularySize());
        json.put("load_average", BenchReport.load()).put("matmul_flops_per_second", rate);
        json.put("linear_flops_per_step", workload.linearFlops());
        json.put("attention_flops_per_step", workload.attentionFlops());
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("", "step, median", "best", "tokens/s", "against Kedge", "peak memory"));
        double kedge = median(entries.get(KEDGE).seconds);
        ObjectNode all = json.putObject("contestants");
        double spread = 0;
        for (var e : entries.entrySet()) {
            Entry entry = e.getValue();
            double seconds = median(entry.seconds);
            ObjectNode one = all.putObject(e.getKey());
            one.put("median_seconds", seconds).put("best_seconds", least(entry.seconds));
            one.put("tokens_per_second", workload.tokens() / seconds).put("ratio_to_kedge", seconds / kedge);
            one.put("peak_bytes", entry.contestant.peakBytes());
            entry.losses.forEach(one.withArray("first_losses")::add);
            for (int i = 0; i < FIRST; i++) {
                spread = Math.max(
                        spread,
                        Math.abs(entry.losses.get(i) - entries.get(KEDGE).losses.get(i)));
            }
            rows.add(List.of(
                    entry.contestant.name(),
                    text("%.3f s", seconds),
                    text("%.3f s", least(entry.seconds)),
                    text("%.0f", workload.tokens() / seconds),
                    text("%.2f", seconds / kedge),
                    BenchReport.mebibytes(entry.contestant.peakBytes())));
        }
        json.put("largest_loss_difference", spread).put("same_model", spread < 1e-3);
        return new BenchReport(verdict(workload, entries, rate, rows, json), json);
    }

    private static List<String> verdict(
            Workload workload, Map<String, Entry> entries, double rate, List<List<String>> rows, ObjectNode json) {
        double kedge = median(entries.get(KEDGE).seconds);
        double overhead = 100 * (kedge / median(entries.get(BARE).seconds) - 1);
        double share = workload.linearFlops() / kedge / rate;
        double shareWithAttention = (workload.linearFlops() + workload.attentionFlops()) / kedge / rate;
        json.put("facade_overhead_percent", overhead).put("share_of_arithmetic_limit", share);
        json.put("share_of_arithmetic_limit_with_attention", shareWithAttention);
        List<String> lines = new ArrayList<>(BenchReport.table(rows));
        String python = entries.containsKey(PYTHON)
                ? text(
                        "Python takes %.2f times as long as it comes, %.2f with passive waiting",
                        median(entries.get(PYTHON).seconds) / kedge,
                        median(entries.get(PYTHON_PASSIVE).seconds) / kedge)
                : "Python was left out";
        lines.add(text(
                "The step runs at %.0f %% of the measured matrix-product rate of %.0f GFLOP/s (%.0f %% with attention's"
                        + " products); the facade costs %.1f %%; %s; first losses agree to %.1e%s.",
                100 * share,
                rate / 1e9,
                100 * shareWithAttention,
                overhead,
                python,
                json.get("largest_loss_difference").asDouble(),
                json.get("same_model").asBoolean() ? "" : ": NOT the same model"));
        return lines;
    }
}
