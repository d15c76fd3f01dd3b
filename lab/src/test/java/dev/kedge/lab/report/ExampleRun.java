package dev.kedge.lab.report;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.SplittableRandom;

/// Writes a run folder such as a recipe leaves, with invented numbers: supervised steps, then preference steps.
final class ExampleRun {
    private ExampleRun() {}

    static Path write(Path folder) {
        try {
            Files.createDirectories(folder);
            Files.writeString(folder.resolve("config.yaml"), "recipe: main\nbeta: 0.1 # <strength>\nseed: 7\n");
            Files.writeString(folder.resolve("metrics.jsonl"), metrics());
            Files.writeString(folder.resolve("summary.json"), summary());
            return folder;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String metrics() {
        var random = new SplittableRandom(3);
        var lines = new StringBuilder();
        for (int step = 1; step <= 600; step++) {
            double loss = 2.2 * Math.exp(-step / 140.0) + 0.35 + 0.08 * random.nextGaussian();
            lines.append(line(
                    "sft",
                    step,
                    loss,
                    String.format(Locale.ROOT, "\"grad_norm\":%.3f", 1 + 0.2 * random.nextGaussian())));
        }
        for (int step = 1; step <= 300; step++) {
            double progress = 1 - Math.exp(-step / 90.0);
            double noise = 0.05 * random.nextGaussian();
            var rest = String.format(
                    Locale.ROOT,
                    "\"reward/chosen\":%.4f,\"reward/rejected\":%.4f,\"reward/margin\":%.4f,\"kl\":%.4f,"
                            + "\"kl_max\":%.4f,\"accuracy\":%.4f,\"lr\":%.3e",
                    0.3 * progress + noise,
                    -0.8 * progress + noise,
                    1.1 * progress + noise,
                    1.4 * progress + Math.abs(noise),
                    35 * progress,
                    0.5 + 0.4 * progress + noise,
                    1e-4 * Math.min(1, step / 50.0));
            lines.append(line("dpo", step, 0.693 - 0.4 * progress + noise, rest));
        }
        return lines.toString();
    }

    private static String line(String phase, int step, double loss, String rest) {
        return String.format(
                Locale.ROOT,
                "{\"step\":%d,\"time_s\":%.2f,\"phase\":\"%s\",\"loss\":%.5f,%s,\"tokens_per_s\":%d}%n",
                step,
                0.1 * step,
                phase,
                loss,
                rest,
                11_500 + step % 40 * 20);
    }

    private static String summary() {
        return """
                {"title": "Preference tuning of a small decoder", "recipe": "quickstart", "status": "finished",
                 "verdict": "DPO doubles the task accuracy while staying within 1.4 nats of the reference; \
                at equal divergence the forward-KL variant earns less.",
                 "seconds": 93.1, "unknown": {"key": [1]},
                 "facts": [
                  {"name": "Task accuracy before", "value": 0.41, "low": 0.38, "high": 0.44, "unit": "%%",
                   "note": "1,000 held-out prompts, Wilson 95 %%"},
                  {"name": "Task accuracy after", "value": 0.83, "low": 0.80, "high": 0.86, "unit": "%%"},
                  {"name": "KL from the reference", "value": 1.37, "low": 1.31, "high": 1.44, "unit": "nats"},
                  {"name": "Parameters", "value": 812544, "unit": ""}],
                 "comparisons": [
                  {"name": "Task accuracy", "unit": "%%", "before": {"value": 0.41, "low": 0.38, "high": 0.44},
                   "after": {"value": 0.83, "low": 0.80, "high": 0.86}},
                  {"name": "Other tasks", "unit": "%%", "before": {"value": 0.62, "low": 0.59, "high": 0.65},
                   "after": {"value": 0.60, "low": 0.57, "high": 0.63}},
                  {"name": "Entropy of answers", "unit": "nats", "before": {"value": 3.1}, "after": {"value": 1.9}}],
                 "frontier": %s,
                 "samples": [
                  {"prompt": "Reverse: anchor", "before": "anchro", "after": "rohcna", "reward_before": 0.0,
                   "reward_after": 1.0, "note": ""},
                  {"prompt": %s, "before": "a < b\\n   kept   spaces", "after": "a &lt; b",
                   "reward_before": -1.25, "reward_after": 0.5, "note": "escaped text"}],
                 "notes": ["One seed; an interval over seeds needs at least five."],
                 "phases": [{"name": "sft", "steps": 600, "seconds": 60.2},
                  {"name": "dpo", "steps": 300, "seconds": 32.9}],
                 "environment": {"java": "25", "threads": 2}}
                """.formatted(frontier(), "\"<script>alert(1)</script> & \\\"quoted\\\"\\n    indented\\tline\"");
    }

    private static String frontier() {
        var json = new StringBuilder("{\"title\": \"Reward against divergence\", ");
        json.append("\"x\": \"KL from the reference (nats)\", \"y\": \"expected reward\", \"arms\": [");
        String[] arms = {"DPO", "JSD DPO", "Forward-KL DPO"};
        double[] betas = {0.03, 0.1, 0.3, 1};
        double[] divergences = {2.9, 2.2, 1.2, 0.3};
        for (int a = 0; a < arms.length; a++) {
            json.append(a == 0 ? "" : ", ")
                    .append("{\"name\": \"")
                    .append(arms[a])
                    .append("\", \"points\": [");
            for (int i = 0; i < betas.length; i++) {
                double y = (2.2 - 0.25 * a) * (1 - Math.exp(-1.4 * divergences[i])) - 0.05 * a;
                json.append(String.format(
                        Locale.ROOT,
                        "%s{\"x\":%.4f,\"y\":%.4f,\"low\":%.4f,\"high\":%.4f,\"label\":\"β %s\"}",
                        i == 0 ? "" : ", ",
                        divergences[i] * (1 - 0.1 * a),
                        y,
                        y - 0.08,
                        y + 0.07,
                        betas[i]));
            }
            json.append("]}");
        }
        json.append("], \"optimum\": [");
        for (int i = 0; i <= 40; i++) {
            double x = i * 3.0 / 40;
            json.append(String.format(
                    Locale.ROOT, "%s{\"x\":%.4f,\"y\":%.4f}", i == 0 ? "" : ", ", x, 2.3 * (1 - Math.exp(-1.5 * x))));
        }
        return json.append("]}").toString();
    }
}
