package dev.kedge.nn.optim;

import dev.kedge.nn.Parameters;
import dev.kedge.tensor.Creation;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Fused;
import dev.kedge.tensor.Gradients;
import dev.kedge.tensor.InPlace;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;

/// AdamW (Loshchilov and Hutter 2017, arXiv:1711.05101, Algorithm 2) over one flat buffer, in one pass over memory.
/// What [Parameters#mask] leaves out is neither moved nor decayed.
public final class AdamW implements Optimizer {
    /// @param beta1       decay of the first moments, in [0, 1)
    /// @param beta2       decay of the second moments, in [0, 1)
    /// @param epsilon     added to the root of the second moments, > 0
    /// @param weightDecay decoupled, times the learning rate, >= 0
    public record Config(double beta1, double beta2, double epsilon, double weightDecay) {
        public static final Config DEFAULT = new Config(0.9, 0.999, 1e-8, 0.0);

        public Config {
            if (!(beta1 >= 0 && beta1 < 1) || !(beta2 >= 0 && beta2 < 1)) {
                throw new IllegalArgumentException(
                        "beta1 and beta2 must be in [0, 1), were " + beta1 + " and " + beta2);
            }
            if (!(epsilon > 0) || !(weightDecay >= 0)) {
                throw new IllegalArgumentException(
                        "epsilon must be > 0 and weightDecay >= 0, were " + epsilon + " and " + weightDecay);
            }
        }
    }

    private final Parameters parameters;
    private final Config config;
    private final Tensor firstMoments;
    private final Tensor secondMoments;
    private final Tensor step;
    private double learningRate = Double.NaN; // of the last step

    public AdamW(Parameters parameters, Config config) {
        this.parameters = parameters.trainable();
        this.config = config;
        firstMoments = parameters.flat().zerosLike().unscoped();
        secondMoments = parameters.flat().zerosLike().unscoped();
        step = Creation.zeros(DType.FLOAT32, Device.CPU)
                .to(parameters.flat().device())
                .unscoped();
    }

    /// The learning rate of the last step; NaN before the first.
    public double learningRate() {
        return learningRate;
    }

    @Override
    public void step(double learningRate) {
        this.learningRate = learningRate;
        InPlace.plus_(step, 1);
        parameters.maskGradient();
        try (Scope _ = new Scope();
                var _ = Gradients.off()) {
            Tensor before = parameters.mask().map(_ -> parameters.flat().copy()).orElse(null);
            Fused.adamW_(
                    parameters.flat(),
                    parameters.gradient(),
                    firstMoments,
                    secondMoments,
                    step,
                    learningRate,
                    config.beta1(),
                    config.beta2(),
                    config.weightDecay(),
                    config.epsilon());
            parameters
                    .mask()
                    .ifPresent(mask -> InPlace.copy_(
                            parameters.flat(),
                            parameters.flat().whereElse(mask, before))); // the decay knows of no mask
        }
        parameters.zeroGradient();
    }

    @Override
    public Map<String, Tensor> state() {
        Map<String, Tensor> state = new LinkedHashMap<>();
        state.put("first_moments", firstMoments);
        state.put("second_moments", secondMoments);
        state.put("step", step);
        return state;
    }

    @Override
    public void close() {
        state().values().forEach(Tensor::close);
    }
}
