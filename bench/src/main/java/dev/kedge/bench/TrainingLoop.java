package dev.kedge.bench;

import dev.kedge.nn.lm.Decoder;
import dev.kedge.nn.optim.AdamW;
import dev.kedge.objective.logprob.HeadLogProbs;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;

/// Kedge's step of training, as a user of the library writes it.
final class TrainingLoop implements AutoCloseable {
    static final double LEARNING_RATE = 3e-4;

    private final Decoder model;
    private final Tensor tokens;
    private final Tensor targets;
    private AdamW optimizer; // made at the first step: decoding needs none

    TrainingLoop(Workload workload) {
        model = workload.decoder();
        tokens = Tensor.of(workload.ids(false), workload.batch(), workload.length());
        targets = Tensor.of(workload.ids(true), workload.tokens());
    }

    Decoder model() {
        return model;
    }

    /// @return the loss before the step
    double step() {
        if (optimizer == null) {
            optimizer = new AdamW(model.parameters(), AdamW.Config.DEFAULT);
        }
        try (Scope _ = new Scope()) {
            Tensor hidden = model.hidden(tokens);
            Tensor loss = HeadLogProbs.crossEntropyBackward(hidden, model.head(), targets, targets.numel());
            model.parameters().clipGradient(1);
            optimizer.step(LEARNING_RATE);
            return loss.item();
        }
    }

    @Override
    public void close() {
        if (optimizer != null) {
            optimizer.close();
        }
        tokens.close();
        targets.close();
        model.close();
    }
}
