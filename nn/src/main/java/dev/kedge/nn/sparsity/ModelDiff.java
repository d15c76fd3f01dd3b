package dev.kedge.nn.sparsity;

import dev.kedge.nn.file.ModelFolder;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Rng;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;
import java.util.function.DoubleFunction;

/// What a training changed in a model (arXiv:2505.11711).
///
/// @param storage  the type to which weights and differences were rounded
/// @param totals   the share of weights that did not change, over the whole model and without embeddings
/// @param tensors  each tensor, in the model's order
/// @param layers   the mean densities of each layer's tensors, by its number, in the order of [#TOLERANCES]
/// @param overlaps of the changed weights with others: empty where nothing changed
public record ModelDiff(
        DType storage,
        List<Total> totals,
        List<TensorDiff> tensors,
        SequencedMap<Integer, List<Double>> layers,
        List<Overlap> overlaps) {
    /// Below which a change counts as none.
    public static final List<Double> TOLERANCES = List.of(0.0, 1e-6, 1e-5, 1e-4);

    /// With which masks are made.
    public static final double MASK_TOLERANCE = 1e-5;

    /// @param tolerance absolute
    /// @param sparsity  the share of weights that changed by no more, in \[0, 1\]
    /// @param inner     the same without embeddings: rows of tokens that never occurred have no gradient
    public record Total(double tolerance, double sparsity, double inner) {}

    /// @param densities the shares of weights that changed by more than each of [#TOLERANCES]
    /// @param rank      the rank of the change by the most it could be; empty for vectors
    /// @param shuffled  the same with the entries of the change in random places
    public record TensorDiff(
            String name, long[] shape, List<Double> densities, Optional<Double> rank, Optional<Double> shuffled) {}

    /// @param with what the changed weights are compared with
    public record Overlap(String with, MaskOverlap value) {}

    /// The change from one model to another.
    ///
    /// @param other a second training from `before`, to be compared with the first; or empty
    /// @throws IllegalArgumentException if the models differ in shape
    public static ModelDiff of(ModelFolder before, ModelFolder after, Optional<ModelFolder> other, DType storage) {
        requireSameShape(before, after);
        other.ifPresent(o -> requireSameShape(before, o));
        try (Scope _ = new Scope();
                Rng rng = Rng.seeded(0)) {
            WeightUpdate update = WeightUpdate.between(before.parameters(), after.parameters(), storage);
            WeightUpdate inner = update.ofLayers();
            List<Total> totals = TOLERANCES.stream()
                    .map(t -> new Total(t, update.sparsity(t), inner.sparsity(t)))
                    .toList();
            Map<String, Double> ranks = update.rankRatios();
            Map<String, Double> shuffled = update.shuffled(rng).rankRatios();
            var densities = byTolerance(update::densities);
            List<TensorDiff> tensors = new ArrayList<>();
            update.deltas()
                    .forEach((name, delta) -> tensors.add(new TensorDiff(
                            name,
                            delta.shape(),
                            densities.get(name),
                            Optional.ofNullable(ranks.get(name)),
                            Optional.ofNullable(shuffled.get(name)))));
            return new ModelDiff(
                    storage,
                    totals,
                    tensors,
                    byTolerance(update::layerDensities),
                    overlaps(before, update, other, storage, rng));
        }
    }

    private static <K> SequencedMap<K, List<Double>> byTolerance(DoubleFunction<SequencedMap<K, Double>> densities) {
        SequencedMap<K, List<Double>> all = new LinkedHashMap<>();
        for (double tolerance : TOLERANCES) {
            densities.apply(tolerance).forEach((key, density) -> all.computeIfAbsent(key, _ -> new ArrayList<>())
                    .add(density));
        }
        return all;
    }

    private static void requireSameShape(ModelFolder before, ModelFolder after) {
        Set<String> names = new LinkedHashSet<>(before.parameters().keySet());
        names.addAll(after.parameters().keySet());
        for (String name : names) {
            String old = shape(before, name);
            String now = shape(after, name);
            if (!old.equals(now)) {
                throw new IllegalArgumentException(after.path() + " is no training of " + before.path() + ": " + name
                        + " is " + now + " there, " + old + " here");
            }
        }
    }

    private static String shape(ModelFolder model, String name) {
        Tensor tensor = model.parameters().get(name);
        return tensor == null ? "absent" : Arrays.toString(tensor.shape());
    }

    private static List<Overlap> overlaps(
            ModelFolder before, WeightUpdate update, Optional<ModelFolder> other, DType storage, Rng rng) {
        Tensor changed = flat(update.mask(MASK_TOLERANCE));
        long size = changed.sum().toLongs()[0];
        if (size == 0) {
            return List.of();
        }
        List<Overlap> overlaps = new ArrayList<>();
        other.ifPresent(o -> overlaps.add(new Overlap(
                o.path().toString(),
                MaskOverlap.of(
                        changed,
                        flat(WeightUpdate.between(before.parameters(), o.parameters(), storage)
                                .mask(MASK_TOLERANCE))))));
        Tensor smallest = SubnetworkGradients.smallest(flat(before.parameters()), size);
        overlaps.add(new Overlap("as many of the smallest weights", MaskOverlap.of(changed, smallest)));
        Tensor random = SubnetworkGradients.smallest(rng.uniform(changed.numel()), size);
        overlaps.add(new Overlap("as many random weights", MaskOverlap.of(changed, random)));
        return overlaps;
    }

    private static Tensor flat(Map<String, Tensor> tensors) {
        return Tensor.cat(tensors.values().stream().map(t -> t.reshape(-1)).toList(), 0);
    }
}
