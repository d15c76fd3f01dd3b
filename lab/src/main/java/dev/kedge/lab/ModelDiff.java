package dev.kedge.lab;

import dev.kedge.nn.file.ModelFolder;
import dev.kedge.objective.sparsity.MaskOverlap;
import dev.kedge.objective.sparsity.Subnetwork;
import dev.kedge.objective.sparsity.WeightUpdate;
import dev.kedge.tensor.DType;
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

/// What a training changed in a model (arXiv:2505.11711).
///
/// @param storage  the type to which weights and differences were rounded
/// @param totals   the share of weights that did not change, over the whole model and without embeddings
/// @param tensors  each tensor, in the model's order
/// @param layers   the mean density of each layer's tensors, by its number
/// @param overlaps of the changed weights with others: empty where nothing changed
public record ModelDiff(
        DType storage,
        List<Total> totals,
        List<TensorDiff> tensors,
        SequencedMap<Integer, Double> layers,
        List<Overlap> overlaps) {
    /// Below which a change counts as none.
    public static final List<Double> TOLERANCES = List.of(0.0, 1e-6, 1e-5, 1e-4);

    /// With which masks are made.
    public static final double MASK_TOLERANCE = 1e-5;

    /// @param tolerance absolute
    /// @param sparsity  the share of weights that changed by no more, in \[0, 1\]
    /// @param inner     the same without embeddings: rows of tokens that never occurred have no gradient
    public record Total(double tolerance, double sparsity, double inner) {}

    /// @param density the share of weights that changed at all
    /// @param rank    the rank of the change by the most it could be; empty for vectors
    public record TensorDiff(String name, long[] shape, double density, Optional<Double> rank) {}

    /// @param with what the changed weights are compared with
    public record Overlap(String with, MaskOverlap value) {}

    /// The change from one model to another.
    ///
    /// @param other a second training from `before`, to be compared with the first; or empty
    /// @throws IllegalArgumentException if the models differ in shape
    public static ModelDiff of(ModelFolder before, ModelFolder after, Optional<ModelFolder> other, DType storage) {
        requireSameShape(before, after);
        other.ifPresent(o -> requireSameShape(before, o));
        try (Scope _ = new Scope()) {
            WeightUpdate update = WeightUpdate.between(before.parameters(), after.parameters(), storage);
            WeightUpdate inner = new WeightUpdate(without(update.deltas()));
            List<Total> totals = TOLERANCES.stream()
                    .map(t -> new Total(t, update.sparsity(t), inner.sparsity(t)))
                    .toList();
            Map<String, Double> ranks = update.rankRatios();
            List<TensorDiff> tensors = new ArrayList<>();
            update.densities()
                    .forEach((name, density) -> tensors.add(new TensorDiff(
                            name, update.deltas().get(name).shape(), density, Optional.ofNullable(ranks.get(name)))));
            return new ModelDiff(
                    storage, totals, tensors, update.layerDensities(), overlaps(before, update, other, storage));
        }
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

    private static SequencedMap<String, Tensor> without(SequencedMap<String, Tensor> deltas) {
        SequencedMap<String, Tensor> inner = new LinkedHashMap<>(deltas);
        inner.keySet().removeIf(name -> !name.startsWith("layers."));
        return inner;
    }

    private static List<Overlap> overlaps(
            ModelFolder before, WeightUpdate update, Optional<ModelFolder> other, DType storage) {
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
        Tensor smallest = Subnetwork.smallest(flat(before.parameters()), size);
        overlaps.add(new Overlap("as many of the smallest weights", MaskOverlap.of(changed, smallest)));
        return overlaps;
    }

    private static Tensor flat(Map<String, Tensor> tensors) {
        return Tensor.cat(tensors.values().stream().map(t -> t.reshape(-1)).toList(), 0);
    }
}
