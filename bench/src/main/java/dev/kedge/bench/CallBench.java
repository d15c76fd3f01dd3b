package dev.kedge.bench;

import static dev.kedge.bench.BenchReport.text;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/// What one call costs: the facade against the binding, by JMH.
public final class CallBench {
    private CallBench() {}

    public static BenchReport run() {
        var options = new OptionsBuilder()
                .include(Call.class.getName() + "\\.")
                .forks(1)
                .warmupIterations(3)
                .warmupTime(TimeValue.seconds(1))
                .measurementIterations(5)
                .measurementTime(TimeValue.seconds(1))
                .timeUnit(TimeUnit.NANOSECONDS)
                .jvmArgs(
                        "--enable-native-access=ALL-UNNAMED",
                        "--sun-misc-unsafe-memory-access=allow",
                        "-XX:+UseSerialGC")
                .verbosity(VerboseMode.SILENT)
                .build();
        System.setProperty("jmh.ignoreLock", "true");
        BenchReport.progress("about 50 seconds");
        Map<String, RunResult> results = new LinkedHashMap<>();
        try {
            for (RunResult result : new Runner(options).run()) {
                results.put(result.getPrimaryResult().getLabel(), result);
            }
        } catch (RunnerException e) {
            throw new IllegalStateException("JMH failed: " + e.getMessage(), e);
        }
        return report(results);
    }

    private static BenchReport report(Map<String, RunResult> results) {
        ObjectNode json = BenchReport.object();
        json.put("benchmark", "call").put("load_average", BenchReport.load());
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("", "time", "error (99.9 %)"));
        ObjectNode calls = json.putObject("nanoseconds");
        results.forEach((name, result) -> {
            double score = result.getPrimaryResult().getScore();
            double error = result.getPrimaryResult().getScoreError();
            calls.putObject(snake(name)).put("mean", score).put("error", error);
            rows.add(List.of(name, text("%.0f ns", score), text("%.0f ns", error)));
        });
        double facade = results.get("facadePlus").getPrimaryResult().getScore();
        double bare = results.get("barePlus").getPrimaryResult().getScore();
        json.put("facade_plus_overhead_nanoseconds", facade - bare);
        List<String> lines = new ArrayList<>(BenchReport.table(rows));
        lines.add(text(
                "The facade's plus on 4 numbers costs %.0f ns more than the binding's %.0f ns, freeing included.",
                facade - bare, bare));
        return new BenchReport(lines, json);
    }

    private static String snake(String camel) {
        return camel.replaceAll("([A-Z])", "_$1").toLowerCase(java.util.Locale.ROOT);
    }
}
