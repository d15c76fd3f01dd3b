package dev.kedge.recipe.policy;

import dev.kedge.nn.lm.Decoder;
import dev.kedge.nn.lm.Generator;
import dev.kedge.nn.lm.Generator.Completion;
import dev.kedge.nn.lm.Sampling;
import dev.kedge.text.Tokenizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;

/// How completions are generated and rewarded.
///
/// @param scorer      who rewards
/// @param group       completions a question, G >= 1
/// @param maxTokens   the longest completion, >= 1
/// @param temperature > 0; the whole distribution, as its log-probs are what is learnt from
/// @param truncated   what becomes of a completion that reaches maxTokens
public record Sampler(
        Tokenizer tokenizer, Scorer scorer, int group, int maxTokens, double temperature, Truncated truncated) {
    public Sampler {
        if (group < 1 || maxTokens < 1 || !(temperature > 0 && temperature < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException(
                    "group >= 1, max_tokens >= 1 and a finite temperature > 0 expected, were " + group + ", "
                            + maxTokens + " and " + temperature);
        }
    }

    /// Completions of a policy to each question, rewarded: a function of policy, questions and seed.
    public Rollouts sample(Decoder policy, List<Question> questions, long seed) {
        long start = System.nanoTime();
        List<Completion> completions = Generator.generate(
                policy,
                questions.stream().map(Question::prompt).toList(),
                new Generator.Options(
                        Sampling.at(temperature), maxTokens, group, tokenizer.stopIds(), null, seed, true),
                null);
        long written = System.nanoTime();
        List<Question> asked =
                completions.stream().map(c -> questions.get(c.prompt())).toList();
        List<String> texts =
                completions.stream().map(c -> tokenizer.decode(c.tokens())).toList();
        List<Score> scores = new ArrayList<>(scorer.score(asked, texts));
        for (int i = 0; i < scores.size(); i++) {
            if (truncated == Truncated.WRONG && completions.get(i).isTruncated()) {
                scores.set(i, wrong(scores.get(i)));
            }
        }
        return new Rollouts(
                this, questions, completions, scores, (written - start) / 1e9, (System.nanoTime() - written) / 1e9);
    }

    /// The score of a completion that was cut off, where that is wrong whatever it says.
    private static Score wrong(Score score) {
        OptionalDouble truth = score.isProxy() ? OptionalDouble.of(0) : OptionalDouble.empty();
        return new Score(0, Optional.empty(), "", truth);
    }

    /// The same with groups of another size.
    public Sampler withGroup(int size) {
        return new Sampler(tokenizer, scorer, size, maxTokens, temperature, truncated);
    }
}
