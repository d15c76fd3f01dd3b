package dev.kedge.recipe.preference;

import dev.kedge.data.DataException;
import dev.kedge.data.DataException.Place;
import dev.kedge.data.DifferingSpans;
import dev.kedge.data.Split;
import dev.kedge.data.TokenBatch;
import dev.kedge.data.Tokenized;
import dev.kedge.data.TokenizedPair;
import dev.kedge.data.Truncation;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.objective.Loss;
import dev.kedge.objective.logprob.HeadDivergence;
import dev.kedge.objective.logprob.HeadLogProbs;
import dev.kedge.objective.preference.PreferenceLogProbs;
import dev.kedge.objective.preference.Rrpo;
import dev.kedge.run.Run;
import dev.kedge.run.StepMetrics;
import dev.kedge.run.TrainingConfig;
import dev.kedge.run.result.Summary;
import dev.kedge.sequence.LossMetrics;
import dev.kedge.sequence.Policy;
import dev.kedge.sequence.PolicyEvaluation;
import dev.kedge.sequence.PreferenceTraining;
import dev.kedge.sequence.PretrainedModel;
import dev.kedge.sequence.SequenceReader;
import dev.kedge.sequence.SequenceScores;
import dev.kedge.statistics.Bootstrap;
import dev.kedge.statistics.Estimate;
import dev.kedge.tensor.Creation;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Engine;
import dev.kedge.tensor.Gradients;
import dev.kedge.tensor.Indexing;
import dev.kedge.tensor.Streams;
import dev.kedge.tensor.Tensor;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// Refined Regularized Preference Optimization (arXiv:2504.12083) on pairs of replies that share most of their words:
/// the preference falls on the phrases in which they differ, and a token-wise KL holds the preferred reply to a frozen
/// reference.
///
/// Kept: phrases by longest matching blocks of tokens; their summed log-ratios as the reward; the forward KL over the
/// whole vocabulary at every token of the preferred reply, a few positions at a time; fine-tuning on the chosen replies
/// first; whole-step denominators; LoRA. Left out: videos and their perturbed questions; phrases marked in the data.
/// Pairs without a phrase, which differ by insertions or deletions alone, prefer nothing and are left out.
///
/// Command: `./kedge run recipes/rrpo.yaml`, or `model=DIR data=FILE` for others. Numbers: docs/papers/rrpo.md.
public final class RrpoRecipe {
    private RrpoRecipe() {}

    /// @param model      the folder to start from
    /// @param data       preference records
    /// @param beta       scale of the rewards, > 0
    /// @param alpha      weight of the KL, a sum over the tokens of a reply, >= 0
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
            double beta,
            double alpha,
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
        try (PretrainedModel model = PretrainedModel.open(config.model(), new Device(config.device()))) {
            Split<TokenizedPair> all = SequenceReader.of(
                            model, config.maxLength(), config.truncation(), config.heldOut(), run)
                    .pairs(config.data());
            Pairs train = withPhrases(all.train(), "to learn from", config, run);
            Pairs heldOut = withPhrases(all.heldOut(), "held out", config, run);
            try (Policy policy = Policy.start(
                    model,
                    run,
                    config.sft(),
                    PolicyEvaluation.sequences(all.train()),
                    config.adapter(),
                    true,
                    config.seed())) {
                PolicyEvaluation evaluation = new PolicyEvaluation(config.evaluation(), config.seed());
                evaluation.requirePrompts(policy, PolicyEvaluation.sequences(heldOut.whole()));
                double[][] reference = SequenceScores.ofPairs(policy.reference(), train.phrases(), model.padId());
                PreferenceTraining.train(
                        run,
                        "rrpo",
                        policy.trained(),
                        train.whole(),
                        config.training(),
                        Streams.of(config.seed(), "order"),
                        (part, inStep) -> gradient(config, policy, train, reference, part, inStep));
                policy.save(run);
                run.summarise(summary(config, evaluation, policy, train, heldOut, run));
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

    /// Adds the gradient of some pairs' share of a step's loss.
    ///
    /// @param reference log-probs of the replies' phrases, `[2][pairs]`
    private static StepMetrics gradient(
            Config config, Policy policy, Pairs pairs, double[][] reference, int[] part, long pairsInStep) {
        int padId = policy.model().padId();
        Device device = policy.decoder().device();
        TokenBatch whole = PreferenceTraining.batch(pairs.whole(), part, padId).to(device);
        TokenBatch phrases =
                PreferenceTraining.batch(pairs.phrases(), part, padId).to(device);
        Terms terms = Terms.of(policy.decoder(), policy.reference(), whole, phrases);
        PreferenceLogProbs lp = PreferenceTraining.logProbs(terms.phrases(), reference, part);
        Loss loss = Rrpo.rrpo(lp, terms.chosenKl(), config.beta(), config.alpha(), pairsInStep);
        loss.value().backward();
        terms.backward();
        return LossMetrics.of(loss, pairsInStep);
    }

    /// What the loss of B pairs is made of, and the way back to the policy.
    ///
    /// @param hidden   the policy's states
    /// @param states   the same as a leaf, in which the gradients of both terms meet
    /// @param phrases  log-probs summed over phrases: chosen, then rejected replies, `[2B]`
    /// @param chosenKl summed over the tokens of the chosen replies, `[B]`
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
                    states.indexSelect(0, phrases.targetIndex()),
                    policy.head(),
                    policy.absent(),
                    phrases.targetTokens(),
                    1);
            HeadDivergence kl = HeadDivergence.forwardKl(
                    states.indexSelect(0, positions),
                    policy.head(),
                    policy.absent(),
                    chosenStates(frozen, whole, pairs).indexSelect(0, positions),
                    frozen.head(),
                    frozen.absent());
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

    /// The reference's states at the chosen replies, row by row as in the whole batch.
    private static Tensor chosenStates(Decoder frozen, TokenBatch whole, int pairs) {
        try (var _ = Gradients.off()) {
            return frozen.hidden(whole.tokens().narrow(0, 0, pairs));
        }
    }

    private static Summary summary(
            Config config, PolicyEvaluation evaluation, Policy policy, Pairs train, Pairs heldOut, Run run) {
        Bootstrap bootstrap = new Bootstrap(2000, 0.95, Streams.of(config.seed(), "bootstrap"));
        int padId = policy.model().padId();
        Summary base = Summary.of("rrpo", Summary.Status.FINISHED, run.seconds())
                .title("RRPO on " + config.data().getFileName())
                .comparison(
                        "Loss of the chosen replies outside phrases",
                        "nats a token",
                        bootstrap.bca(sharedLoss(policy.reference(), heldOut, padId)),
                        bootstrap.bca(sharedLoss(policy.decoder(), heldOut, padId)))
                .fact(
                        "pairs_to_learn_from",
                        "pairs to learn from",
                        Estimate.of(train.size()),
                        "",
                        "those with a phrase");
        return evaluation
                .ofPairs(base, policy, heldOut.whole(), margins(policy, heldOut, config.beta()))
                .note("The implicit reward counts the phrases in which two replies differ, and nothing else.");
    }

    /// By how much the phrases of the chosen reply are rewarded above those of the rejected one.
    private static double[] margins(Policy policy, Pairs pairs, double beta) {
        double[][] ref = SequenceScores.ofPairs(
                policy.reference(), pairs.phrases(), policy.model().padId());
        double[][] now = SequenceScores.ofPairs(
                policy.decoder(), pairs.phrases(), policy.model().padId());
        double[] margins = new double[pairs.size()];
        Arrays.setAll(margins, i -> beta * (now[0][i] - ref[0][i] - (now[1][i] - ref[1][i])));
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
