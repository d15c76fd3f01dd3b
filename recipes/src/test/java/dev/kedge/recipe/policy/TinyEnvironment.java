package dev.kedge.recipe.policy;

import dev.kedge.nn.Parameters;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.nn.lm.DecoderConfig;
import dev.kedge.nn.optim.AdamW;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.InPlace;
import dev.kedge.tensor.Rng;
import dev.kedge.tensor.Scope;
import dev.kedge.text.CharTokenizer;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/// Words of a and b, right where they begin with a; policies of a few hundred numbers, in float64, so that the order of
/// a sum does not show.
final class TinyEnvironment {
    private static final CharTokenizer TOKENIZER = CharTokenizer.of("ab");
    private static final int PAD = 0;

    private TinyEnvironment() {}

    static Decoder policy(long seed) {
        DecoderConfig config = DecoderConfig.small(TOKENIZER.vocabularySize(), 8, 1, 2, 12);
        try (Scope _ = new Scope();
                Rng rng = Rng.seeded(seed);
                Decoder shape = Decoder.random(config, 0.3, rng, Device.CPU)) {
            return new Decoder(config, Parameters.copyOf(shape.parameters().named(), DType.FLOAT64, Device.CPU));
        }
    }

    /// The same a little further on.
    static Decoder moved(Decoder policy, long seed) {
        Decoder moved = policy.copy();
        try (Scope _ = new Scope();
                Rng rng = Rng.seeded(seed)) {
            var flat = moved.parameters().flat();
            InPlace.copy_(
                    flat, flat.plus(rng.normal(flat.numel()).to(DType.FLOAT64).times(0.05)));
        }
        return moved;
    }

    /// Eight completions of at most six tokens to each of six questions.
    static Rollouts sample(Decoder policy, Truncated truncated, long seed) {
        Sampler sampler = new Sampler(TOKENIZER, TinyEnvironment::score, 8, 6, 1, truncated);
        List<Question> questions = IntStream.range(0, 6)
                .mapToObj(i -> "" + "ab".charAt(i & 1) + "ab".charAt(i >> 1 & 1) + "ab".charAt(i >> 2))
                .map(text -> new Question(TOKENIZER.encode(text), text, "a"))
                .toList();
        return sampler.sample(policy, questions, seed);
    }

    private static List<Score> score(List<Question> questions, List<String> completions) {
        return completions.stream()
                .map(c -> new Score(c.startsWith("a") ? 1 : 0, Optional.of(c), ""))
                .toList();
    }

    /// The gradient of a step, and what it reported.
    record Result(double[] gradient, Map<String, Double> metrics) {}

    /// One step's gradient.
    ///
    /// @param policy         what learns; the rollouts are its own where it is the start
    /// @param questionsPerPass of a forward pass
    static Result gradient(
            PolicyMethod method, Decoder start, Decoder policy, Rollouts rollouts, int questionsPerPass) {
        try (Scope _ = new Scope();
                Learner learner = method.learner(start);
                Decoder learning = policy.copy()) {
            RolloutBatch batch = new RolloutBatch(rollouts, learning, start, policy == start, PAD, questionsPerPass);
            learning.parameters().trainable().zeroGradient();
            Map<String, Double> metrics = batch.step(learner).gradient().values();
            return new Result(learning.parameters().gradient().toDoubles(), metrics);
        }
    }

    /// What a policy writes after some steps on its own rollouts, two steps on each; an answer has to end.
    static Rollouts learnt(PolicyMethod method, int steps) {
        try (Decoder start = policy(1);
                Decoder policy = start.copy();
                Learner learner = method.learner(start);
                AdamW optimizer = new AdamW(policy.parameters(), new AdamW.Config(0.9, 0.98, 1e-8, 0))) {
            Rollouts rollouts = null;
            for (int s = 0; s < steps; s++) {
                boolean fresh = s % 2 == 0;
                rollouts = fresh ? sample(policy, Truncated.WRONG, s) : rollouts;
                try (Scope _ = new Scope()) {
                    RolloutBatch batch = new RolloutBatch(rollouts, policy, start, fresh, PAD, 6);
                    batch.step(learner).gradient();
                    optimizer.step(5e-3);
                }
            }
            return sample(policy, Truncated.WRONG, 1_000);
        }
    }
}
