package dev.kedge.bench;

import static dev.kedge.bench.BenchReport.least;
import static dev.kedge.bench.BenchReport.median;
import static dev.kedge.bench.BenchReport.text;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.nn.lm.DecoderConfig;
import dev.kedge.nn.lm.Generator;
import dev.kedge.nn.lm.Generator.WeightedModel;
import dev.kedge.nn.lm.Sampling;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Rng;
import dev.kedge.tensor.Scope;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;

/// A rollout, 64 completions of 64 tokens with their log-probs and entropies, by a decoder of five million parameters:
/// all at once against one by one, and guided by a second decoder of its size, taking turns.
public final class RolloutBench {
    private static final int COMPLETIONS = 64;
    private static final int TOKENS = 64;
    private static final int PROMPT = 16;

    private RolloutBench() {}

    public static BenchReport run(int rounds) {
        DecoderConfig config = DecoderConfig.small(512, 256, 6, 8, PROMPT + TOKENS);
        List<Double> together = new ArrayList<>();
        List<Double> apart = new ArrayList<>();
        List<Double> guided = new ArrayList<>();
        try (Scope _ = new Scope();
                Rng rng = Rng.seeded(0);
                Decoder decoder = Decoder.random(config, rng, Device.CPU);
                Decoder guide = Decoder.random(config, rng, Device.CPU)) {
            List<WeightedModel> alone = List.of(new WeightedModel(decoder, 1));
            List<WeightedModel> both = List.of(new WeightedModel(decoder, 1), new WeightedModel(guide, 1));
            List<int[]> prompts = prompts(config.vocabularySize());
            for (int round = 0; round <= rounds; round++) {
                BenchReport.progress(round == 0 ? "warming up" : "round " + round + " of " + rounds);
                double all = seconds(() -> draw(alone, prompts));
                double two = seconds(() -> draw(both, prompts));
                double each = seconds(() -> prompts.forEach(prompt -> draw(alone, List.of(prompt))));
                if (round > 0) {
                    together.add(all);
                    apart.add(each);
                    guided.add(two);
                }
            }
            return report(decoder.parameters().count(), together, apart, guided);
        }
    }

    private static List<int[]> prompts(int vocabulary) {
        Random random = new Random(1);
        List<int[]> prompts = new ArrayList<>();
        for (int i = 0; i < COMPLETIONS; i++) {
            prompts.add(random.ints(PROMPT, 0, vocabulary).toArray());
        }
        return prompts;
    }

    private static void draw(List<WeightedModel> models, List<int[]> prompts) {
        var options = new Generator.Options(Sampling.at(1), TOKENS, 1, Set.of(), null, 1, true);
        Generator.generate(models, prompts, options, null);
    }

    private static double seconds(Runnable work) {
        long start = System.nanoTime();
        work.run();
        return (System.nanoTime() - start) / 1e9;
    }

    private static BenchReport report(long parameters, List<Double> together, List<Double> apart, List<Double> guided) {
        double cost = median(guided) / median(together);
        double ratio = median(apart) / median(together);
        ObjectNode json = BenchReport.object();
        json.put("benchmark", "rollout").put("parameters", parameters).put("load_average", BenchReport.load());
        json.put("completions", COMPLETIONS).put("tokens", TOKENS);
        json.put("seconds_together", median(together)).put("seconds_one_by_one", median(apart));
        json.put("ratio", ratio);
        json.put("seconds_guided", median(guided)).put("guided_cost", cost);
        double drawn = (double) COMPLETIONS * TOKENS;
        List<String> lines = new ArrayList<>(BenchReport.table(List.of(
                List.of("", "seconds", "best", "tokens/s"),
                List.of(
                        "together",
                        text("%.2f", median(together)),
                        text("%.2f", least(together)),
                        text("%.0f", drawn / median(together))),
                List.of(
                        "one by one",
                        text("%.2f", median(apart)),
                        text("%.2f", least(apart)),
                        text("%.0f", drawn / median(apart))),
                List.of(
                        "together, guided",
                        text("%.2f", median(guided)),
                        text("%.2f", least(guided)),
                        text("%.0f", drawn / median(guided))))));
        lines.add(text(
                "%d completions of %d tokens by %.1f million parameters: %.1f times faster together.",
                COMPLETIONS, TOKENS, parameters / 1e6, ratio));
        lines.add(text("Guided by a second model of its size a token costs %.2f times as much.", cost));
        return new BenchReport(lines, json);
    }
}
