package dev.kedge.bench;

import static dev.kedge.bench.BenchReport.median;
import static dev.kedge.bench.BenchReport.text;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.kedge.tensor.Creation;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Gradients;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.global.torch;

/// What one call on four numbers costs, its result freed at once: the facade against the binding. The calls take turns,
/// round by round, so that a busy machine is busy for all of them.
public final class CallBench {
    private static final int WARM_UP = 4;
    private static final int ROUNDS = 11;
    private static final int CALLS = 100_000; // a round

    private CallBench() {}

    public static BenchReport run() {
        BenchReport.progress("about 10 seconds");
        try (Tensor a = Creation.ones(DType.FLOAT32, Device.CPU, 4);
                Tensor b = Creation.ones(DType.FLOAT32, Device.CPU, 4);
                var bareA = torch.ones(4);
                var bareB = torch.ones(4)) {
            Map<String, Runnable> calls = new LinkedHashMap<>();
            calls.put("facade plus", () -> a.plus(b).close());
            calls.put("bare plus", () -> bareA.add(bareB).close());
            calls.put("facade times number", () -> a.times(0.5).close());
            calls.put("bare times number", () -> {
                try (Scalar scalar = new Scalar(0.5)) {
                    bareA.mul(scalar).close();
                }
            });
            calls.put("facade plus in scope", () -> {
                try (Scope _ = new Scope()) {
                    a.plus(b);
                }
            });
            calls.put("facade plus without gradients", () -> {
                try (var _ = Gradients.off()) {
                    a.plus(b).close();
                }
            });
            calls.put("scope", () -> new Scope().close());
            return report(nanoseconds(calls));
        }
    }

    /// Of a call, in each round.
    private static Map<String, List<Double>> nanoseconds(Map<String, Runnable> calls) {
        Map<String, List<Double>> all = new LinkedHashMap<>();
        for (int round = 0; round < WARM_UP + ROUNDS; round++) {
            boolean counts = round >= WARM_UP;
            calls.forEach((name, call) -> {
                long start = System.nanoTime();
                for (int i = 0; i < CALLS; i++) {
                    call.run();
                }
                double each = (System.nanoTime() - start) / (double) CALLS;
                if (counts) {
                    all.computeIfAbsent(name, _ -> new ArrayList<>()).add(each);
                }
            });
        }
        return all;
    }

    private static BenchReport report(Map<String, List<Double>> rounds) {
        ObjectNode json = BenchReport.object();
        json.put("benchmark", "call").put("load_average", BenchReport.load());
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("", "median", "least", "most"));
        ObjectNode calls = json.putObject("nanoseconds");
        rounds.forEach((name, times) -> {
            double least = times.stream().min(Double::compare).orElseThrow();
            double most = times.stream().max(Double::compare).orElseThrow();
            calls.putObject(name.toLowerCase(Locale.ROOT).replace(' ', '_'))
                    .put("median", median(times))
                    .put("least", least)
                    .put("most", most);
            rows.add(List.of(name, text("%.0f ns", median(times)), text("%.0f", least), text("%.0f", most)));
        });
        double bare = median(rounds.get("bare plus"));
        double overhead = median(rounds.get("facade plus")) - bare;
        json.put("facade_plus_overhead_nanoseconds", overhead);
        List<String> lines = new ArrayList<>(BenchReport.table(rows));
        lines.add(text(
                "The facade's plus on 4 numbers costs %.0f ns more than the binding's %.0f ns, freeing included.",
                overhead, bare));
        return new BenchReport(lines, json);
    }
}
