package dev.kedge.nn.lm;

import static dev.kedge.tensor.Functional.linear;

import dev.kedge.nn.Parameters;
import dev.kedge.nn.lm.LoraWeights.Factors;
import dev.kedge.nn.lm.LoraWeights.Target;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.InPlace;
import dev.kedge.tensor.Rng;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/// Low-rank adapters (Hu et al. 2021, arXiv:2106.09685, Eq. 3): a weight W acts as `W + (alpha / rank) B A`.
public final class Lora implements AutoCloseable {
    private final int rank;
    private final double alpha;
    private final boolean rslora;
    private final Parameters parameters;
    private final Map<String, List<Target>> targets = new LinkedHashMap<>();

    private Lora(int rank, double alpha, boolean rslora, List<Target> targets, Parameters parameters) {
        this.rank = rank;
        this.alpha = alpha;
        this.rslora = rslora;
        this.parameters = parameters;
        targets.forEach(t ->
                this.targets.computeIfAbsent(t.weight(), _ -> new ArrayList<>()).add(t));
        this.targets.values().forEach(mine -> mine.sort(Comparator.comparingLong(Target::from)));
    }

    private static void requireApart(List<Target> targets) {
        for (Target one : targets) {
            for (Target other : targets) {
                if (one != other
                        && one.weight().equals(other.weight())
                        && one.from() < other.to()
                        && other.from() < one.to()) {
                    throw new IllegalArgumentException(one + " and " + other + " overlap");
                }
            }
        }
    }

    /// Adapters that change nothing yet: A is normal with deviation 1/rank, B is 0.
    ///
    /// @param targets rows of the projections inside layers, none twice
    /// @throws IllegalArgumentException if a target is no such rows, two overlap, or rank or alpha are out of range
    public static Lora create(Decoder model, List<Target> targets, int rank, double alpha, Rng rng) {
        if (rank < 1 || !(alpha > 0)) {
            throw new IllegalArgumentException("rank >= 1 and alpha > 0 expected, were " + rank + " and " + alpha);
        }
        requireApart(targets);
        Map<String, long[]> shapes = new LinkedHashMap<>();
        for (Target target : targets) {
            long[] weight = model.parameters().get(target.weight()).shape();
            if (weight.length != 2 || !target.weight().startsWith("layers.")) {
                throw new IllegalArgumentException(target + " is not of a projection inside a layer");
            }
            if (target.from() < 0 || target.to() > weight[0] || target.from() >= target.to()) {
                throw new IllegalArgumentException(target + " is not a run of the " + weight[0] + " rows");
            }
            long most = Math.min(target.to() - target.from(), weight[1]);
            if (rank > most) {
                throw new IllegalArgumentException(
                        "rank " + rank + " is more than the " + most + " that an update of " + target.weight()
                                + " with " + (target.to() - target.from()) + " x " + weight[1] + " weights can have");
            }
            shapes.put(a(target), new long[] {rank, weight[1]});
            shapes.put(b(target), new long[] {target.to() - target.from(), rank});
        }
        Parameters parameters =
                Parameters.zeros(shapes, model.parameters().flat().dtype(), model.device());
        try (Scope _ = new Scope()) {
            for (Target target : targets) {
                Tensor down = parameters.get(a(target));
                InPlace.copy_(down, InPlace.times_(rng.normal(down.shape()), 1.0 / rank));
            }
        }
        return new Lora(rank, alpha, false, targets, parameters);
    }

    /// Adapters read from a file, copied, in the type in which they were read.
    ///
    /// @throws IllegalArgumentException if two targets overlap
    public static Lora of(LoraWeights weights, Device device) {
        Map<String, Tensor> values = new LinkedHashMap<>();
        weights.factors().forEach((target, factors) -> {
            values.put(a(target), factors.a());
            values.put(b(target), factors.b());
        });
        List<Target> targets = List.copyOf(weights.factors().sequencedKeySet());
        requireApart(targets);
        DType dtype = values.values().stream().map(Tensor::dtype).findFirst().orElse(DType.FLOAT32);
        Parameters copy = Parameters.copyOf(values, dtype, device);
        return new Lora(weights.rank(), weights.alpha(), weights.rslora(), targets, copy);
    }

    /// What is written to a file: the tensors themselves, not copies.
    public LoraWeights weights() {
        SequencedMap<Target, Factors> factors = new LinkedHashMap<>();
        targets().forEach(t -> factors.put(t, new Factors(parameters.get(a(t)), parameters.get(b(t)))));
        return new LoraWeights(rank, alpha, rslora, factors);
    }

    /// The name of a target's A: [rank, in].
    private static String a(Target target) {
        return target.weight() + "[" + target.from() + ":" + target.to() + "].a";
    }

    /// The name of a target's B: [to - from, rank].
    private static String b(Target target) {
        return target.weight() + "[" + target.from() + ":" + target.to() + "].b";
    }

    public Parameters parameters() {
        return parameters;
    }

    public List<Target> targets() {
        return targets.values().stream().flatMap(List::stream).toList();
    }

    /// `y` = `x Wᵀ` [N, out] with the adapters of W added.
    Tensor apply(String weight, Tensor x, Tensor y) {
        List<Target> mine = targets.get(weight);
        if (mine == null) {
            return y;
        }
        double scale = alpha / (rslora ? Math.sqrt(rank) : rank);
        List<Tensor> columns = new ArrayList<>();
        long at = 0;
        for (Target target : mine) {
            if (target.from() > at) {
                columns.add(y.narrow(1, at, target.from() - at));
            }
            Tensor low = linear(x, parameters.get(a(target)), null);
            Tensor change = linear(low, parameters.get(b(target)), null).times(scale);
            columns.add(y.narrow(1, target.from(), target.to() - target.from()).plus(change));
            at = target.to();
        }
        if (at < y.size(1)) {
            columns.add(y.narrow(1, at, y.size(1) - at));
        }
        return columns.size() == 1 ? columns.getFirst() : Tensor.cat(columns, 1);
    }

    @Override
    public void close() {
        parameters.close();
    }
}
