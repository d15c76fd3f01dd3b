package dev.kedge.objective.conformance;

import dev.kedge.nn.sparsity.MaskOverlap;
import dev.kedge.nn.sparsity.SubnetworkGradients;
import dev.kedge.nn.sparsity.WeightUpdate;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/// Cases of RL subnetworks (arXiv:2505.11711): sparsity of updates, overlap of masks, Adam on masked gradients.
final class RlSubnetworksCases {
    private RlSubnetworksCases() {}

    static Optional<Map<String, Object>> outputs(Case c) {
        return c.hasParams("kind") ? outputs(c.text("kind"), c) : Optional.empty();
    }

    private static Optional<Map<String, Object>> outputs(String kind, Case c) {
        return switch (kind) {
            case "sparsity" -> Optional.of(sparsity(c));
            case "overlap" -> Optional.of(overlap(c));
            case "masked_adam" -> Optional.of(Map.of("theta_after", adam(c)));
            default -> Optional.empty();
        };
    }

    private static Map<String, Object> sparsity(Case c) {
        DType storage =
                switch (c.text("storage_dtype")) {
                    case "float32" -> DType.FLOAT32;
                    case "bfloat16" -> DType.BFLOAT16;
                    case String other -> throw new IllegalArgumentException("no type " + other);
                };
        var update = WeightUpdate.between(c.tensors("before"), c.tensors("after"), storage);
        Map<String, Double> layers = new LinkedHashMap<>();
        update.layerDensities().forEach((layer, density) -> layers.put(layer.toString(), density));
        return Map.of(
                "sparsity", update.sparsity(c.number("tolerance")),
                "exact_zero_fraction", update.sparsity(0),
                "density_per_tensor", update.densities(),
                "density_per_layer_mean", layers,
                "rank_ratio", update.rankRatios());
    }

    private static Map<String, Object> overlap(Case c) {
        var overlap = MaskOverlap.of(c.mask("mask1"), c.mask("mask2"));
        return Map.of(
                "o1", overlap.first(),
                "o2", overlap.second(),
                "chance_o1", overlap.chanceFirst(),
                "chance_o2", overlap.chanceSecond(),
                "jaccard", overlap.jaccard());
    }

    /// Adam without weight decay, on a gradient that grows with the step.
    private static Tensor adam(Case c) {
        double beta1 = c.number("beta1");
        double beta2 = c.number("beta2");
        Tensor theta = c.tensor("theta");
        Tensor first = theta.zerosLike();
        Tensor second = theta.zerosLike();
        for (int t = 1; t <= c.number("steps"); t++) {
            Tensor gradient = SubnetworkGradients.masked(c.tensor("grad_base").times(t), c.mask("mask"));
            first = first.times(beta1).plus(gradient.times(1 - beta1));
            second = second.times(beta2).plus(gradient.square().times(1 - beta2));
            Tensor size = second.div(1 - Math.pow(beta2, t)).sqrt().plus(c.number("eps"));
            theta = theta.minus(first.div(1 - Math.pow(beta1, t)).div(size).times(c.number("lr")));
        }
        return theta;
    }
}
