package dev.kedge.nn.lm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.nn.InScope;
import dev.kedge.nn.file.AdapterFile;
import dev.kedge.nn.file.ModelFamily;
import dev.kedge.nn.lm.LoraWeights.Target;
import dev.kedge.nn.optim.AdamW;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Gradients;
import dev.kedge.tensor.InPlace;
import dev.kedge.tensor.Rng;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@ExtendWith(InScope.class)
class LoraTest {
    private static final int[] TOKENS = {1, 5, 2, 9, 9, 0, 12};

    @TempDir
    Path folder;

    /// Queries and values of the first layer, in the wrong order, keys of the second, and one of everything else.
    private static List<Target> targets(DecoderConfig c) {
        long[] rows = DecoderLayout.qkvRows(c);
        List<Target> targets = new ArrayList<>();
        targets.add(new Target("layers.0.attention.qkv.weight", rows[0] + rows[1], rows[0] + rows[1] + rows[2]));
        targets.add(new Target("layers.0.attention.qkv.weight", 0, rows[0]));
        targets.add(new Target("layers.1.attention.qkv.weight", rows[0], rows[0] + rows[1]));
        targets.add(new Target("layers.0.attention.output.weight", 0, c.hiddenSize()));
        String up = c.mlp() == DecoderConfig.Mlp.GATED_SILU ? "layers.1.mlp.gateUp.weight" : "layers.1.mlp.up.weight";
        targets.add(new Target(up, 0, c.intermediateSize()));
        targets.add(new Target("layers.1.mlp.down.weight", 0, c.hiddenSize()));
        return targets;
    }

    private static Lora create(Decoder model, double alpha) {
        try (Rng rng = Rng.seeded(5)) {
            return Lora.create(model, targets(model.config()), 3, alpha, rng);
        }
    }

    /// Adapters that change something.
    private static void fill(Lora lora) {
        Random random = new Random(6);
        try (var _ = Gradients.off();
                Scope _ = new Scope()) {
            Tensor flat = lora.parameters().flat();
            InPlace.copy_(
                    flat, Tensor.of(random.doubles(flat.numel(), -0.5, 0.5).toArray()));
        }
    }

    private static double[] logits(Decoder model) {
        return model.logits(model.hidden(Form.batch(TOKENS))).toDoubles();
    }

    /// A copy of the base with `scale · B A` added to the rows of every target, by loops.
    private static Decoder merged(Decoder base, LoraWeights weights, double scale) {
        Decoder merged = base.copy();
        weights.factors().forEach((target, factors) -> {
            Tensor weight = merged.parameters().get(target.weight());
            double[] w = weight.toDoubles();
            double[] a = factors.a().toDoubles();
            double[] b = factors.b().toDoubles();
            int in = (int) weight.size(1);
            int rank = weights.rank();
            for (int row = (int) target.from(); row < target.to(); row++) {
                for (int column = 0; column < in; column++) {
                    for (int r = 0; r < rank; r++) {
                        w[row * in + column] += scale * b[(row - (int) target.from()) * rank + r] * a[r * in + column];
                    }
                }
            }
            InPlace.copy_(weight, Tensor.of(w, weight.shape()));
        });
        return merged;
    }

    @ParameterizedTest
    @EnumSource
    void aNewAdapterChangesNothing(Form form) {
        try (Decoder base = form.decoder(1);
                Lora lora = create(base, 6)) {
            assertArrayEquals(logits(base), logits(base.withAdapter(lora)));
            assertTrue(lora.parameters().named().entrySet().stream()
                    .filter(e -> e.getKey().endsWith(".a"))
                    .allMatch(e -> e.getValue().ne(0).anyTrue()));
        }
    }

    @ParameterizedTest
    @EnumSource
    void anAdapterActsAsTheMergedWeightsWouldAndOffItIsTheBase(Form form) {
        for (DType dtype : new DType[] {DType.FLOAT32, DType.FLOAT64}) {
            try (Decoder base = form.decoder(dtype, 2);
                    Lora lora = create(base, 6)) {
                double[] before = logits(base);
                fill(lora);
                Decoder adapted = base.withAdapter(lora);
                try (Decoder merged = merged(base, lora.weights(), 2)) {
                    double[] expected = logits(merged);
                    assertFalse(Math.abs(expected[0] - before[0]) < 1e-3);
                    assertArrayEquals(expected, logits(adapted), dtype == DType.FLOAT32 ? 1e-4 : 1e-12);
                }
                assertArrayEquals(before, logits(adapted.withoutAdapter()));
                assertSame(base.parameters(), adapted.withoutAdapter().parameters());
                adapted.close(); // shares its weights, so frees none
                assertArrayEquals(before, logits(base));
            }
        }
    }

    @Test
    void anAdapterWorksWithACache() {
        try (Decoder base = Form.LLAMA.decoder(3);
                Lora lora = create(base, 6)) {
            fill(lora);
            Decoder adapted = base.withAdapter(lora);
            double[] whole = adapted.hidden(Form.batch(TOKENS)).toDoubles();
            try (KvCache cache = adapted.cache(1, 7, null)) {
                adapted.hidden(Form.batch(Arrays.copyOf(TOKENS, 6)), cache);
                double[] last =
                        adapted.hidden(Form.batch(new int[] {TOKENS[6]}), cache).toDoubles();
                assertArrayEquals(Arrays.copyOfRange(whole, 6 * 16, 7 * 16), last, 1e-4);
            }
        }
    }

    @Test
    void trainingMovesTheAdapterAlone() {
        try (Decoder base = Form.QWEN2.decoder(4);
                Lora lora = create(base, 6);
                AdamW optimizer = new AdamW(lora.parameters(), AdamW.Config.DEFAULT)) {
            double[] before = base.parameters().flat().toDoubles();
            double[] adapter = lora.parameters().flat().toDoubles();
            Decoder policy = base.withAdapter(lora);
            double first = 0;
            double last = 0;
            for (int step = 0; step < 30; step++) {
                try (Scope _ = new Scope()) {
                    Tensor logProbs =
                            policy.logits(policy.hidden(Form.batch(TOKENS))).logSoftmax(-1);
                    Tensor loss = logProbs.select(1, 3).mean().neg();
                    loss.backward();
                    optimizer.step(1e-2);
                    last = loss.item();
                    first = step == 0 ? last : first;
                }
            }
            assertTrue(last < first - 0.5, first + " to " + last);
            assertArrayEquals(before, base.parameters().flat().toDoubles());
            base.parameters().named().forEach((name, tensor) -> assertNull(tensor.grad(), name));
            assertFalse(Arrays.equals(adapter, lora.parameters().flat().toDoubles()));
        }
    }

    @ParameterizedTest
    @EnumSource
    void aFileGivesBackTheSameAdapter(Form form) {
        ModelFamily family = ModelFamily.of(form.config);
        AdapterFile file = new AdapterFile(family, form.config);
        try (Decoder base = form.decoder(5);
                Lora lora = createFor(file, base)) {
            fill(lora);
            double[] expected = logits(base.withAdapter(lora));
            file.write(folder, lora.weights(), "base");
            try (Lora read = Lora.of(file.read(folder, DType.FLOAT32, Device.CPU), Device.CPU)) {
                assertArrayEquals(expected, logits(base.withAdapter(read)), 1e-6);
                assertEquals(lora.weights().rank(), read.weights().rank());
                assertEquals(lora.weights().alpha(), read.weights().alpha());
                assertEquals(lora.parameters().count(), read.parameters().count());
            }
        }
    }

    /// GPT-2 and GPT-NeoX name queries, keys and values as one module.
    private static Lora createFor(AdapterFile file, Decoder base) {
        boolean joined = file.family() == ModelFamily.GPT2 || file.family() == ModelFamily.GPT_NEOX;
        List<Target> targets = new ArrayList<>(targets(base.config()));
        if (joined) {
            targets.removeIf(t -> t.weight().contains("qkv"));
            long rows = base.parameters().get("layers.0.attention.qkv.weight").size(0);
            targets.add(new Target("layers.0.attention.qkv.weight", 0, rows));
        }
        try (Rng rng = Rng.seeded(5)) {
            return Lora.create(base, targets, 3, 6, rng);
        }
    }

    @Test
    void rsLoraDividesByTheRootOfTheRank() {
        try (Decoder base = Form.LLAMA.decoder(DType.FLOAT64, 6);
                Lora lora = create(base, 6)) {
            fill(lora);
            LoraWeights rooted = new LoraWeights(3, 6, true, lora.weights().factors());
            try (Lora other = Lora.of(rooted, Device.CPU);
                    Decoder merged = merged(base, rooted, 6 / Math.sqrt(3))) {
                assertArrayEquals(logits(merged), logits(base.withAdapter(other)), 1e-12);
            }
        }
    }

    @Test
    void targetsThatCannotActAreRefused() {
        try (Decoder base = Form.LLAMA.decoder(1);
                Rng rng = Rng.seeded(1)) {
            String qkv = "layers.0.attention.qkv.weight";
            assertRefused(base, rng, "overlap", new Target(qkv, 0, 4), new Target(qkv, 3, 8));
            assertRefused(base, rng, "overlap", new Target(qkv, 0, 4), new Target(qkv, 0, 4));
            assertRefused(base, rng, "is not a run of the 32 rows", new Target(qkv, 0, 33));
            assertRefused(base, rng, "is not a run of the 32 rows", new Target(qkv, 4, 4));
            assertRefused(base, rng, "is not a run of the 32 rows", new Target(qkv, -1, 4));
            assertRefused(base, rng, "no parameter layers.2.x", new Target("layers.2.x", 0, 4));
            assertRefused(base, rng, "is not of a projection", new Target("embedding.weight", 0, 13));
            assertRefused(base, rng, "is not of a projection", new Target("head.weight", 0, 13));
            assertRefused(base, rng, "is not of a projection", new Target("layers.0.mlpNorm.weight", 0, 16));
            List<Target> good = List.of(new Target(qkv, 0, 4));
            assertThrows(IllegalArgumentException.class, () -> Lora.create(base, good, 0, 1, rng));
            assertThrows(IllegalArgumentException.class, () -> Lora.create(base, good, 1, 0, rng));
        }
    }

    private static void assertRefused(Decoder base, Rng rng, String message, Target... targets) {
        var e = assertThrows(IllegalArgumentException.class, () -> Lora.create(base, List.of(targets), 2, 1, rng));
        assertTrue(e.getMessage().contains(message), e.getMessage());
    }
}
