package dev.kedge.recipe.preference;

import dev.kedge.data.Split;
import dev.kedge.data.TokenizedPair;
import dev.kedge.data.Truncation;
import dev.kedge.nn.Parameters;
import dev.kedge.nn.file.AdapterFile;
import dev.kedge.nn.file.ModelFamily;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.nn.lm.Lora;
import dev.kedge.objective.Loss;
import dev.kedge.objective.preference.PreferenceLogProbs;
import dev.kedge.run.Run;
import dev.kedge.run.TrainingConfig;
import dev.kedge.run.result.Summary;
import dev.kedge.sequence.Models;
import dev.kedge.sequence.PreferenceEvaluation;
import dev.kedge.sequence.PreferenceLoss;
import dev.kedge.sequence.PreferencePairs;
import dev.kedge.sequence.PreferenceTraining;
import dev.kedge.sequence.SequenceScores;
import dev.kedge.statistics.Estimate;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Engine;
import dev.kedge.tensor.Rng;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import dev.kedge.text.Tokenizer;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/// Direct Preference Optimization (arXiv:2305.18290) and its relatives on preference pairs, against a frozen reference.
///
/// Kept: fine-tuning on the chosen replies first, the reference's log-probs computed once, whole-step denominators,
/// LoRA with the reference as the same weights without the adapter, held-out accuracy with its interval, KL from
/// samples. Left out: references that move, several references.
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
            Optional<Adapter> adapter,
            int maxLength,
            Truncation truncation,
            int heldOut,
            Optional<TrainingConfig> sft,
            TrainingConfig training,
            PreferenceEvaluation.Config evaluation,
            String device,
            int threads,
            long seed) {
        public Config {
            if (heldOut < 1) {
                throw new IllegalArgumentException("held_out must be at least 1, was " + heldOut);
            }
        }
    }

    /// @param rank  of every update
    /// @param alpha numerator of the scale
    public record Adapter(int rank, double alpha) {}

    public static void run(Config config, Run run) {
        Engine.useThreads(config.threads());
        Device device = new Device(config.device());
        Path reference = run.folder().resolve("reference");
        try (Tokenizer tokenizer = Models.tokenizer(config.model())) {
            Split<TokenizedPair> split = PreferencePairs.read(
                    config.data(),
                    config.model(),
                    tokenizer,
                    config.maxLength(),
                    config.truncation(),
                    config.heldOut(),
                    run);
            run.note(split.train().size() + " pairs to learn from, "
                    + split.heldOut().size() + " held out");
            if (!Models.isComplete(reference)) {
                PreferencePairs.makeReference(
                        config.model(), config.sft(), tokenizer, split.train(), reference, device, run, config.seed());
            }
            try (Decoder policyBase = Models.load(reference, device);
                    Decoder frozen = config.adapter().isPresent() ? policyBase.withoutAdapter() : policyBase.copy();
                    Policy policy = Policy.of(policyBase, config)) {
                int padId = Models.padId(tokenizer);
                PreferenceEvaluation evaluation =
                        new PreferenceEvaluation(config.evaluation(), tokenizer, config.seed());
                evaluation.prompts(frozen, split.heldOut()); // what cannot be judged is not trained
                double[][] referenceScores = SequenceScores.ofPairs(frozen, split.train(), padId);
                PreferenceTraining.train(
                        run,
                        "dpo",
                        policy.decoder(),
                        policy.trained(),
                        split.train(),
                        referenceScores,
                        padId,
                        config.loss(),
                        config.training(),
                        config.seed());
                save(config, policy, run.folder());
                run.summarise(evaluation.summary(
                        Summary.of("dpo", Summary.Status.FINISHED, run.seconds())
                                .title(config.loss().title() + " on "
                                        + config.data().getFileName())
                                .fact(
                                        "pairs to learn from",
                                        Estimate.of(split.train().size()),
                                        "",
                                        ""),
                        frozen,
                        policy.decoder(),
                        split.heldOut(),
                        margins(frozen, policy.decoder(), split.heldOut(), padId, config.loss())));
            }
        }
    }

    /// The model that is trained: all of it, or adapters on it.
    private record Policy(Decoder decoder, Parameters trained, Optional<Lora> lora) implements AutoCloseable {
        static Policy of(Decoder base, Config config) {
            if (config.adapter().isEmpty()) {
                return new Policy(base, base.parameters(), Optional.empty());
            }
            Adapter adapter = config.adapter().get();
            try (Rng rng = Rng.seeded(config.seed())) {
                Lora lora = Lora.create(base, Models.projections(base), adapter.rank(), adapter.alpha(), rng);
                return new Policy(base.withAdapter(lora), lora.parameters(), Optional.of(lora));
            }
        }

        @Override
        public void close() {
            lora.ifPresent(Lora::close);
        }
    }

    /// By how much a policy's implicit reward of the chosen reply exceeds that of the rejected one.
    private static double[] margins(
            Decoder reference, Decoder policy, List<TokenizedPair> pairs, int padId, PreferenceLoss objective) {
        double[][] ref = SequenceScores.ofPairs(reference, pairs, padId);
        double[][] now = SequenceScores.ofPairs(policy, pairs, padId);
        try (Scope _ = new Scope()) {
            int[] all = IntStream.range(0, pairs.size()).toArray();
            Tensor chosen = Tensor.of(now[0]);
            Loss loss = objective.loss(
                    new PreferenceLogProbs(chosen, Tensor.of(now[1]), Tensor.of(ref[0]), Tensor.of(ref[1])),
                    PreferenceTraining.targets(pairs, all, chosen),
                    pairs.size());
            return loss.metric("reward/chosen")
                    .minus(loss.metric("reward/rejected"))
                    .toDoubles();
        }
    }

    private static void save(Config config, Policy policy, Path folder) {
        if (policy.lora().isEmpty()) {
            Models.saveLike(config.model(), policy.decoder(), folder.resolve("model"));
            return;
        }
        new AdapterFile(
                        ModelFamily.of(policy.decoder().config()),
                        policy.decoder().config())
                .write(
                        folder.resolve("adapter"),
                        policy.lora().get().weights(),
                        folder.resolve("reference").toString());
    }
}
