package dev.kedge.nn.optim;

import dev.kedge.nn.Parameters;
import dev.kedge.tensor.Gradients;
import dev.kedge.tensor.InPlace;
import dev.kedge.tensor.Tensor;
import java.util.Map;

/// Stochastic gradient descent with momentum (Polyak 1964): `v ← momentum v + g`, `θ ← θ - learningRate v`.
public final class Sgd implements Optimizer {
    private final Parameters parameters;
    private final double momentum;
    private final Tensor velocity;

    /// @param momentum in [0, 1); 0 is plain gradient descent
    public Sgd(Parameters parameters, double momentum) {
        if (!(momentum >= 0 && momentum < 1)) {
            throw new IllegalArgumentException("momentum must be in [0, 1), was " + momentum);
        }
        this.parameters = parameters.trainable();
        this.momentum = momentum;
        velocity = parameters.flat().zerosLike().unscoped();
    }

    @Override
    public void step(double learningRate) {
        parameters.maskGradient();
        try (var _ = Gradients.off()) {
            InPlace.plus_(InPlace.times_(velocity, momentum), parameters.gradient());
            InPlace.plus_(parameters.flat(), velocity, -learningRate);
        }
        parameters.zeroGradient();
    }

    @Override
    public Map<String, Tensor> state() {
        return Map.of("velocity", velocity);
    }

    @Override
    public void close() {
        velocity.close();
    }
}
