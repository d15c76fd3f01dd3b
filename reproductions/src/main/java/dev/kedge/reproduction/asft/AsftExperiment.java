package dev.kedge.reproduction.asft;

import dev.kedge.lab.claim.Experiment;
import dev.kedge.lab.claim.Outcome;
import dev.kedge.lab.tabular.Curve;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.nn.optim.Descent;
import dev.kedge.objective.Loss;
import dev.kedge.objective.divergence.ForwardKl;
import dev.kedge.objective.divergence.ReverseKl;
import dev.kedge.objective.logprob.NextTokens;
import dev.kedge.objective.supervised.Asft;
import dev.kedge.objective.supervised.CrossEntropy;
import dev.kedge.objective.supervised.Dft;
import dev.kedge.reproduction.trial.SkillsModel;
import dev.kedge.reproduction.trial.SkillsTask;
import dev.kedge.reproduction.trial.SkillsTask.Sequence;
import dev.kedge.run.result.Frontier;
import dev.kedge.statistics.Estimate;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Gradients;
import dev.kedge.tensor.Rng;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Streams;
import dev.kedge.tensor.Tensor;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// The experiment behind ASFT's claims: a decoder that adds and knows facts learns either larger sums from partly wrong
/// demonstrations, or facts whose answers it rules out; and what each costs of what it could do.
public final class AsftExperiment {
    private static final int BATCH = 64;
    private static final double RATE = 1e-3;
    private static final double MISTAKES = 0.2;

    private AsftExperiment() {}

    /// How large the experiment is.
    ///
    /// @param pretraining    steps
    /// @param demonstrations of larger sums
    /// @param steps          of learning from demonstrations, or from new facts
    /// @param fresh          sums to judge by, of each range
    public record Scale(int pretraining, int demonstrations, int steps, int fresh) {
        static final Scale PUBLISHED = new Scale(1200, 600, 100, 500);
    }

    /// What is learnt.
    public enum Lesson {
        SUMS("noisy sums"),
        FACTS("improbable facts");

        public final String title;

        Lesson(String title) {
            this.title = title;
        }
    }

    public enum Method {
        SFT("SFT", false, 0),
        SFT_20("SFT+KL, lambda 0.2", false, 0.2),
        SFT_100("SFT+KL, lambda 1", false, 1),
        DFT("DFT", true, 0),
        ASFT_05("ASFT, lambda 0.05", true, 0.05),
        ASFT_20("ASFT, lambda 0.2", true, 0.2);

        public final String title;
        private final boolean weighted;
        private final double klWeight;

        Method(String title, boolean weighted, double klWeight) {
            this.title = title;
            this.weighted = weighted;
            this.klWeight = klWeight;
        }

        /// @param logRef log-probs of the base at the same positions, `[B, T-1, V]`
        private Loss loss(NextTokens next, Tensor logRef, long tokens) {
            Tensor logProbs = next.ofTargets();
            if (klWeight == 0) {
                return weighted
                        ? Dft.dft(logProbs, next.mask(), tokens)
                        : CrossEntropy.crossEntropy(logProbs, next.mask(), tokens);
            }
            Tensor kl = new ForwardKl().categorical(next.logProbs(), logRef);
            return weighted
                    ? Asft.asft(logProbs, kl, next.mask(), klWeight, tokens)
                    : Asft.anchoredCrossEntropy(logProbs, kl, next.mask(), klWeight, tokens);
        }
    }

    static final String LEARNT = "learnt";
    static final String KEPT = "kept";
    static final String KL = "KL";
    static final String BASE = "base";
    static final String WEIGHTED = "DFT and ASFT";
    static final String PLAIN = "SFT and SFT+KL";

    /// Of what is learnt the mean over the divergences that both families of anchored methods reach.
    static final String AT_EQUAL_KL = "learnt at equal KL";

    /// What the numbers of a measure after a lesson begin with.
    static String number(String measure, Lesson lesson) {
        return measure + ", " + lesson.title;
    }

    private static String number(String measure, Lesson lesson, String arm) {
        return number(measure, lesson) + ", " + arm;
    }

    public static Experiment experiment(Scale s) {
        var description = "A decoder of two layers and width " + SkillsModel.HIDDEN + " is pre-trained for "
                + s.pretraining + " steps on " + SkillsModel.SUMS + ", and on " + SkillsTask.OLD_FACTS
                + " facts. It then learns for " + s.steps + " steps of AdamW (batch " + BATCH + ", learning "
                + "rate " + RATE + "), either from " + s.demonstrations + " demonstrations of sums of numbers "
                + "below 100, one of them 50 or more, of which " + Math.round(100 * MISTAKES) + " % have one "
                + "wrong token; or from " + SkillsTask.NEW_FACTS + " new facts, whose answers are the answer "
                + "to no old one. What is learnt is judged on " + s.fresh + " fresh sums without mistakes, or "
                + "on the new facts themselves; what is kept on " + s.fresh + " sums below 50 and on the old "
                + "facts, half and half. An answer counts where all of its tokens are the likeliest. "
                + "KL(policy||base) is that of the answers' tokens on what is to be kept.";
        return new Experiment("skills", description, 8, seed -> outcome(trial(s, seed)));
    }

    /// @param learnt share of right answers to what is to be learnt
    /// @param kept   share of right answers to what is to be kept
    /// @param kl     `KL(π||base)` on what is to be kept, nats a token
    public record Evaluation(double learnt, double kept, double kl) {}

    /// @param base    before a lesson
    /// @param after   by method
    /// @param highest probability that the base gives the answer to a new fact, at most
    public record Trial(Map<Lesson, Evaluation> base, Map<Lesson, Map<Method, Evaluation>> after, double highest) {}

    private static Outcome outcome(Trial trial) {
        var outcome = Outcome.NOTHING.with("highest probability of a new fact under the base", trial.highest);
        for (var lesson : Lesson.values()) {
            var base = trial.base.get(lesson);
            outcome =
                    outcome.with(number(LEARNT, lesson, BASE), base.learnt).with(number(KEPT, lesson, BASE), base.kept);
            for (var method : Method.values()) {
                var evaluation = trial.after.get(lesson).get(method);
                outcome = outcome.with(number(LEARNT, lesson, method.title), evaluation.learnt)
                        .with(number(KEPT, lesson, method.title), evaluation.kept)
                        .with(number(KL, lesson, method.title), evaluation.kl);
            }
            var weighted = family(true, trial, lesson);
            var plain = family(false, trial, lesson);
            var curves = List.of(Curve.of(weighted), Curve.of(plain));
            var common = Curve.common(curves).orElseThrow();
            outcome = outcome.with(
                            number(AT_EQUAL_KL, lesson, WEIGHTED),
                            curves.getFirst().mean(common))
                    .with(number(AT_EQUAL_KL, lesson, PLAIN), curves.getLast().mean(common))
                    .with(new Frontier(
                            "What is learnt, and how far the policy goes for it: " + lesson.title,
                            "KL(policy||base) on what is to be kept (nats a token)",
                            "right answers to what is to be learnt",
                            List.of(plain, weighted)));
        }
        return outcome;
    }

    /// From the base on, the tightest anchor first.
    private static Frontier.Arm family(boolean weighted, Trial trial, Lesson lesson) {
        var base = new Frontier.Point(0, Estimate.of(trial.base.get(lesson).learnt), BASE);
        var points = Arrays.stream(Method.values())
                .filter(m -> m.weighted == weighted)
                .sorted((a, b) -> Integer.compare(b.ordinal(), a.ordinal()))
                .map(m -> new Frontier.Point(
                        trial.after.get(lesson).get(m).kl,
                        Estimate.of(trial.after.get(lesson).get(m).learnt),
                        m.title));
        return new Frontier.Arm(
                weighted ? WEIGHTED : PLAIN,
                Stream.concat(Stream.of(base), points).toList());
    }

    public static Trial trial(Scale s, long seed) {
        var random = new SplittableRandom(Streams.of(seed, "examples"));
        var task = new SkillsTask(random);
        try (var rng = Rng.seeded(Streams.of(seed, "weights"));
                var base = SkillsModel.pretrained(task, s.pretraining, rng, random);
                var _ = new Scope()) {
            var demonstrations = SkillsModel.drawn(s.demonstrations, () -> SkillsTask.hardSum(random)).stream()
                    .map(sum -> random.nextDouble() < MISTAKES ? sum.withMistake(random) : sum)
                    .toList();
            var fresh = Rows.of(SkillsModel.drawn(s.fresh, () -> SkillsTask.hardSum(random)), base);
            var newFacts = Rows.of(task.newFacts(), base);
            var kept = List.of(
                    Rows.of(SkillsModel.drawn(s.fresh, () -> SkillsTask.easySum(random)), base),
                    Rows.of(task.oldFacts(), base));
            var ofBase = new EnumMap<Lesson, Evaluation>(Lesson.class);
            var after = new EnumMap<Lesson, Map<Method, Evaluation>>(Lesson.class);
            for (var lesson : Lesson.values()) {
                var rows = lesson == Lesson.SUMS ? Rows.of(demonstrations, base) : newFacts;
                var learnt = lesson == Lesson.SUMS ? fresh : newFacts;
                var batches = IntStream.range(0, s.steps)
                        .mapToObj(_ -> Tensor.of(
                                random.longs(BATCH, 0, rows.tokens.size(0)).toArray(), BATCH))
                        .toList();
                ofBase.put(lesson, evaluate(base, learnt, kept));
                var byMethod = new EnumMap<Method, Evaluation>(Method.class);
                for (var method : Method.values()) {
                    try (var policy = base.copy()) {
                        train(method, policy, rows, batches);
                        byMethod.put(method, evaluate(policy, learnt, kept));
                    }
                }
                after.put(lesson, byMethod);
            }
            return new Trial(ofBase, after, highest(base, newFacts));
        }
    }

    /// Sequences with what the base says of them.
    private record Rows(Tensor tokens, Tensor labels, Tensor logRef) {
        static Rows of(List<Sequence> sequences, Decoder base) {
            Tensor tokens = SkillsTask.tokens(sequences);
            Tensor labels = SkillsTask.labels(sequences);
            try (var _ = Gradients.off()) {
                return new Rows(
                        tokens, labels, SkillsModel.next(base, tokens, labels).logProbs());
            }
        }

        Rows at(Tensor index) {
            return new Rows(tokens.indexSelect(0, index), labels.indexSelect(0, index), logRef.indexSelect(0, index));
        }
    }

    private static void train(Method method, Decoder policy, Rows rows, List<Tensor> batches) {
        Descent.at(RATE, batches.size()).run(policy.parameters(), step -> {
            Rows batch = rows.at(batches.get(step));
            var next = SkillsModel.next(policy, batch.tokens, batch.labels);
            return method.loss(next, batch.logRef, SkillsModel.count(next)).value();
        });
    }

    /// What is kept is a mean over the two skills.
    private static Evaluation evaluate(Decoder policy, Rows learnt, List<Rows> kept) {
        return new Evaluation(
                SkillsModel.right(policy, learnt.tokens, learnt.labels),
                kept.stream()
                        .mapToDouble(rows -> SkillsModel.right(policy, rows.tokens, rows.labels))
                        .average()
                        .orElseThrow(),
                kept.stream().mapToDouble(rows -> kl(policy, rows)).average().orElseThrow());
    }

    private static double kl(Decoder policy, Rows rows) {
        try (var _ = new Scope();
                var _ = Gradients.off()) {
            var next = SkillsModel.next(policy, rows.tokens, rows.labels);
            Tensor kl = new ReverseKl().categorical(next.logProbs(), rows.logRef);
            return kl.whereElse(next.mask(), 0).to(DType.FLOAT64).sum().item() / SkillsModel.count(next);
        }
    }

    private static double highest(Decoder base, Rows facts) {
        try (var _ = new Scope();
                var _ = Gradients.off()) {
            var next = SkillsModel.next(base, facts.tokens, facts.labels);
            return next.ofTargets()
                    .whereElse(next.mask(), Double.NEGATIVE_INFINITY)
                    .reshape(1, -1)
                    .exp()
                    .amax(1, false)
                    .reshape()
                    .item();
        }
    }
}
