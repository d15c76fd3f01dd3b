package dev.kedge.recipe.preference;

import dev.kedge.data.Split;
import dev.kedge.data.TokenizedPair;
import dev.kedge.data.Truncation;
import dev.kedge.run.Run;
import dev.kedge.run.TrainingConfig;
import dev.kedge.run.result.Summary;
import dev.kedge.sequence.Policy;
import dev.kedge.sequence.PolicyEvaluation;
import dev.kedge.sequence.PreferenceLoss;
import dev.kedge.sequence.PreferenceTraining;
import dev.kedge.sequence.PretrainedModel;
import dev.kedge.sequence.SequenceReader;
import dev.kedge.statistics.Estimate;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Engine;
import dev.kedge.tensor.Streams;
import java.nio.file.Path;
import java.util.Optional;

/// Direct Preference Optimization (arXiv:2305.18290) and its relatives on preference pairs, against a frozen reference.
///
/// Kept: fine-tuning on the chosen replies first, the reference's log-probs computed once, whole-step denominators,
/// LoRA with the reference as the same weights without the adapter, held-out accuracy with its interval, KL from
/// samples; a loss without a reference holds and scores none. Left out: references that move, several references.
///
/// Command: `./kedge run recipes/dpo.yaml model=DIR data=FILE`.
public final class DpoRecipe {
    private DpoRecipe() {}

    /// @param model      the folder to start from
    /// @param data       preference records
    /// @param loss       the loss on pairs
    /// @param adapter    train low-rank adapters only; absent: all weights
    /// @param maxLength  tokens of prompt and reply together
    /// @param truncation what happens to longer ones
    /// @param heldOut    pairs kept for judging, the last ones of the file
    /// @param sft        fine-tuning on the chosen replies first, after which the reference is taken; absent: none
    /// @param training   how the policy is moved
    /// @param evaluation how the result is judged
    /// @param device     cpu, cuda or cuda:N
    /// @param threads    of the engine: a model of a few megabytes is fastest on one
    /// @param seed       of everything drawn
    public record Config(
            Path model,
            Path data,
            PreferenceLoss loss,
            Optional<Policy.Adapter> adapter,
            int maxLength,
            Truncation truncation,
            int heldOut,
            Optional<TrainingConfig> sft,
            TrainingConfig training,
            PolicyEvaluation.Config evaluation,
            String device,
            int threads,
            long seed) {
        public Config {
            Engine.requireThreads(threads);
            if (heldOut < 1) {
                throw new IllegalArgumentException("held_out must be at least 1, was " + heldOut);
            }
        }
    }

    public static void run(Config config, Run run) {
        Engine.useThreads(config.threads());
        try (PretrainedModel model = PretrainedModel.open(config.model(), new Device(config.device()))) {
            Split<TokenizedPair> split = SequenceReader.of(
                            model, config.maxLength(), config.truncation(), config.heldOut(), run)
                    .pairs(config.data());
            run.note(split.train().size() + " pairs to learn from, "
                    + split.heldOut().size() + " held out");
            try (Policy policy = Policy.start(
                    model,
                    run,
                    config.sft(),
                    PolicyEvaluation.sequences(split.train()),
                    config.adapter(),
                    config.loss().needsReference(),
                    config.seed())) {
                PolicyEvaluation evaluation = new PolicyEvaluation(config.evaluation(), config.seed());
                evaluation.requirePrompts(policy, PolicyEvaluation.sequences(split.heldOut()));
                PreferenceTraining.train(
                        run,
                        "dpo",
                        policy.decoder(),
                        policy.trained(),
                        PreferenceTraining.scored(policy, split.train(), config.loss()),
                        config.loss(),
                        config.training(),
                        Streams.of(config.seed(), "order"));
                policy.save(run);
                Summary summary = Summary.of("dpo", Summary.Status.FINISHED, run.seconds())
                        .title(config.loss().title() + " on " + config.data().getFileName())
                        .fact(
                                "pairs_to_learn_from",
                                "pairs to learn from",
                                Estimate.of(split.train().size()),
                                "",
                                "");
                double[] margins = PreferenceTraining.margins(policy, split.heldOut(), config.loss());
                run.summarise(evaluation.ofPairs(summary, policy, split.heldOut(), margins));
            }
        }
    }
}
