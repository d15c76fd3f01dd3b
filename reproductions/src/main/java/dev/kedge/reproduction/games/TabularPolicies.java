package dev.kedge.reproduction.games;

import dev.kedge.nn.Parameters;
import dev.kedge.nn.optim.Extragradient;
import dev.kedge.nn.optim.Sgd;
import dev.kedge.objective.Loss;
import dev.kedge.objective.game.MatrixGames;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Gradients;
import dev.kedge.tensor.InPlace;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Supplier;

/// The policies that learn, one a game, and plain gradient steps on their logits.
///
/// The losses given are means over the games. These are independent, and each moves by the gradient of its own loss,
/// which is that of the mean times their number.
public final class TabularPolicies implements AutoCloseable {
    private final Parameters parameters;
    private final Sgd sgd;
    private final Extragradient extragradient;
    private final MatrixGames games;
    private final int count;

    TabularPolicies(TabularGames games) {
        try (Scope _ = new Scope()) {
            parameters = Parameters.copyOf(Map.of("logits", Tensor.of(games.starts())), DType.FLOAT64, Device.CPU);
        }
        sgd = new Sgd(parameters, 0);
        extragradient = new Extragradient(parameters, sgd);
        this.games = games.tensors();
        count = games.count();
    }

    /// What they play.
    MatrixGames games() {
        return games;
    }

    /// `log π`, `[G, n]`, with its graph.
    Tensor logProbs() {
        return parameters.get("logits").logSoftmax(1);
    }

    /// [G·n].
    double[] logits() {
        return parameters.flat().toDoubles();
    }

    void setLogits(double[] logits) {
        try (var _ = Gradients.off();
                Tensor values = Tensor.of(logits)) {
            InPlace.copy_(parameters.flat(), values);
        }
    }

    /// A step against the gradient.
    void descend(Loss loss, double rate) {
        differentiate(loss);
        sgd.step(rate);
    }

    /// A step against the gradient, each logit's divided by its scale [G·n].
    void descend(Loss loss, Tensor scale) {
        differentiate(loss);
        try (var _ = Gradients.off();
                Tensor scaled = parameters.gradient().div(scale)) {
            InPlace.copy_(parameters.gradient(), scaled);
        }
        sgd.step(1);
    }

    /// An extragradient step.
    ///
    /// @param opponent made of the current policies, without gradient
    /// @param loss     of the current policies against an opponent
    <O> void extragradient(Supplier<O> opponent, Function<O, Loss> loss, double rate) {
        extragradient.step(opponent, o -> differentiate(loss.apply(o)), rate);
    }

    private void differentiate(Loss loss) {
        loss.value().times(count).backward();
    }

    @Override
    public void close() {
        extragradient.close();
        sgd.close();
        parameters.close();
        games.winProbabilities().close();
        games.logRef().close();
    }
}
