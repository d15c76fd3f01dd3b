package dev.kedge.recipe.unpaired;

import dev.kedge.data.LabelledSequence;
import dev.kedge.data.Split;
import dev.kedge.data.Tokenized;
import dev.kedge.data.Truncation;
import dev.kedge.run.Run;
import dev.kedge.run.TrainingConfig;
import dev.kedge.run.result.Summary;
import dev.kedge.sequence.Policy;
import dev.kedge.sequence.PolicyEvaluation;
import dev.kedge.sequence.PretrainedModel;
import dev.kedge.sequence.SequenceReader;
import dev.kedge.sequence.UnpairedLoss;
import dev.kedge.sequence.UnpairedTraining;
import dev.kedge.statistics.Estimate;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Engine;
import dev.kedge.tensor.Streams;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// Kahneman-Tversky Optimization (arXiv:2402.01306) and Binary Classifier Optimization (arXiv:2404.04656) on
/// completions that are desirable or not, each by itself, against a frozen reference.
///
/// Kept: a baseline of the whole step, so that the result is the same however the step is split; fine-tuning on the
/// desirable completions first; pairs read as two completions. Left out: BCO's classifier of prompts.
///
/// Command: `./kedge run recipes/kto.yaml`, or `model=DIR data=FILE` for others.
public final class KtoRecipe {
    private KtoRecipe() {}

    /// @param model      the folder to start from
    /// @param data       records with labels, or preferences: each is a desirable completion and an undesirable one
    /// @param loss       the loss on completions
    /// @param adapter    train low-rank adapters only; absent: all weights
    /// @param maxLength  tokens of prompt and reply together
    /// @param truncation what happens to longer ones
    /// @param heldOut    examples kept for judging, the last ones of the file
    /// @param sft        fine-tuning on the desirable completions before the reference is taken; absent: none
    /// @param training   how the policy is moved
    /// @param evaluation how the result is judged
    /// @param device     cpu, cuda or cuda:N
    /// @param threads    of the engine: a model of a few megabytes is fastest on one
    /// @param seed       of everything drawn
    public record Config(
            Path model,
            Path data,
            UnpairedLoss loss,
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
            Split<LabelledSequence> split = SequenceReader.of(
                            model, config.maxLength(), config.truncation(), config.heldOut(), run)
                    .labelled(config.data());
            List<Tokenized> desirable = sequences(split.train(), true);
            long undesirable = split.train().size() - desirable.size();
            run.note(desirable.size() + " desirable and " + undesirable + " undesirable completions to learn from, "
                    + split.heldOut().size() + " held out");
            try (Policy policy =
                    Policy.start(model, run, config.sft(), desirable, config.adapter(), true, config.seed())) {
                PolicyEvaluation evaluation = new PolicyEvaluation(config.evaluation(), config.seed());
                evaluation.requirePrompts(policy, sequences(split.heldOut(), true));
                UnpairedTraining training = UnpairedTraining.of(policy, split.train());
                long order = Streams.of(config.seed(), "order");
                training.train(run, "kto", config.loss().objective(training), config.training(), order);
                policy.save(run);
                Summary summary = Summary.of("kto", Summary.Status.FINISHED, run.seconds())
                        .title(config.loss().title() + " on " + config.data().getFileName())
                        .fact(
                                "desirable_completions_to_learn_from",
                                "desirable completions to learn from",
                                Estimate.of(desirable.size()),
                                "",
                                "")
                        .fact(
                                "undesirable_completions_to_learn_from",
                                "undesirable completions to learn from",
                                Estimate.of(undesirable),
                                "",
                                "");
                double[] rewards = Arrays.stream(UnpairedTraining.logRatios(policy, split.heldOut()))
                        .map(ratio -> config.loss().beta() * ratio)
                        .toArray();
                run.summarise(evaluation.ofLabelled(summary, policy, split.heldOut(), rewards));
            }
        }
    }

    private static List<Tokenized> sequences(List<LabelledSequence> labelled, boolean desirable) {
        return labelled.stream()
                .filter(s -> s.desirable() == desirable)
                .map(LabelledSequence::sequence)
                .toList();
    }
}
