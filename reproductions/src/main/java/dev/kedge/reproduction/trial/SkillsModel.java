package dev.kedge.reproduction.trial;

import dev.kedge.nn.lm.Decoder;
import dev.kedge.nn.lm.DecoderConfig;
import dev.kedge.nn.optim.Descent;
import dev.kedge.nn.optim.Schedule;
import dev.kedge.objective.logprob.NextTokens;
import dev.kedge.objective.supervised.CrossEntropy;
import dev.kedge.reproduction.trial.SkillsTask.Sequence;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Gradients;
import dev.kedge.tensor.Ordering;
import dev.kedge.tensor.Rng;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;

/// A decoder of two layers that knows the old facts of a [SkillsTask] and sums, mostly of numbers below 50.
public final class SkillsModel {
    public static final int HIDDEN = 48;

    private static final int BATCH = 64;
    private static final double RATE = 5e-3;
    private static final int IGNORED = -100;

    private SkillsModel() {}

    /// What it learns its sums from, for readers.
    public static final String SUMS =
            "sums of numbers below 50, one in ten of them of larger ones, written digit by digit with carries";

    /// Learns sums and old facts, half and half, with a rate that falls to 0.
    public static Decoder pretrained(SkillsTask task, int steps, Rng rng, RandomGenerator random) {
        var model = Decoder.random(DecoderConfig.small(SkillsTask.VOCABULARY, HIDDEN, 2, 4, 16), rng, Device.CPU);
        var schedule = new Schedule(Schedule.Shape.LINEAR, RATE, 20, steps, 0);
        Descent.along(schedule).run(model.parameters(), _ -> {
            var batch = new ArrayList<>(drawn(BATCH / 2, () -> sum(random)));
            batch.addAll(drawn(BATCH / 2, () -> oldFact(task, random)));
            var next = next(model, SkillsTask.tokens(batch), SkillsTask.labels(batch));
            return CrossEntropy.crossEntropy(next.ofTargets(), next.mask(), count(next))
                    .value();
        });
        return model;
    }

    private static Sequence sum(RandomGenerator random) {
        return random.nextInt(10) == 0 ? SkillsTask.hardSum(random) : SkillsTask.easySum(random);
    }

    public static Sequence oldFact(SkillsTask task, RandomGenerator random) {
        return task.oldFacts().get(random.nextInt(SkillsTask.OLD_FACTS));
    }

    public static List<Sequence> drawn(int count, Supplier<Sequence> source) {
        return Stream.generate(source).limit(count).toList();
    }

    /// What a model says of answers.
    ///
    /// @param labels as [SkillsTask#labels] gives them
    public static NextTokens next(Decoder model, Tensor tokens, Tensor labels) {
        Tensor logits =
                model.logits(model.hidden(tokens)).view(tokens.size(0), SkillsTask.LENGTH, SkillsTask.VOCABULARY);
        return NextTokens.ofLogits(logits, labels, IGNORED);
    }

    /// Tokens that count.
    public static long count(NextTokens next) {
        return (long) next.mask().to(DType.FLOAT64).sum().item();
    }

    /// The share of sequences of which every answer token is the likeliest.
    public static double right(Decoder policy, Tensor tokens, Tensor labels) {
        try (var _ = new Scope();
                var _ = Gradients.off()) {
            var next = next(policy, tokens, labels);
            Tensor hit = Ordering.argmax(next.logProbs(), 2)
                    .eq(next.targets())
                    .or(next.mask().not());
            return hit.to(DType.FLOAT64).amin(1, false).mean().item();
        }
    }
}
