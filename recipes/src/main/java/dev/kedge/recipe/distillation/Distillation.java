package dev.kedge.recipe.distillation;

import dev.kedge.data.TokenBatch;
import dev.kedge.data.Tokenized;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.nn.lm.Generator.Completion;
import dev.kedge.objective.Loss;
import dev.kedge.objective.distillation.GeneralizedJsd;
import dev.kedge.objective.logprob.HeadDivergence;
import dev.kedge.objective.logprob.HeadLogProbs;
import dev.kedge.run.SamplerAgreement;
import dev.kedge.run.StepMetrics;
import dev.kedge.sequence.ForgettingEvaluation;
import dev.kedge.sequence.SequenceScores;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Gradients;
import dev.kedge.tensor.Tensor;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/// Holds a student to its teacher's next-token distributions.
///
/// @param beta        of the divergence, see [GeneralizedJsd]
/// @param temperature divides the logits of both
record Distillation(Decoder student, Decoder teacher, int padId, double beta, double temperature) {
    /// What is learnt from: a given completion, or one that the student has just drawn.
    record Target(Tokenized sequence, Optional<Completion> drawn) {}

    /// Adds the gradient of some completions' share of the mean divergence per token. Metrics: the loss, and by how
    /// much sampler and trainer differ on what was drawn, nats a token.
    StepMetrics gradient(List<Target> part, long tokensInStep) {
        TokenBatch tokens = TokenBatch.of(part.stream().map(Target::sequence).toList(), padId, 1)
                .to(student.device());
        Tensor hidden = ForgettingEvaluation.states(student, tokens);
        HeadDivergence divergence = HeadDivergence.of(
                hidden,
                student.head(),
                student.absent(),
                constantStates(tokens),
                teacher.head(),
                teacher.absent(),
                temperature,
                (own, others) -> GeneralizedJsd.divergence(own, others, beta));
        Tensor values = divergence.values();
        Loss loss =
                GeneralizedJsd.generalizedJsd(values, values.detach().onesLike().gt(0), tokensInStep);
        loss.value().backward();
        StepMetrics metrics = new StepMetrics().add("loss", loss.value().item());
        if (part.stream().anyMatch(t -> t.drawn().isPresent())) {
            agreement(part, hidden, tokens).on(metrics);
        }
        divergence.backward();
        return metrics;
    }

    private Tensor constantStates(TokenBatch tokens) {
        try (var _ = Gradients.off()) {
            return ForgettingEvaluation.states(teacher, tokens);
        }
    }

    private SamplerAgreement agreement(List<Target> part, Tensor hidden, TokenBatch tokens) {
        try (var _ = Gradients.off()) {
            HeadLogProbs computed =
                    HeadLogProbs.of(hidden.detach(), student.head(), student.absent(), tokens.targetTokens(), 1);
            long[] rows = tokens.row().to(Device.CPU).toLongs();
            return SequenceScores.agreement(
                    part.stream().flatMap(t -> t.drawn().stream()).toList(),
                    computed,
                    IntStream.range(0, rows.length)
                            .filter(n -> part.get((int) rows[n]).drawn().isPresent())
                            .toArray());
        }
    }
}
