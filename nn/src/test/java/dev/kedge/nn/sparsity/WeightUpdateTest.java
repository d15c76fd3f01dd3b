package dev.kedge.nn.sparsity;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.nn.InScope;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Rng;
import dev.kedge.tensor.Tensor;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(InScope.class)
class WeightUpdateTest {
    private static WeightUpdate update(DType storage, double[] before, double[] after, long... shape) {
        return WeightUpdate.between(
                Map.of("model.layers.3.w", Tensor.of(before, shape)),
                Map.of("model.layers.3.w", Tensor.of(after, shape)),
                storage);
    }

    private static double[] gaussians(Random random, int n) {
        return random.doubles(n).map(_ -> random.nextGaussian()).toArray();
    }

    @Test
    void whatDidNotChangeIsSparseAndHasRankZero() {
        double[] same = gaussians(new Random(1), 12);
        WeightUpdate update = update(DType.FLOAT32, same, same, 3, 4);
        assertEquals(1, update.sparsity(0));
        assertEquals(0, update.densities().get("model.layers.3.w"));
        assertEquals(0, update.rankRatios().get("model.layers.3.w"));
    }

    @Test
    void aPlantedMaskIsFoundAndTheToleranceIsInclusive() {
        double[] before = new double[8];
        double[] after = {0, 0.5, 0, -0.25, 0, 0.125, 0, 0};
        WeightUpdate update = update(DType.FLOAT32, before, after, 2, 4);
        assertEquals(5 / 8.0, update.sparsity(0));
        assertEquals(6 / 8.0, update.sparsity(0.125));
        assertEquals(1, update.sparsity(0.5));
        assertArrayEquals(
                new boolean[] {false, true, false, true, false, false, false, false},
                update.mask(0.125).get("model.layers.3.w").toBooleans());
        assertEquals(3 / 8.0, update.densities().get("model.layers.3.w"));
        WeightUpdate back = update(DType.FLOAT32, after, before, 2, 4);
        assertEquals(update.sparsity(0.2), back.sparsity(0.2));
    }

    @Test
    void bfloat16LosesWhatIsLessThanHalfASpacing() {
        double[] before = {1, 1, 0.05, 0.05};
        double[] after = {1.003, 1.005, 0.0501, 0.0503};
        assertArrayEquals(
                new double[] {0, 0.0078125, 0, 0.000244140625},
                update(DType.BFLOAT16, before, after, 4)
                        .deltas()
                        .get("model.layers.3.w")
                        .toDoubles());
        assertEquals(0.5, update(DType.BFLOAT16, before, after, 4).sparsity(1e-5));
        assertEquals(0, update(DType.FLOAT32, before, after, 4).sparsity(1e-5));
    }

    @Test
    void theToleranceIsNotRoundedToTheTypeOfTheWeights() {
        // 2^-10 + 2^-17 is a number of bfloat16, and the nearest to the tolerance, which is less.
        double moved = 0.0009765625 + Math.pow(2, -17);
        WeightUpdate update = update(DType.BFLOAT16, new double[1], new double[] {moved}, 1);
        assertEquals(0, update.sparsity(moved - 1e-6));
        assertEquals(1, update.sparsity(moved));
    }

    @Test
    void theRankIsThatOfThePlantedUpdate() {
        var random = new Random(2);
        double[] zero = new double[48];
        for (int rank = 1; rank <= 6; rank++) {
            Tensor low = Tensor.of(gaussians(random, 6 * rank), 6, rank)
                    .matmul(Tensor.of(gaussians(random, rank * 8), rank, 8));
            WeightUpdate update = update(DType.FLOAT32, zero, low.toDoubles(), 6, 8);
            assertEquals(rank / 6.0, update.rankRatios().get("model.layers.3.w"), "rank " + rank);
        }
        double[] row = zero.clone();
        row[17] = 0.3;
        row[19] = -1;
        assertEquals(
                1 / 6.0, update(DType.BFLOAT16, zero, row, 6, 8).rankRatios().get("model.layers.3.w"));
    }

    @Test
    void layersAreMeansOverTheirTensorsAndNormsHaveNoRank() {
        Map<String, Tensor> before = Map.of(
                "model.layers.0.attention.weight", Tensor.of(new double[4], 2, 2),
                "model.layers.0.input_layernorm.weight", Tensor.of(new double[2], 2),
                "model.layers.10.mlp.weight", Tensor.of(new double[4], 2, 2),
                "model.embed.weight", Tensor.of(new double[4], 2, 2),
                "model.layers.0.layernorm.square", Tensor.of(new double[4], 2, 2));
        Map<String, Tensor> after = Map.of(
                "model.layers.0.attention.weight", Tensor.of(new double[] {1, 0, 0, 0}, 2, 2),
                "model.layers.0.input_layernorm.weight", Tensor.of(new double[] {1, 0}, 2),
                "model.layers.10.mlp.weight", Tensor.of(new double[] {1, 0, 0, 1}, 2, 2),
                "model.embed.weight", Tensor.of(new double[] {1, 1, 1, 1}, 2, 2),
                "model.layers.0.layernorm.square", Tensor.of(new double[] {1, 1, 1, 0}, 2, 2));
        WeightUpdate update = WeightUpdate.between(before, after, DType.FLOAT32);
        assertEquals(Map.of(0, (0.25 + 0.5 + 0.75) / 3, 10, 0.5), update.layerDensities());
        assertEquals(
                Map.of(
                        "model.layers.0.attention.weight",
                        0.5,
                        "model.layers.10.mlp.weight",
                        1.0,
                        "model.embed.weight",
                        0.5),
                update.rankRatios());
        assertEquals(1 - 11 / 18.0, update.sparsity(0), 1e-15);
    }

    @Test
    void densitiesByToleranceAndLayersAlone() {
        var before = Map.of("embedding", Tensor.of(new double[4], 2, 2), "layers.0.w", Tensor.of(new double[4], 4));
        var after = Map.of(
                "embedding", Tensor.of(new double[] {1, 1, 1, 0}, 2, 2),
                "layers.0.w", Tensor.of(0, 0.5, 0.25, 0));
        WeightUpdate update = WeightUpdate.between(before, after, DType.FLOAT32);
        assertEquals(0.5, update.densities(0).get("layers.0.w"));
        assertEquals(0.25, update.densities(0.25).get("layers.0.w"));
        assertEquals(Map.of(0, 0.25), update.layerDensities(0.25));
        assertEquals(Set.of("layers.0.w"), update.ofLayers().deltas().keySet());
        assertEquals(0.5, update.ofLayers().sparsity(0));
        assertEquals(3 / 8.0, update.sparsity(0));
    }

    /// The same numbers elsewhere: a change of rank 1 is of almost full rank then.
    @Test
    void shuffledChanges() {
        double[] row = new double[64];
        Arrays.fill(row, 0, 8, 1); // the first row of an 8 x 8 matrix
        WeightUpdate update = update(DType.FLOAT32, new double[64], row, 8, 8);
        try (Rng rng = Rng.seeded(1)) {
            WeightUpdate shuffled = update.shuffled(rng);
            assertEquals(update.sparsity(0), shuffled.sparsity(0));
            assertEquals(1 / 8.0, update.rankRatios().get("model.layers.3.w"));
            double mean = IntStream.range(0, 100) // eight cells drawn share rows and columns now and then
                    .mapToDouble(_ -> update.shuffled(rng).rankRatios().get("model.layers.3.w"))
                    .average()
                    .orElseThrow();
            assertTrue(mean > 0.5, "" + mean);
        }
    }

    @Test
    void sparsityGrowsWithTheTolerance() {
        var random = new Random(3);
        WeightUpdate update = update(DType.FLOAT32, gaussians(random, 50), gaussians(random, 50), 50);
        double last = 0;
        for (double tolerance : new double[] {0, 1e-5, 0.1, 0.5, 1, 10}) {
            assertTrue(update.sparsity(tolerance) >= last);
            last = update.sparsity(tolerance);
        }
        assertEquals(0, update.sparsity(1e-5));
        assertEquals(1, last);
    }

    @Test
    void aWeightThatBecameNaNChanged() {
        assertEquals(
                0.5,
                update(DType.FLOAT32, new double[2], new double[] {Double.NaN, 0}, 2)
                        .sparsity(1e9));
    }

    @Test
    void badArgumentsAreRefused() {
        Map<String, Tensor> one = Map.of("a", Tensor.of(1, 2));
        assertThrows(
                IllegalArgumentException.class,
                () -> WeightUpdate.between(one, Map.of("b", Tensor.of(1, 2)), DType.FLOAT32));
        assertThrows(
                IllegalArgumentException.class,
                () -> WeightUpdate.between(one, Map.of("a", Tensor.of(1.0)), DType.FLOAT32));
        assertThrows(IllegalArgumentException.class, () -> WeightUpdate.between(one, one, DType.INT64));
        assertThrows(IllegalArgumentException.class, () -> WeightUpdate.between(one, one, DType.FLOAT32)
                .sparsity(-1));
    }
}
