package dev.kedge.recipe.preference;

import dev.kedge.data.Batches;
import dev.kedge.data.DataException;
import dev.kedge.data.DataException.Place;
import dev.kedge.data.DifferingSpans;
import dev.kedge.data.PreferenceBatch;
import dev.kedge.data.Split;
import dev.kedge.data.TokenBatch;
import dev.kedge.data.Tokenized;
import dev.kedge.data.TokenizedPair;
import dev.kedge.data.Truncation;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.nn.optim.AdamW;
import dev.kedge.nn.optim.Schedule;
import dev.kedge.objective.Loss;
import dev.kedge.objective.logprob.HeadDivergence;
import dev.kedge.objective.logprob.HeadLogProbs;
import dev.kedge.objective.preference.PreferenceLogProbs;
import dev.kedge.objective.preference.Rrpo;
import dev.kedge.run.Checkpoint;
import dev.kedge.run.EpochBatches;
import dev.kedge.run.Progress;
import dev.kedge.run.Run;
import dev.kedge.run.TrainingConfig;
import dev.kedge.run.result.Summary;
import dev.kedge.sequence.Models;
import dev.kedge.sequence.PreferenceEvaluation;
import dev.kedge.sequence.PreferencePairs;
import dev.kedge.sequence.SequenceScores;
import dev.kedge.statistics.Bootstrap;
import dev.kedge.statistics.Estimate;
import dev.kedge.tensor.Creation;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Engine;
import dev.kedge.tensor.Gradients;
import dev.kedge.tensor.Indexing;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import dev.kedge.text.Tokenizer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Refined Regularized Preference Optimization (arXiv:2504.12083) on pairs of replies that share most of their words:
/// the preference falls on the phrases in which they differ, and a token-wise KL holds the preferred reply to a frozen
/// reference.
///
/// Kept: phrases by longest matching blocks of tokens; their summed log-ratios as the reward; the forward KL over the
/// whole vocabulary at every token of the preferred reply, a few positions at a time; fine-tuning on the chosen replies
/// first; whole-step denominators. Left out: videos and their perturbed questions; phrases marked in the data;
/// adapters. Pairs without a phrase, which differ by insertions or deletions alone, prefer nothing and are left out.
///
/// Command: `./kedge run recipes/rrpo.yaml`, or `model=DIR data=FILE` for others. Numbers: docs/papers/rrpo.md.
public final class RrpoRecipe {
    private RrpoRecipe() {}

    /// @param model      the folder to start from
    /// @param data       preference records
    /// @param beta       scale of the rewards, > 0
    /// @param alpha      weight of the KL, a sum over the tokens of a reply, >= 0
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
            double beta,
            double alpha,
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
            if (!(beta > 0 && beta < Double.POSITIVE_INFINITY && alpha >= 0 && alpha < Double.POSITIVE_INFINITY)) {
                throw new IllegalArgumentException(
                        "beta > 0 and alpha >= 0 expected, both finite, were " + beta + " and " + alpha);
            }
            if (heldOut < 1) {
                throw new IllegalArgumentException("held_out must be at least 1, was " + heldOut);
            }
        }
    }

    /// Pairs that have phrases.
    ///
    /// @param whole   the targets are all tokens of the replies
    /// @param phrases the same, the targets are the tokens of phrases
    private record Pairs(List<TokenizedPair> whole, List<TokenizedPair> phrases) {
        static Pairs of(List<TokenizedPair> all) {
            List<TokenizedPair> whole = all.stream()
                    .filter(pair -> DifferingSpans.between(pair).phrases() > 0)
                    .toList();
            return new Pairs(
                    whole, whole.stream().map(DifferingSpans::phrasesOf).toList());
        }

        int size() {
            return whole.size();
        }
    }

    public static void run(Config config, Run run) {
        Engine.useThreads(config.threads());
        Device device = new Device(config.device());
        Path reference = run.folder().resolve("reference");
        try (Tokenizer tokenizer = Models.tokenizer(config.model())) {
            Split<TokenizedPair> all = PreferencePairs.read(
                    config.data(),
                    config.model(),
                    tokenizer,
                    config.maxLength(),
                    config.truncation(),
                    config.heldOut(),
                    run);
            Pairs train = withPhrases(all.train(), "to learn from", config, run);
            Pairs heldOut = withPhrases(all.heldOut(), "held out", config, run);
            if (!Models.isComplete(reference)) {
                PreferencePairs.makeReference(
                        config.model(), config.sft(), tokenizer, all.train(), reference, device, run, config.seed());
            }
            try (Decoder policy = Models.load(reference, device);
                    Decoder frozen = policy.copy()) {
                int padId = Models.padId(tokenizer);
                PreferenceEvaluation evaluation =
                        new PreferenceEvaluation(config.evaluation(), tokenizer, config.seed());
                evaluation.prompts(frozen, heldOut.whole()); // what cannot be judged is not trained
                train(run, policy, frozen, train, padId, config);
                Models.saveLike(config.model(), policy, run.folder().resolve("model"));
                run.summarise(summary(config, evaluation, frozen, policy, train, heldOut, padId, run));
            }
        }
    }

    private static Pairs withPhrases(List<TokenizedPair> all, String what, Config config, Run run) {
        Pairs pairs = Pairs.of(all);
        run.note(pairs.size() + " pairs " + what + "; without a phrase and left out: " + (all.size() - pairs.size()));
        if (pairs.size() == 0) {
            throw new DataException(
                    Place.file(config.data()),
                    "",
                    "none of the " + all.size() + " pairs " + what
                            + " has a phrase: the replies differ by insertions or"
                            + " deletions alone, which RRPO does not see");
        }
        return pairs;
    }

    /// The loop. Goes on from the run's checkpoint where that is of this phase.
    private static void train(Run run, Decoder policy, Decoder frozen, Pairs pairs, int padId, Config config) {
        TrainingConfig o = config.training();
        double[][] reference =
                SequenceScores.ofPairs(frozen, pairs.phrases(), padId); // [2][pairs], summed over phrases
        int[] lengths = pairs.whole().stream().mapToInt(TokenizedPair::length).toArray();
        Schedule schedule = o.schedules();
        try (AdamW optimizer = o.optimizer(policy.parameters())) {
            int first = 0;
            var saved = run.latest().filter(c -> c.phase().equals("rrpo"));
            if (saved.isPresent()) {
                saved.get().restore("model", policy.parameters().named());
                saved.get().restore("optimizer", optimizer.state());
                first = (int) saved.get().step();
            }
            EpochBatches batches = new EpochBatches(o.batches(), lengths, o.batchSize(), config.seed());
            try (Progress progress = run.progress("rrpo", first, o.steps())) {
                for (int step = first; step < o.steps(); step++) {
                    int[] batch = batches.at(step);
                    long start = System.nanoTime();
                    Map<String, Double> metrics = gradient(policy, frozen, pairs, reference, batch, padId, config);
                    metrics.put("grad_norm", policy.parameters().clipGradient(o.maxGradNorm()));
                    run.guard("rrpo", step + 1L, metrics);
                    optimizer.step(schedule.at(step));
                    long tokens = tokens(pairs, batch);
                    metrics.put("lr", schedule.at(step));
                    metrics.put("tokens_per_s", tokens / ((System.nanoTime() - start) / 1e9));
                    run.log("rrpo", step + 1L, metrics);
                    progress.step(step + 1L, metrics.get("loss"), tokens);
                    if ((step + 1) % o.checkpointEvery() == 0 || step + 1 == o.steps()) {
                        run.save(Checkpoint.at("rrpo", step + 1L)
                                .tensors("model", policy.parameters().named())
                                .tensors("optimizer", optimizer.state()));
                    }
                }
            }
        }
    }

    /// Adds the gradient of a step's loss, micro-batch by micro-batch; the metrics are means over its pairs.
    private static Map<String, Double> gradient(
            Decoder policy, Decoder frozen, Pairs pairs, double[][] reference, int[] batch, int padId, Config config) {
        Map<String, Double> metrics = new LinkedHashMap<>();
        for (int[] rows : Batches.inOrder(batch.length, config.training().microBatch())) {
            int[] part = Arrays.stream(rows).map(i -> batch[i]).toArray();
            try (Scope _ = new Scope()) {
                TokenBatch whole = rows(pairs.whole(), part, padId).to(policy.device());
                TokenBatch phrases = rows(pairs.phrases(), part, padId).to(policy.device());
                Terms terms = Terms.of(policy, frozen, whole, phrases);
                int b = part.length;
                PreferenceLogProbs lp = new PreferenceLogProbs(
                        terms.phrases().narrow(0, 0, b),
                        terms.phrases().narrow(0, b, b),
                        constant(reference[0], part, terms.phrases()),
                        constant(reference[1], part, terms.phrases()));
                Loss loss = Rrpo.rrpo(lp, terms.chosenKl(), config.beta(), config.alpha(), batch.length);
                loss.value().backward();
                terms.backward();
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

    /// What the loss of B pairs is made of, and the way back to the policy.
    ///
    /// @param hidden   the policy's states
    /// @param states   the same as a leaf, in which the gradients of both terms meet
    /// @param phrases  log-probs summed over phrases: chosen, then rejected replies, [2B]
    /// @param chosenKl summed over the tokens of the chosen replies, [B]
    private record Terms(
            Tensor hidden, Tensor states, HeadLogProbs logProbs, HeadDivergence kl, Tensor phrases, Tensor chosenKl) {
        /// @param whole   2B rows of which all of the reply is target
        /// @param phrases the same rows with the phrases as targets
        static Terms of(Decoder policy, Decoder frozen, TokenBatch whole, TokenBatch phrases) {
            int pairs = whole.rows() / 2;
            long ofChosen =
                    whole.target().narrow(0, 0, pairs).to(DType.INT64).sum().toLongs()[0];
            Tensor positions = whole.targetIndex().narrow(0, 0, ofChosen); // targets stand in the order of rows
            Tensor hidden = policy.hidden(whole.tokens());
            Tensor states = hidden.detach().requiresGrad();
            HeadLogProbs logProbs = HeadLogProbs.of(
                    states.indexSelect(0, phrases.targetIndex()), policy.head(), phrases.targetTokens(), 1);
            HeadDivergence kl = HeadDivergence.forwardKl(
                    states.indexSelect(0, positions),
                    policy.head(),
                    chosenStates(frozen, whole, pairs).indexSelect(0, positions),
                    frozen.head());
            Tensor chosenKl = Indexing.indexAdd(
                    Creation.zeros(states.dtype(), states.device(), pairs),
                    0,
                    whole.row().narrow(0, 0, ofChosen),
                    kl.values());
            return new Terms(
                    hidden, states, logProbs, kl, SequenceScores.rowSums(logProbs.values(), phrases), chosenKl);
        }

        void backward() {
            logProbs.backward();
            kl.backward();
            hidden.backward(states.grad());
        }
    }

    private static TokenBatch rows(List<TokenizedPair> pairs, int[] part, int padId) {
        return PreferenceBatch.of(Arrays.stream(part).mapToObj(pairs::get).toList(), padId, 1)
                .sequences();
    }

    /// The reference's states at the chosen replies, row by row as in the whole batch.
    private static Tensor chosenStates(Decoder frozen, TokenBatch whole, int pairs) {
        try (var _ = Gradients.off()) {
            return frozen.hidden(whole.tokens().narrow(0, 0, pairs));
        }
    }

    private static Tensor constant(double[] values, int[] part, Tensor like) {
        return Tensor.of(Arrays.stream(part).mapToDouble(i -> values[i]).toArray())
                .to(like.dtype())
                .to(like.device());
    }

    private static long tokens(Pairs pairs, int[] batch) {
        return Arrays.stream(batch)
                .mapToLong(i -> pairs.whole().get(i).chosen().length()
                        + pairs.whole().get(i).rejected().length())
                .sum();
    }

    private static Summary summary(
            Config config,
            PreferenceEvaluation evaluation,
            Decoder frozen,
            Decoder policy,
            Pairs train,
            Pairs heldOut,
            int padId,
            Run run) {
        Bootstrap bootstrap = new Bootstrap(2000, 0.95, config.seed());
        Summary base = Summary.of("rrpo", Summary.Status.FINISHED, run.seconds())
                .title("RRPO on " + config.data().getFileName())
                .comparison(
                        "Loss of the chosen replies outside phrases",
                        "nats a token",
                        bootstrap.bca(sharedLoss(frozen, heldOut, padId)),
                        bootstrap.bca(sharedLoss(policy, heldOut, padId)))
                .fact("pairs to learn from", Estimate.of(train.size()), "", "those with a phrase");
        return evaluation
                .summary(base, frozen, policy, heldOut.whole(), margins(frozen, policy, heldOut, padId, config))
                .note("The implicit reward counts the phrases in which two replies differ, and nothing else.");
    }

    /// By how much the phrases of the chosen reply are rewarded above those of the rejected one.
    private static double[] margins(Decoder frozen, Decoder policy, Pairs pairs, int padId, Config config) {
        double[][] ref = SequenceScores.ofPairs(frozen, pairs.phrases(), padId);
        double[][] now = SequenceScores.ofPairs(policy, pairs.phrases(), padId);
        double[] margins = new double[pairs.size()];
        Arrays.setAll(margins, i -> config.beta() * (now[0][i] - ref[0][i] - (now[1][i] - ref[1][i])));
        return margins;
    }

    /// Of each chosen reply, the mean negative log-likelihood of its tokens outside phrases; of those that have any.
    private static double[] sharedLoss(Decoder model, Pairs pairs, int padId) {
        double[] whole = SequenceScores.ofPairs(model, pairs.whole(), padId)[0];
        double[] phrases = SequenceScores.ofPairs(model, pairs.phrases(), padId)[0];
        double[] losses = new double[pairs.size()];
        int n = 0;
        for (int i = 0; i < losses.length; i++) {
            Tokenized all = pairs.whole().get(i).chosen();
            int shared = all.targets() - pairs.phrases().get(i).chosen().targets();
            if (shared > 0) {
                losses[n++] = (phrases[i] - whole[i]) / shared;
            }
        }
        return Arrays.copyOf(losses, n);
    }
}
