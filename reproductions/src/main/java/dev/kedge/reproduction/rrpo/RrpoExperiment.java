package dev.kedge.reproduction.rrpo;

import dev.kedge.lab.claim.Claim.Arm;
import dev.kedge.lab.claim.Experiment;
import dev.kedge.lab.claim.Outcome;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.nn.lm.DecoderConfig;
import dev.kedge.nn.optim.Descent;
import dev.kedge.objective.Loss;
import dev.kedge.objective.divergence.ForwardKl;
import dev.kedge.objective.preference.Dpo;
import dev.kedge.objective.preference.PreferenceLogProbs;
import dev.kedge.objective.preference.Rrpo;
import dev.kedge.objective.preference.SequenceLogProbs;
import dev.kedge.reproduction.rrpo.PhraseTask.Sequence;
import dev.kedge.run.result.Frontier;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Elementwise;
import dev.kedge.tensor.Gradients;
import dev.kedge.tensor.Rng;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Streams;
import dev.kedge.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// The experiment behind RRPO's claims: a decoder that mostly gives wrong phrases learns right ones from pairs, and
/// what that costs in the words around them.
public final class RrpoExperiment {
    private static final double RIGHT = 0.45;
    private static final int HIDDEN = 32;
    private static final int PRETRAINING_BATCH = 64;
    private static final double PRETRAINING_RATE = 1e-2;
    private static final int BATCH = 32;
    private static final double RATE = 2e-3;
    private static final int EVERY = 25;
    private static final int IGNORED = -100;

    private RrpoExperiment() {}

    /// How large the experiment is.
    ///
    /// @param pretraining steps
    /// @param pairs       to learn from
    /// @param steps       of learning from them
    /// @param fresh       sequences to judge by
    public record Scale(int pretraining, int pairs, int steps, int fresh) {
        static final Scale PUBLISHED = new Scale(1200, 400, 150, 1000);
    }

    enum Method {
        DPO("DPO", 0.5, 0),
        TIGHT_DPO("DPO at beta 2", 2, 0),
        PHRASES("RRPO without KL", 0.5, 0),
        RRPO_01("RRPO, alpha 0.01", 0.5, 0.01),
        RRPO_05("RRPO, alpha 0.05", 0.5, 0.05),
        RRPO_20("RRPO, alpha 0.2", 0.5, 0.2);

        final String title;
        private final double beta;
        private final double alpha;

        Method(String title, double beta, double alpha) {
            this.title = title;
            this.beta = beta;
            this.alpha = alpha;
        }

        Arm arm(String measure) {
            return new Arm(title, number(measure));
        }

        String number(String measure) {
            return measure + ", " + title;
        }

        /// @param logits of B right sequences, then of the wrong ones, `[2B, T, V]`; gradient flows
        private Loss loss(Tensor logits, Tensor refLogits, Tensor tokens, Tensor phrases) {
            long b = tokens.size(0) / 2;
            if (this == DPO || this == TIGHT_DPO) {
                Tensor now = SequenceLogProbs.ofLogits(logits, tokens, IGNORED);
                Tensor ref = SequenceLogProbs.ofLogits(refLogits, tokens, IGNORED);
                var lp = new PreferenceLogProbs(
                        now.narrow(0, 0, b), now.narrow(0, b, b), ref.narrow(0, 0, b), ref.narrow(0, b, b));
                return Dpo.dpo(lp, beta, b);
            }
            var terms = Rrpo.Tokens.ofLogits(logits, refLogits, tokens, IGNORED);
            return Rrpo.rrpo(terms, phrases.narrow(1, 1, PhraseTask.LENGTH - 1), beta, alpha, b);
        }
    }

    static final String ACCURACY = "accuracy";
    static final String KL = "KL outside phrases";
    static final String LOSS = "loss outside phrases";

    /// The measure of a method's divergence where it is held against another at equal accuracy.
    static Arm atEqualAccuracy(Method method, Method other) {
        return new Arm(method.title, equalAccuracy(method, other));
    }

    private static String equalAccuracy(Method method, Method other) {
        return KL + ", " + method.title + ", at the accuracy of " + other.title;
    }

    static Experiment experiment(Scale s) {
        var description = "Sequences of 14 tokens: a question, a noisy chain, and in it a phrase of two tokens that "
                + "answers the question, or another. A decoder of one layer and width " + HIDDEN
                + " is pre-trained for " + s.pretraining + " steps on sequences of which "
                + Math.round(100 * RIGHT) + " % have the right phrase. " + s.pairs + " pairs share question "
                + "and chain up to the phrase, which is right in one and wrong in the other, and go on "
                + "differently. " + s.steps + " steps of AdamW (learning rate " + RATE + ", " + BATCH
                + " pairs each) at beta 0.5, DPO also at beta 2. Judged on " + s.fresh + " fresh sequences: "
                + "probability of the right phrase among the four; KL(ref||policy) and loss of the other "
                + "tokens.";
        return new Experiment("phrases", description, 20, seed -> outcome(trial(s, seed)));
    }

    /// @param accuracy probability of the right phrase among the four, given what stands before it
    /// @param kl       `KL(ref||π)` outside phrases, nats a token
    /// @param loss     negative log-likelihood outside phrases, nats a token
    record Evaluation(double accuracy, double kl, double loss) {}

    private static Outcome outcome(Map<Method, List<Evaluation>> all) {
        var outcome = Outcome.NOTHING;
        for (var m : Method.values()) {
            var last = all.get(m).getLast();
            outcome = outcome.with(m.number(ACCURACY), last.accuracy)
                    .with(m.number(KL), last.kl)
                    .with(m.number(LOSS), last.loss);
        }
        for (var other : List.of(Method.DPO, Method.TIGHT_DPO)) {
            double both = Math.min(best(all.get(Method.RRPO_01)), best(all.get(other)));
            outcome = outcome.with(equalAccuracy(Method.RRPO_01, other), least(all.get(Method.RRPO_01), both))
                    .with(equalAccuracy(other, Method.RRPO_01), least(all.get(other), both));
        }
        var arms = Arrays.stream(Method.values())
                .map(m -> Frontier.Arm.of(m.title, all.get(m), Evaluation::kl, Evaluation::accuracy))
                .toList();
        return outcome.with(new Frontier(
                "Right phrases, and what they cost around them",
                "KL(ref||policy) outside phrases (nats a token)",
                "probability of the right phrase",
                arms));
    }

    private static double best(List<Evaluation> way) {
        return way.stream().mapToDouble(Evaluation::accuracy).max().orElseThrow();
    }

    /// The least divergence on the way at which the accuracy is reached.
    private static double least(List<Evaluation> way, double accuracy) {
        return way.stream()
                .filter(p -> p.accuracy >= accuracy)
                .min(Comparator.comparingDouble(Evaluation::kl))
                .orElseThrow()
                .kl;
    }

    /// Of each method, what it is worth at the start and after every 25 steps.
    static Map<Method, List<Evaluation>> trial(Scale s, long seed) {
        var random = new SplittableRandom(Streams.of(seed, "examples"));
        try (var rng = Rng.seeded(Streams.of(seed, "weights and batches"));
                var ref =
                        Decoder.random(DecoderConfig.small(PhraseTask.VOCABULARY, HIDDEN, 1, 2, 16), rng, Device.CPU);
                var _ = new Scope()) {
            pretrain(ref, s.pretraining, random);
            var pairs = Rows.of(PhraseTask.pairs(s.pairs, random), ref);
            var fresh = Rows.of(
                    IntStream.range(0, s.fresh)
                            .mapToObj(_ -> PhraseTask.draw(1, random))
                            .toList(),
                    ref);
            var batches = IntStream.range(0, s.steps)
                    .mapToObj(_ -> rng.permutation(s.pairs).narrow(0, 0, BATCH))
                    .toList();
            var all = new LinkedHashMap<Method, List<Evaluation>>();
            for (var m : Method.values()) {
                all.put(m, train(m, ref, pairs, batches, fresh));
            }
            return all;
        }
    }

    private static void pretrain(Decoder model, int steps, SplittableRandom random) {
        Descent.falling(PRETRAINING_RATE, steps).run(model.parameters(), _ -> {
            Tensor tokens = PhraseTask.tokens(Stream.generate(() -> PhraseTask.draw(RIGHT, random))
                    .limit(PRETRAINING_BATCH)
                    .toList());
            return SequenceLogProbs.ofLogits(logits(model, tokens), tokens, IGNORED)
                    .sum()
                    .times(-1.0 / (PRETRAINING_BATCH * (PhraseTask.LENGTH - 1)));
        });
    }

    private static Tensor logits(Decoder model, Tensor tokens) {
        return model.logits(model.hidden(tokens)).view(tokens.size(0), PhraseTask.LENGTH, PhraseTask.VOCABULARY);
    }

    /// Sequences with what the reference says of them.
    private record Rows(Tensor tokens, Tensor phrases, Tensor refLogits) {
        static Rows of(List<Sequence> sequences, Decoder ref) {
            Tensor tokens = PhraseTask.tokens(sequences);
            try (var _ = Gradients.off()) {
                return new Rows(tokens, PhraseTask.phrases(sequences), logits(ref, tokens));
            }
        }

        Rows at(Tensor index) {
            return new Rows(
                    tokens.indexSelect(0, index), phrases.indexSelect(0, index), refLogits.indexSelect(0, index));
        }
    }

    private static List<Evaluation> train(Method method, Decoder ref, Rows pairs, List<Tensor> batches, Rows fresh) {
        var way = new ArrayList<Evaluation>();
        long half = pairs.tokens.size(0) / 2;
        try (var policy = ref.copy()) {
            way.add(evaluate(policy, fresh));
            Descent.at(RATE, batches.size())
                    .run(
                            policy.parameters(),
                            step -> {
                                Tensor right = batches.get(step);
                                Rows rows = pairs.at(Tensor.cat(List.of(right, right.plus(half)), 0));
                                Tensor logits = logits(policy, rows.tokens);
                                return method.loss(logits, rows.refLogits, rows.tokens, rows.phrases)
                                        .value();
                            },
                            step -> {
                                if ((step + 1) % EVERY == 0) {
                                    way.add(evaluate(policy, fresh));
                                }
                            });
        }
        return way;
    }

    private static Evaluation evaluate(Decoder policy, Rows fresh) {
        try (var _ = new Scope();
                var _ = Gradients.off()) {
            long n = PhraseTask.LENGTH - 1;
            Tensor next = fresh.tokens.narrow(1, 1, n).unsqueeze(2);
            Tensor inPhrase = fresh.phrases.narrow(1, 1, n).gt(0);
            Tensor logP = logits(policy, fresh.tokens).narrow(1, 0, n).logSoftmax(2);
            Tensor logRef = fresh.refLogits.narrow(1, 0, n).logSoftmax(2);
            Tensor kl = new ForwardKl().categorical(logP, logRef);
            Tensor loss = logP.gather(2, next).squeeze(2).neg();
            Tensor answers =
                    logP.narrow(2, PhraseTask.ANSWERS, PhraseTask.QUESTIONS).logSoftmax(2);
            Tensor said = answers.gather(2, Elementwise.clampMin(next.minus(PhraseTask.ANSWERS), 0))
                    .squeeze(2);
            Tensor right = said.whereElse(inPhrase, 0).sum(1).exp().mean();
            double outside = fresh.tokens.size(0) * (n - 2.0);
            return new Evaluation(right.item(), outside(kl, inPhrase) / outside, outside(loss, inPhrase) / outside);
        }
    }

    private static double outside(Tensor perToken, Tensor inPhrase) {
        return perToken.whereElse(inPhrase.not(), 0).to(DType.FLOAT64).sum().item();
    }
}
