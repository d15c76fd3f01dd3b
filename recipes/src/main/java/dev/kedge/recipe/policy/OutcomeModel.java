package dev.kedge.recipe.policy;

import dev.kedge.nn.lm.Decoder;
import dev.kedge.nn.optim.AdamW;
import dev.kedge.objective.Loss;
import dev.kedge.objective.policy.TokenRewardModel;
import dev.kedge.tensor.Creation;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;

/// A [TokenRewardModel] at work: a copy of the policy's start with a linear head, at first 0, and an optimiser of its
/// own. Nothing of it reaches the policy's gradient.
final class OutcomeModel implements AutoCloseable {
    private static final double CLIP = 1;

    private final ScalarHead head;
    private final Decoder decoder; // the head's
    private final AdamW optimizer;
    private final double learningRate;

    OutcomeModel(Decoder start, double learningRate) {
        head = ScalarHead.on(start);
        decoder = head.decoder();
        optimizer = new AdamW(decoder.parameters(), AdamW.Config.DEFAULT);
        this.learningRate = learningRate;
    }

    /// What it says of a batch's completions before it learns from them, constants.
    ///
    /// @param scores of tokens, `[P·G, T]`, 0 where masked
    /// @param means  of completions, `[P·G]`, logits of their being correct
    /// @param losses likewise, nats
    record Predictions(Tensor scores, Tensor means, Tensor losses) {}

    /// Scores a batch's completions, then learns from their outcomes.
    ///
    /// @param correct boolean `[P·G]`
    Predictions learn(RolloutBatch batch, Tensor correct) {
        Tensor mask = batch.mask();
        DType dtype = decoder.parameters().flat().dtype();
        Tensor scores = Creation.zeros(dtype, decoder.device(), mask.shape());
        Tensor means = Creation.zeros(dtype, decoder.device(), mask.size(0));
        Tensor losses = means.zerosLike();
        batch.forEach(microBatch -> {
            Tensor mine = head.of(microBatch.states(decoder));
            Loss loss = TokenRewardModel.loss(mine, microBatch.mask(), microBatch.of(correct), batch.completions());
            loss.value().backward();
            microBatch.put(mine.detach(), scores);
            microBatch.put(loss.metric("score"), means);
            microBatch.put(loss.metric("loss"), losses);
        });
        decoder.parameters().clipGradient(CLIP);
        optimizer.step(learningRate);
        return new Predictions(scores, means, losses);
    }

    /// How often it has learnt.
    long steps() {
        return (long) optimizer.state().get("step").item();
    }

    /// Written into checkpoints.
    Map<String, Tensor> state() {
        Map<String, Tensor> state = new LinkedHashMap<>();
        decoder.parameters().named().forEach((name, tensor) -> state.put("model/" + name, tensor));
        optimizer.state().forEach((name, tensor) -> state.put("optimizer/" + name, tensor));
        return state;
    }

    @Override
    public void close() {
        optimizer.close();
        decoder.close();
    }
}
