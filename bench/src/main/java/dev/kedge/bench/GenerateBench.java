package dev.kedge.bench;

import static dev.kedge.bench.BenchReport.least;
import static dev.kedge.bench.BenchReport.median;
import static dev.kedge.bench.BenchReport.text;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.nn.lm.DecoderConfig;
import dev.kedge.sequence.Models;
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

/// Greedy decoding by Kedge and by Python, one row and many, taking turns.
public final class GenerateBench {
    private static final int TOKENS = 256;
    private static final int[] BATCHES = {1, 64};

    private GenerateBench() {}

    private static final class Entry {
        final Contestant contestant;
        final Map<Integer, List<Double>> seconds = new LinkedHashMap<>();
        final Map<Integer, JsonNode> tokens = new LinkedHashMap<>();

        Entry(Contestant contestant) {
            this.contestant = contestant;
        }

        void turn(int batch, boolean counts) {
            JsonNode answer = contestant.ask("generate " + batch + " " + TOKENS);
            tokens.put(batch, answer.get("tokens"));
            if (counts) {
                seconds.computeIfAbsent(batch, _ -> new ArrayList<>())
                        .add(answer.get("seconds").asDouble());
            }
        }
    }

    /// @param model a model folder or file; where it is absent a random model of stories260k's shape stands in
    public static BenchReport run(Path model, int rounds) {
        Path folder = null;
        Map<String, Entry> entries = new LinkedHashMap<>();
        try {
            folder = Files.createTempDirectory("kedge-bench");
            Workload workload = workload(model, folder);
            entries.put("kedge", new Entry(Contestant.java("Kedge", "kedge", folder.toString())));
            if (Contestant.pythonHasTorch()) {
                entries.put("python", new Entry(Contestant.python("Python as it comes", folder, Map.of())));
                entries.put(
                        "python_passive",
                        new Entry(Contestant.python("Python, passive waiting", folder, Contestant.PASSIVE)));
            } else {
                BenchReport.progress(
                        "Python is left out: /usr/bin/python3 has no torch (Debian's package is python3-torch)");
            }
            double copyRate = 0;
            for (int round = 0; round <= rounds; round++) {
                BenchReport.progress(round == 0 ? "warming up" : "round " + round + " of " + rounds);
                for (int batch : BATCHES) {
                    for (Entry entry : entries.values()) {
                        entry.turn(batch, round > 0);
                    }
                }
            }
            Map<String, Long> peaks = new LinkedHashMap<>(); // before the copy's own buffers
            entries.forEach((name, entry) -> peaks.put(name, entry.contestant.peakBytes()));
            for (int i = 0; i < 3; i++) {
                copyRate = Math.max(
                        copyRate,
                        entries.get("kedge")
                                .contestant
                                .ask("copy")
                                .get("bytes_per_second")
                                .asDouble());
            }
            return report(workload, Files.exists(model) ? model.toString() : "random", entries, peaks, copyRate);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } finally {
            entries.values().forEach(e -> e.contestant.close());
            Folders.delete(folder);
        }
    }

    private static Workload workload(Path model, Path folder) {
        if (Files.exists(model)) {
            try (Decoder decoder = Models.load(model, Device.CPU)) {
                return Workload.write(folder, decoder, 1, 1);
            }
        }
        BenchReport.progress(model + " is absent: a random model of the same shape stands in");
        DecoderConfig config = DecoderConfig.llama(512, 64, 172, 5, 8, 4, 512, 1e-5, 10000, true);
        try (Scope _ = new Scope();
                Rng rng = Rng.seeded(0);
                Decoder decoder = Decoder.random(config, rng, Device.CPU)) {
            return Workload.write(folder, decoder, 1, 1);
        }
    }

    /// Bytes that a step of decoding must read: every weight once, and the keys and values so far, on average.
    private static double bytesPerStep(DecoderConfig c, int batch) {
        double weights = dev.kedge.nn.lm.DecoderLayout.shapes(c).values().stream()
                .mapToLong(s -> java.util.Arrays.stream(s).reduce(1, Math::multiplyExact))
                .sum();
        double cache = 2.0 * c.layers() * c.kvHeads() * c.headSize() * (TOKENS + 1) / 2.0 * batch;
        return 4 * (weights + cache);
    }

    private static BenchReport report(
            Workload workload, String model, Map<String, Entry> entries, Map<String, Long> peaks, double copyRate) {
        ObjectNode json = BenchReport.object();
        json.put("benchmark", "generate").put("model", model).put("tokens", TOKENS);
        json.put("load_average", BenchReport.load()).put("copy_bytes_per_second", copyRate);
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("", "batch", "tokens/s", "best", "step", "against Kedge", "peak memory"));
        ObjectNode all = json.putObject("contestants");
        boolean agree = true;
        for (int batch : BATCHES) {
            Entry kedge = entries.get("kedge");
            for (var e : entries.entrySet()) {
                Entry entry = e.getValue();
                double seconds = median(entry.seconds.get(batch));
                double best = least(entry.seconds.get(batch));
                double ratio = seconds / median(kedge.seconds.get(batch));
                agree &= entry.tokens.get(batch).equals(kedge.tokens.get(batch));
                ObjectNode one = all.withObject("/" + e.getKey()).putObject("batch_" + batch);
                one.put("median_seconds", seconds).put("best_seconds", best);
                one.put("tokens_per_second", batch * TOKENS / seconds).put("ratio_to_kedge", ratio);
                one.put("step_microseconds", 1e6 * seconds / TOKENS);
                one.put("share_of_copy_rate", bytesPerStep(workload.config(), batch) * TOKENS / seconds / copyRate);
                all.withObject("/" + e.getKey()).put("peak_bytes", peaks.get(e.getKey()));
                rows.add(List.of(
                        entry.contestant.name(),
                        "" + batch,
                        text("%.0f", batch * TOKENS / seconds),
                        text("%.0f", batch * TOKENS / best),
                        text("%.0f us", 1e6 * seconds / TOKENS),
                        text("%.2f", ratio),
                        BenchReport.mebibytes(peaks.get(e.getKey()))));
            }
        }
        json.put("same_tokens", agree);
        List<String> lines = new ArrayList<>(BenchReport.table(rows));
        double share = all.at("/kedge/batch_1/share_of_copy_rate").asDouble();
        lines.add(text(
                "One row reads %.2f MB a step, %.1f %% of what the measured copy rate of %.1f GB/s allows: calls, not"
                        + " bytes, are its limit; greedy tokens %s.",
                bytesPerStep(workload.config(), 1) / 1e6, 100 * share, copyRate / 1e9, agree ? "agree" : "DIFFER"));
        json.put("bytes_per_step", bytesPerStep(workload.config(), 1));
        return new BenchReport(lines, json);
    }
}
