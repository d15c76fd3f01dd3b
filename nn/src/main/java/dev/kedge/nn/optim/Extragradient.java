package dev.kedge.nn.optim;

import dev.kedge.nn.Parameters;
import dev.kedge.tensor.Gradients;
import dev.kedge.tensor.InPlace;
import dev.kedge.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Supplier;

/// Extragradient steps (Korpelevich 1976) with any optimiser: look where a step would lead, return, and step by what
/// was seen there. Where losses pull round in circles, as in games, plain steps turn outwards and these come to rest.
///
/// Looking ahead saves the parameters and the optimiser's state, and returning restores both: stepping back by the
/// negative gradient would undo neither a momentum nor an adaptive step. Holds a copy of both in memory.
public final class Extragradient implements AutoCloseable {
    private final Parameters parameters;
    private final Optimizer optimizer;
    private final Tensor saved;
    private final Map<String, Tensor> savedState = new LinkedHashMap<>();
    private boolean ahead;

    /// @param optimizer of these parameters; stays its owner's to close
    public Extragradient(Parameters parameters, Optimizer optimizer) {
        this.parameters = parameters;
        this.optimizer = optimizer;
        saved = parameters.flat().zerosLike().unscoped();
        optimizer
                .state()
                .forEach((name, tensor) ->
                        savedState.put(name, tensor.zerosLike().unscoped()));
    }

    /// One update: an opponent made at θ gives the gradient of the half step, an opponent made there that of the step,
    /// and both gradients are taken at θ.
    ///
    /// @param opponent     what the current parameters play, without gradient, such as their policy or draws from
    /// it
    /// @param addGradient  adds the loss's gradient against an opponent to that of the parameters
    /// @param learningRate of both steps
    public <O> void step(Supplier<O> opponent, Consumer<O> addGradient, double learningRate) {
        addGradient.accept(opponent.get());
        lookAhead(learningRate);
        O seen = opponent.get();
        goBack();
        addGradient.accept(seen);
        optimizer.step(learningRate);
    }

    /// Takes the step that the gradient asks for, so as to be able to [#goBack].
    ///
    /// @throws IllegalStateException if already ahead
    public void lookAhead(double learningRate) {
        if (ahead) {
            throw new IllegalStateException("lookAhead: already ahead, go back first");
        }
        try (var _ = Gradients.off()) {
            InPlace.copy_(saved, parameters.flat());
            optimizer.state().forEach((name, tensor) -> InPlace.copy_(savedState.get(name), tensor));
        }
        ahead = true;
        optimizer.step(learningRate);
    }

    /// Restores parameters and optimiser to what they were before [#lookAhead], to the last bit.
    ///
    /// @throws IllegalStateException if not ahead
    public void goBack() {
        if (!ahead) {
            throw new IllegalStateException("goBack: not ahead");
        }
        try (var _ = Gradients.off()) {
            InPlace.copy_(parameters.flat(), saved);
        }
        optimizer.restore(savedState);
        ahead = false;
    }

    @Override
    public void close() {
        saved.close();
        savedState.values().forEach(Tensor::close);
    }
}
