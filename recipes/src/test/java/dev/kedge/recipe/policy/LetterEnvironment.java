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
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/// Words of at most six letters that a decoder of a few hundred numbers writes: right are those that begin with the
/// letter asked for, and their answer is the first letter.
final class LetterEnvironment {
    private static final CharTokenizer TOKENIZER = CharTokenizer.of("abcd");
    private static final int MAX_TOKENS = 6;
    private static final int GROUP = 4;
    private static final List<Question> QUESTIONS = IntStream.range(0, 4)
            .mapToObj(i -> "abcd".substring(i, i + 1))
            .map(letter -> new Question(TOKENIZER.encode(letter), letter, letter))
            .toList();
    private static final Sampler SAMPLER =
            new Sampler(TOKENIZER, LetterEnvironment::score, GROUP, MAX_TOKENS, 1, Truncated.JUDGED);

    private LetterEnvironment() {}

    private static List<Score> score(List<Question> questions, List<String> words) {
        return IntStream.range(0, words.size())
                .mapToObj(i -> new Score(
                        words.get(i).startsWith(questions.get(i).answer()) ? 1 : 0,
                        words.get(i).isEmpty()
                                ? Optional.empty()
                                : Optional.of(words.get(i).substring(0, 1)),
                        ""))
                .toList();
    }

    /// In float64, so that the order of a sum does not show.
    static Decoder decoder(long seed) {
        DecoderConfig config = DecoderConfig.small(TOKENIZER.vocabularySize(), 8, 1, 2, 16);
        try (Scope _ = new Scope();
                Rng rng = Rng.seeded(seed);
                Decoder shape = Decoder.random(config, rng, Device.CPU)) {
            Decoder decoder =
                    new Decoder(config, Parameters.copyOf(shape.parameters().named(), DType.FLOAT64, Device.CPU));
            var flat = decoder.parameters().flat();
            InPlace.copy_(flat, rng.normal(flat.numel()).times(0.5).to(DType.FLOAT64));
            return decoder;
        }
    }

    /// Four words to each letter.
    static Rollouts sample(Decoder policy, long seed) {
        return SAMPLER.sample(policy, QUESTIONS, seed);
    }

    /// The same words with other rewards.
    static Rollouts withRewards(Rollouts rollouts, double reward) {
        List<Score> scores = rollouts.scores().stream()
                .map(s -> new Score(reward, s.answer(), ""))
                .toList();
        return new Rollouts(SAMPLER, rollouts.questions(), rollouts.completions(), scores, 0, 0);
    }

    /// The gradient of one step.
    static double[] gradient(
            Learner learner, Rollouts rollouts, Decoder policy, Decoder start, boolean onPolicy, int questionsPerPass) {
        policy.parameters().trainable().zeroGradient();
        try (Scope _ = new Scope()) {
            RolloutBatch batch = new RolloutBatch(
                    rollouts, policy, start, onPolicy, TOKENIZER.encode("a")[0], questionsPerPass);
            batch.step(learner).gradient();
            return policy.parameters().gradient().toDoubles();
        }
    }

    /// @param steps of Adam, each on rollouts of its own
    /// @return the mean reward, and the mean share of the commonest answer, of the last ten rollouts
    static double[] learnt(PolicyMethod method, int steps) {
        try (Decoder start = decoder(3);
                Decoder policy = start.copy();
                Learner learner = method.learner(start);
                AdamW optimizer = new AdamW(policy.parameters(), AdamW.Config.DEFAULT)) {
            double[] last = new double[2];
            for (int i = 0; i < steps; i++) {
                Rollouts rollouts = sample(policy, 100 + i);
                gradient(learner, rollouts, policy, start, true, 4);
                optimizer.step(0.02);
                if (i >= steps - 10) {
                    last[0] += rollouts.metrics().get("reward") / 10;
                    last[1] += Arrays.stream(TtrlMethod.votes(rollouts).toDoubles())
                                    .average()
                                    .orElseThrow()
                            / 10;
                }
            }
            return last;
        }
    }
}
