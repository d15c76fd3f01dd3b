package dev.kedge.nn.sparsity;

import dev.kedge.tensor.DType;
import dev.kedge.tensor.Linalg;
import dev.kedge.tensor.Rng;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;
import java.util.regex.Pattern;

/// What a training changed: the differences of weights, in the type in which they are stored (Mukherjee et al. 2025,
/// "Reinforcement Learning Finetunes Small Subnetworks in Large Language Models", arXiv:2505.11711).
///
/// Numbers depend on the type: in bfloat16 a weight moves only if its change exceeds half a spacing, some 2^-9 of its
/// size, whatever made it. Weights that two names share are counted under each, so name them once.
///
/// @param deltas after less before, by the name of the tensor, in its order
public record WeightUpdate(SequencedMap<String, Tensor> deltas) {
    private static final Pattern LAYER = Pattern.compile("\\blayers\\.(\\d+)\\.");
    private static final double FLOAT32_EPSILON = 1.1920929e-7;

    public WeightUpdate {
        deltas = Collections.unmodifiableSequencedMap(new LinkedHashMap<>(deltas));
    }

    /// The update between two states of a model.
    ///
    /// @param before  weights by name
    /// @param after   weights of the same names and shapes
    /// @param storage the type that both are rounded to first, and their difference is; FLOAT32 or BFLOAT16
    /// @throws IllegalArgumentException if names or shapes differ, or the type has no fractions
    public static WeightUpdate between(Map<String, Tensor> before, Map<String, Tensor> after, DType storage) {
        if (!storage.isFloatingPoint()) {
            throw new IllegalArgumentException("weights are stored as floating-point numbers, not " + storage);
        }
        if (!before.keySet().equals(after.keySet())) {
            throw new IllegalArgumentException(
                    "before has the tensors " + before.keySet() + ", after has " + after.keySet());
        }
        SequencedMap<String, Tensor> deltas = new LinkedHashMap<>();
        before.forEach((name, old) -> deltas.put(name, delta(name, old, after.get(name), storage)));
        return new WeightUpdate(deltas);
    }

    private static Tensor delta(String name, Tensor before, Tensor after, DType storage) {
        if (!Arrays.equals(before.shape(), after.shape())) {
            throw new IllegalArgumentException(name + " was of shape " + Arrays.toString(before.shape()) + ", is "
                    + Arrays.toString(after.shape()));
        }
        return after.detach().to(storage).minus(before.detach().to(storage));
    }

    /// The share of all weights that changed by no more than `tolerance`: of a run and another, their agreement.
    ///
    /// @param tolerance absolute, >= 0; 1e-5 is customary, and 0 asks for the very same weights
    /// @return in [0, 1]; NaN if there is no weight
    /// @throws IllegalArgumentException if the tolerance is negative
    public double sparsity(double tolerance) {
        double changed = 0;
        double all = 0;
        for (Tensor delta : deltas.values()) {
            changed += count(delta, tolerance);
            all += delta.numel();
        }
        return (all - changed) / all;
    }

    /// Where a subnetwork is: true at weights that changed by more than `tolerance`, by name, in the tensors' shapes.
    ///
    /// @throws IllegalArgumentException if the tolerance is negative
    public SequencedMap<String, Tensor> mask(double tolerance) {
        SequencedMap<String, Tensor> masks = new LinkedHashMap<>();
        deltas.forEach((name, delta) -> masks.put(name, changed(delta, tolerance)));
        return masks;
    }

    /// The same of what lies in layers alone. Left out are embeddings, of which rows of tokens that never occurred
    /// have no gradient at all, the head, and the last norm.
    public WeightUpdate ofLayers() {
        SequencedMap<String, Tensor> inner = new LinkedHashMap<>(deltas);
        inner.keySet().removeIf(name -> !LAYER.matcher(name).find());
        return new WeightUpdate(inner);
    }

    /// The same changes in other places: those of each tensor in random order. Its ranks are what the number and the
    /// sizes of changes alone would give, wherever they are.
    ///
    /// @param rng draws the order
    public WeightUpdate shuffled(Rng rng) {
        SequencedMap<String, Tensor> moved = new LinkedHashMap<>();
        deltas.forEach((name, delta) -> {
            Tensor order = rng.permutation(delta.numel()).to(delta.device());
            moved.put(name, delta.reshape(-1).indexSelect(0, order).reshape(delta.shape()));
        });
        return new WeightUpdate(moved);
    }

    /// The share of weights of each tensor that changed at all, whatever a tolerance would say.
    public SequencedMap<String, Double> densities() {
        return densities(0);
    }

    /// The share of weights of each tensor that changed by more than `tolerance`.
    ///
    /// @throws IllegalArgumentException if the tolerance is negative
    public SequencedMap<String, Double> densities(double tolerance) {
        return each(delta -> count(delta, tolerance) / delta.numel());
    }

    /// [#layerDensities(double)] at 0.
    public SequencedMap<Integer, Double> layerDensities() {
        return layerDensities(0);
    }

    /// The mean of [#densities(double)] over the tensors of each layer, vectors included, each counting the same. The
    /// layer is the number after `layers.` in the name; tensors without one are left out.
    ///
    /// @throws IllegalArgumentException if the tolerance is negative
    public SequencedMap<Integer, Double> layerDensities(double tolerance) {
        Map<Integer, double[]> sums = new TreeMap<>();
        densities(tolerance).forEach((name, density) -> {
            var layer = LAYER.matcher(name);
            if (layer.find()) {
                double[] sum = sums.computeIfAbsent(Integer.valueOf(layer.group(1)), _ -> new double[2]);
                sum[0] += density;
                sum[1]++;
            }
        });
        SequencedMap<Integer, Double> means = new LinkedHashMap<>();
        sums.forEach((layer, sum) -> means.put(layer, sum[0] / sum[1]));
        return means;
    }

    /// `rank(delta)/min(rows, columns)` of each matrix, in float32 with the tolerance `max(rows, columns)·eps·σ_max`.
    /// Left out are vectors, and what has `layernorm` in its name. A matrix that did not change has rank 0.
    public SequencedMap<String, Double> rankRatios() {
        SequencedMap<String, Tensor> matrices = new LinkedHashMap<>(deltas);
        matrices.entrySet().removeIf(e -> e.getValue().dim() != 2 || e.getKey().contains("layernorm"));
        return new WeightUpdate(matrices).each(WeightUpdate::rankRatio);
    }

    private static double rankRatio(Tensor delta) {
        try (var _ = new Scope()) {
            double[] sigma = Linalg.singularValues(delta.to(DType.FLOAT32)).toDoubles();
            double tolerance = Math.max(delta.size(0), delta.size(1)) * FLOAT32_EPSILON * sigma[0];
            return (double) Arrays.stream(sigma).filter(s -> s > tolerance).count() / sigma.length;
        }
    }

    private SequencedMap<String, Double> each(ToDoubleFunction<Tensor> measure) {
        SequencedMap<String, Double> values = new LinkedHashMap<>();
        deltas.forEach((name, delta) -> values.put(name, measure.applyAsDouble(delta)));
        return values;
    }

    private static double count(Tensor delta, double tolerance) {
        try (var _ = new Scope()) { // copies of a large model's tensors, one at a time
            return changed(delta, tolerance).sum().item();
        }
    }

    /// In float64: a tolerance of 1e-5 is not a number of bfloat16.
    private static Tensor changed(Tensor delta, double tolerance) {
        if (!(tolerance >= 0)) {
            throw new IllegalArgumentException("tolerance must be >= 0, was " + tolerance);
        }
        return delta.to(DType.FLOAT64).abs().le(tolerance).not();
    }
}
