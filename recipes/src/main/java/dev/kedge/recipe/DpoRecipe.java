package dev.kedge.recipe;

import dev.kedge.data.Batches;
import dev.kedge.data.PreferenceBatch;
import dev.kedge.data.Split;
import dev.kedge.data.TokenBatch;
import dev.kedge.data.TokenizedPair;
import dev.kedge.data.Truncation;
import dev.kedge.nn.Parameters;
import dev.kedge.nn.file.AdapterFile;
import dev.kedge.nn.file.Family;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.nn.lm.Lora;
import dev.kedge.nn.optim.AdamW;
import dev.kedge.nn.optim.Schedule;
import dev.kedge.objective.Loss;
import dev.kedge.objective.logprob.HeadLogProbs;
import dev.kedge.objective.preference.PreferenceLogProbs;
import dev.kedge.recipe.run.Checkpoint;
import dev.kedge.recipe.run.Progress;
import dev.kedge.recipe.run.Run;
import dev.kedge.recipe.run.Summary;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Engine;
import dev.kedge.tensor.Rng;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import dev.kedge.text.Tokenizer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiFunction;
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
    /// @param objective  the loss on pairs
    /// @param adapter    train low-rank adapters only; absent: all weights
    /// @param maxLength  tokens of prompt and reply together
    /// @param truncation what happens to longer ones
    /// @param heldOut    pairs kept for judging, the last ones of the file
    /// @param sft        fine-tuning on the chosen replies first, after which the reference is taken; absent: none
    /// @param dpo        how the policy is moved
    /// @param evaluation how the result is judged
    /// @param device     cpu, cuda or cuda:N
    /// @param threads    of the engine: a model of a few megabytes is fastest on one
    /// @param seed       of everything drawn
    public record Config(
            Path model,
            Path data,
            PairObjective objective,
            Optional<Adapter> adapter,
            int maxLength,
            Truncation truncation,
            int heldOut,
            Optional<Optimisation> sft,
            Optimisation dpo,
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
                double[][] referenceScores = scores(frozen, split.train(), padId);
                train(
                        run,
                        "dpo",
                        policy.decoder(),
                        policy.trained(),
                        split.train(),
                        referenceScores,
                        padId,
                        config.objective(),
                        config.dpo(),
                        config.seed());
                save(config, policy, run.folder());
                run.summarise(evaluation.summary(
                        Summary.of("dpo", Summary.Status.FINISHED, run.seconds())
                                .title(config.objective().title() + " on "
                                        + config.data().getFileName())
                                .fact(
                                        "pairs to learn from",
                                        Summary.Estimate.of(split.train().size()),
                                        "",
                                        ""),
                        frozen,
                        policy.decoder(),
                        split.heldOut(),
                        margins(frozen, policy.decoder(), split.heldOut(), padId, config.objective())));
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

    /// The reference's log-probs of the chosen and of the rejected replies: nats, [2][pairs].
    static double[][] scores(Decoder model, List<TokenizedPair> pairs, int padId) {
        return new double[][] {
            SequenceScores.of(model, pairs.stream().map(TokenizedPair::chosen).toList(), padId, 1.0),
            SequenceScores.of(model, pairs.stream().map(TokenizedPair::rejected).toList(), padId, 1.0)
        };
    }

    /// By how much a policy's implicit reward of the chosen reply exceeds that of the rejected one.
    private static double[] margins(
            Decoder reference, Decoder policy, List<TokenizedPair> pairs, int padId, PairObjective objective) {
        double[][] ref = scores(reference, pairs, padId);
        double[][] now = scores(policy, pairs, padId);
        try (Scope _ = new Scope()) {
            int[] all = IntStream.range(0, pairs.size()).toArray();
            Tensor chosen = Tensor.of(now[0]);
            Loss loss = objective.loss(
                    new PreferenceLogProbs(chosen, Tensor.of(now[1]), Tensor.of(ref[0]), Tensor.of(ref[1])),
                    targets(pairs, all, chosen),
                    pairs.size());
            return loss.metric("reward/chosen")
                    .minus(loss.metric("reward/rejected"))
                    .toDoubles();
        }
    }

    /// The loop. Goes on from the run's checkpoint where that is of this phase.
    ///
    /// @param trained   the parameters that move
    /// @param reference the frozen model's log-probs of `pairs`, see [#scores]
    static void train(
            Run run,
            String phase,
            Decoder policy,
            Parameters trained,
            List<TokenizedPair> pairs,
            double[][] reference,
            int padId,
            PairObjective objective,
            Optimisation o,
            long seed) {
        int[] lengths = pairs.stream().mapToInt(TokenizedPair::length).toArray();
        Schedule schedule = o.schedules();
        try (AdamW optimizer = o.optimizer(trained)) {
            int first = 0;
            var saved = run.latest().filter(c -> c.phase().equals(phase));
            if (saved.isPresent()) {
                saved.get().restore("model", trained.named());
                saved.get().restore("optimizer", optimizer.state());
                first = (int) saved.get().step();
            }
            EpochBatches batches = new EpochBatches(o.batches(), lengths, o.batchSize(), seed);
            try (Progress progress = run.progress(phase, first, o.steps())) {
                for (int step = first; step < o.steps(); step++) {
                    int[] batch = batches.at(step);
                    long start = System.nanoTime();
                    Map<String, Double> metrics =
                            gradient(policy, pairs, reference, batch, padId, objective, o.microBatch());
                    metrics.put("grad_norm", trained.clipGradient(o.clipNorm()));
                    run.guard(phase, step + 1L, metrics);
                    optimizer.step(schedule.at(step));
                    long tokens = Arrays.stream(batch)
                            .mapToLong(i -> pairs.get(i).chosen().length()
                                    + pairs.get(i).rejected().length())
                            .sum();
                    metrics.put("lr", schedule.at(step));
                    metrics.put("tokens_per_s", tokens / ((System.nanoTime() - start) / 1e9));
                    run.log(phase, step + 1L, metrics);
                    progress.step(step + 1L, metrics.get("loss"), tokens);
                    if ((step + 1) % o.checkpointEvery() == 0 || step + 1 == o.steps()) {
                        run.save(Checkpoint.at(phase, step + 1L)
                                .tensors("model", trained.named())
                                .tensors("optimizer", optimizer.state()));
                    }
                }
            }
        }
    }

    /// Adds the gradient of a step's loss, micro-batch by micro-batch; the metrics are means over its pairs.
    private static Map<String, Double> gradient(
            Decoder policy,
            List<TokenizedPair> pairs,
            double[][] reference,
            int[] batch,
            int padId,
            PairObjective objective,
            int microBatch) {
        Map<String, Double> metrics = new LinkedHashMap<>();
        metrics.put("loss", 0.0);
        for (int[] part : Batches.inOrder(batch.length, microBatch)) {
            int[] chosen = Arrays.stream(part).map(i -> batch[i]).toArray();
            try (Scope _ = new Scope()) {
                TokenBatch tokens = PreferenceBatch.of(
                                Arrays.stream(chosen).mapToObj(pairs::get).toList(), padId, 1)
                        .sequences()
                        .to(policy.device());
                HeadLogProbs logProbs = SequenceScores.sums(policy, tokens, 1.0);
                Tensor sums = SequenceScores.rowSums(logProbs.values(), tokens); // chosen, then rejected: [2B]
                int b = chosen.length;
                PreferenceLogProbs lp = new PreferenceLogProbs(
                        sums.narrow(0, 0, b), sums.narrow(0, b, b),
                        constant(reference[0], chosen, sums), constant(reference[1], chosen, sums));
                Loss loss = objective.loss(lp, targets(pairs, chosen, sums), batch.length);
                loss.value().backward();
                logProbs.backward();
                metrics.merge("loss", loss.value().item(), Double::sum);
                loss.metrics().forEach((name, values) -> {
                    if (!name.equals("loss")) {
                        metrics.merge(name, values.to(DType.FLOAT64).sum().item() / batch.length, Double::sum);
                    }
                });
            }
        }
        metrics.put("reward/margin", metrics.get("reward/chosen") - metrics.get("reward/rejected"));
        return metrics;
    }

    /// How many tokens the replies have: chosen and rejected, [B] each.
    private static Tensor[] targets(List<TokenizedPair> pairs, int[] chosen, Tensor like) {
        BiFunction<int[], java.util.function.ToIntFunction<TokenizedPair>, Tensor> count =
                (indices, length) -> Tensor.of(Arrays.stream(indices)
                                .mapToDouble(i -> length.applyAsInt(pairs.get(i)))
                                .toArray())
                        .to(like.dtype())
                        .to(like.device());
        return new Tensor[] {
            count.apply(chosen, pair -> pair.chosen().targets()),
            count.apply(chosen, pair -> pair.rejected().targets())
        };
    }

    private static Tensor constant(double[] values, int[] chosen, Tensor like) {
        return Tensor.of(Arrays.stream(chosen).mapToDouble(i -> values[i]).toArray())
                .to(like.dtype())
                .to(like.device());
    }

    private static void save(Config config, Policy policy, Path folder) {
        if (policy.lora().isEmpty()) {
            Models.saveLike(config.model(), policy.decoder(), folder.resolve("model"));
            return;
        }
        new AdapterFile(Family.of(policy.decoder().config()), policy.decoder().config())
                .write(
                        folder.resolve("adapter"),
                        policy.lora().get().weights(),
                        folder.resolve("reference").toString());
    }
}
