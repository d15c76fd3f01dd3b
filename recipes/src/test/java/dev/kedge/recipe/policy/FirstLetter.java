package dev.kedge.recipe.policy;

import dev.kedge.nn.Parameters;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.nn.lm.DecoderConfig;
import dev.kedge.nn.optim.AdamW;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Rng;
import dev.kedge.tensor.Scope;
import dev.kedge.text.CharTokenizer;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// The smallest environment: whatever is asked, a completion is right if it begins with `b`. Decoders have
/// random weights in float64, so that the order of a sum does not show.
final class FirstLetter {
    private static final CharTokenizer TOKENIZER = CharTokenizer.of("abcd");
    private static final int PAD = 0;

    private FirstLetter() {}

    static Decoder decoder(long seed) {
        DecoderConfig config = DecoderConfig.small(TOKENIZER.vocabularySize(), 8, 1, 2, 12);
        try (Rng rng = Rng.seeded(seed);
                Decoder shape = Decoder.random(config, 0.4, rng, Device.CPU)) {
            return new Decoder(config, Parameters.copyOf(shape.parameters().named(), DType.FLOAT64, Device.CPU));
        }
    }

    static Rollouts sample(Decoder policy, int group, long seed) {
        Scorer scorer = (_, completions) -> completions.stream()
                .map(c -> new Score(c.startsWith("b") ? 1 : 0, Optional.of(c), ""))
                .toList();
        List<Question> questions = Stream.of("ab", "cd", "da", "bc", "aa", "db")
                .map(text -> new Question(TOKENIZER.encode(text), text, ""))
                .toList();
        return new Sampler(TOKENIZER, scorer, group, 4, 1, Truncated.JUDGED).sample(policy, questions, seed);
    }

    /// The gradient of a step that a policy drew or not, in parts of so many questions.
    static double[] gradient(
            Learner learner, Rollouts rollouts, Decoder policy, Decoder start, boolean onPolicy, int questionsPerPass) {
        try (Scope _ = new Scope()) {
            RolloutBatch batch = new RolloutBatch(rollouts, policy, start, onPolicy, PAD, questionsPerPass);
            policy.parameters().trainable().zeroGradient();
            batch.step(learner).gradient();
            return policy.parameters().gradient().toDoubles();
        }
    }

    /// Mean reward of 600 completions after so many steps on the rollouts of each of so many rounds.
    static double learnt(PolicyMethod method, int rounds, int stepsPerRound, double learningRate, long seed) {
        try (Decoder start = decoder(seed);
                Decoder policy = start.copy();
                Learner learner = method.learner(start);
                AdamW optimizer = new AdamW(policy.parameters(), AdamW.Config.DEFAULT)) {
            for (int d = 0; d < rounds; d++) {
                Rollouts rollouts = sample(policy, 8, seed + d);
                for (int s = 0; s < stepsPerRound; s++) {
                    gradient(learner, rollouts, policy, start, s == 0, 6);
                    policy.parameters().clipGradient(1);
                    optimizer.step(learningRate);
                }
            }
            return reward(policy, seed - 1);
        }
    }

    static double reward(Decoder policy, long seed) {
        return sample(policy, 100, seed).metrics().get("reward");
    }
}
