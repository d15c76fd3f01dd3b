package dev.kedge.example;

import dev.kedge.data.TokenBatch;
import dev.kedge.data.Tokenized;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.nn.lm.DecoderConfig;
import dev.kedge.nn.lm.Generator;
import dev.kedge.nn.lm.Generator.Completion;
import dev.kedge.nn.lm.Sampling;
import dev.kedge.nn.optim.AdamW;
import dev.kedge.objective.Loss;
import dev.kedge.objective.logprob.HeadLogProbs;
import dev.kedge.objective.policy.Grpo;
import dev.kedge.objective.policy.Rollout;
import dev.kedge.sequence.SequenceScores;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Rng;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import dev.kedge.text.CharTokenizer;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.function.ToDoubleFunction;

/// GRPO (arXiv:2402.03300) with a verifier of one's own: any function of the text.
///
/// All completions have one length here; else the mask of [Rollout] says which entries count.
public final class GrpoWithOwnVerifier {
    private static final int GROUP = 16;
    private static final int LENGTH = 4;

    private GrpoWithOwnVerifier() {}

    public static void main(String[] args) {
        // The share of letters that are a; it may as well be a compiler's verdict.
        double[] rewards = learn(text -> text.chars().filter(c -> c == 'a').count() / (double) LENGTH, 40);
        System.out.println(Arrays.toString(rewards));
    }

    /// The mean reward of each step.
    public static double[] learn(ToDoubleFunction<String> verifier, int steps) {
        double[] rewards = new double[steps];
        try (CharTokenizer tokenizer = CharTokenizer.of("abcd>");
                Scope _ = new Scope()) {
            Decoder policy = Decoder.random(
                    DecoderConfig.small(tokenizer.vocabularySize(), 32, 1, 2, 16), Rng.seeded(1), Device.CPU);
            try (var _ = policy.parameters();
                    AdamW optimizer = new AdamW(policy.parameters(), AdamW.Config.DEFAULT)) {
                for (int step = 0; step < steps; step++) {
                    rewards[step] = step(policy, tokenizer, verifier, step);
                    policy.parameters().clipGradient(1.0);
                    optimizer.step(3e-3);
                }
            }
        }
        return rewards;
    }

    /// Draws a group of completions to one prompt, has it judged, and adds the gradient of the loss.
    private static double step(Decoder policy, CharTokenizer tokenizer, ToDoubleFunction<String> verifier, int seed) {
        int[] prompt = tokenizer.encode(">");
        var options = new Generator.Options(Sampling.at(1.0), LENGTH, GROUP, Set.of(), null, seed, false);
        List<Completion> drawn = Generator.generate(policy, List.of(prompt), options, null);
        double[] rewards = drawn.stream()
                .mapToDouble(c -> verifier.applyAsDouble(tokenizer.decode(c.tokens())))
                .toArray();
        try (Scope _ = new Scope()) {
            List<Tokenized> rows = drawn.stream()
                    .map(c -> Tokenized.ofReply(prompt, c.tokens()))
                    .toList();
            TokenBatch batch = TokenBatch.of(rows, tokenizer.pad().orElseThrow(), 1);
            HeadLogProbs logProbs = SequenceScores.sums(policy, batch, 1.0);
            Tensor perToken = logProbs.values().reshape(GROUP, LENGTH);
            Tensor everywhere =
                    Tensor.mask(new boolean[GROUP * LENGTH], GROUP, LENGTH).not();
            Tensor advantages = Grpo.advantages(Tensor.of(rewards, 1, GROUP)).to(perToken.dtype());
            Rollout rollout = new Rollout(perToken, perToken, everywhere); // one step a draw: every ratio is 1
            Loss loss = Grpo.withoutReference(rollout, advantages, 0.2, GROUP);
            loss.value().backward();
            logProbs.backward();
        }
        return Arrays.stream(rewards).average().orElseThrow();
    }
}
