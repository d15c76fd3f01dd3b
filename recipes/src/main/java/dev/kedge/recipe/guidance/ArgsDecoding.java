package dev.kedge.recipe.guidance;

import dev.kedge.data.Tokenized;
import dev.kedge.data.TokenizedPair;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.nn.lm.Generator.Completion;
import dev.kedge.nn.lm.Generator.StopReason;
import dev.kedge.tensor.Gradients;
import dev.kedge.tensor.Ordering;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Streams;
import dev.kedge.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/// Decoding guided by a reward model of whole answers (ARGS, arXiv:2402.01694): at every token the base's likeliest
/// candidates are weighed by what the reward model says of the text so far with each of them, though it learnt from
/// whole answers alone.
///
/// The reward of a text is the log-probability, under a decoder, of a mark after it that no text has there; it learns
/// from pairs by Bradley-Terry.
///
/// @param base       what is guided
/// @param rewards    the reward model
/// @param mark       the token that stands for the reward
/// @param candidates that are weighed at every token, >= 1
/// @param end        the token that ends an answer
/// @param maxTokens  the longest answer
record ArgsDecoding(Decoder base, Decoder rewards, int mark, int candidates, int end, int maxTokens) {
    /// The pair as the reward model learns it: the only targets are the marks.
    static TokenizedPair marked(TokenizedPair pair, int mark) {
        return new TokenizedPair(marked(pair.chosen(), mark), marked(pair.rejected(), mark), pair.promptLength());
    }

    private static Tokenized marked(Tokenized text, int mark) {
        return Tokenized.ofReply(text.tokens(), new int[] {mark});
    }

    /// An answer to each prompt, drawn from `π_base(token) · exp(weight · reward(text with token))` over the
    /// candidates; the log-probs are of that.
    ///
    /// @param prompts all of one length
    List<Completion> draw(List<int[]> prompts, double weight, long seed) {
        int length = prompts.getFirst().length;
        int[][] texts = prompts.toArray(int[][]::new);
        float[][] logProbs = new float[texts.length][0];
        SplittableRandom[] randoms = IntStream.range(0, texts.length)
                .mapToObj(row -> new SplittableRandom(Streams.of(seed, "row", row)))
                .toArray(SplittableRandom[]::new);
        int[] live = IntStream.range(0, texts.length).toArray();
        for (int t = 0; t < maxTokens && live.length > 0; t++) {
            try (var _ = Gradients.off();
                    Scope _ = new Scope()) {
                Tensor[] top = Ordering.topK(
                        last(
                                base,
                                Arrays.stream(live).mapToObj(row -> texts[row]).toList()),
                        candidates);
                double[] scores = scores(top, live, texts, weight);
                long[] tokens = top[1].toLongs();
                for (int i = 0; i < live.length; i++) {
                    int row = live[i];
                    double[] log = normalised(Arrays.copyOfRange(scores, i * candidates, (i + 1) * candidates));
                    int chosen = drawn(log, randoms[row].nextDouble());
                    texts[row] = with(texts[row], (int) tokens[i * candidates + chosen]);
                    logProbs[row] = Arrays.copyOf(logProbs[row], t + 1);
                    logProbs[row][t] = (float) log[chosen];
                }
            }
            live = Arrays.stream(live)
                    .filter(row -> texts[row][texts[row].length - 1] != end)
                    .toArray();
        }
        return IntStream.range(0, texts.length)
                .mapToObj(row -> {
                    int[] answer = Arrays.copyOfRange(texts[row], length, texts[row].length);
                    boolean ended = answer[answer.length - 1] == end;
                    return new Completion(
                            row, answer, logProbs[row], new float[0], ended ? StopReason.END : StopReason.LENGTH);
                })
                .toList();
    }

    /// `log π_base + weight · reward` of every candidate, one row after another.
    private double[] scores(Tensor[] top, int[] live, int[][] texts, double weight) {
        float[] base = top[0].toFloats();
        long[] tokens = top[1].toLongs();
        List<int[]> extended = new ArrayList<>();
        for (int i = 0; i < tokens.length; i++) {
            extended.add(with(texts[live[i / candidates]], (int) tokens[i]));
        }
        float[] reward = last(rewards, extended).narrow(1, mark, 1).toFloats();
        double[] scores = new double[base.length];
        Arrays.setAll(scores, i -> base[i] + weight * reward[i]);
        return scores;
    }

    /// Log-probs of what follows texts of one length, nats, [rows, V].
    private static Tensor last(Decoder model, List<int[]> texts) {
        int length = texts.getFirst().length;
        int[] tokens = texts.stream().flatMapToInt(Arrays::stream).toArray();
        Tensor hidden = model.hidden(Tensor.of(tokens, texts.size(), length).to(model.device()))
                .view(texts.size(), length, model.config().hiddenSize())
                .select(1, length - 1L);
        return model.logits(hidden).logSoftmax(-1);
    }

    private static double[] normalised(double[] scores) {
        double most = Arrays.stream(scores).max().orElseThrow();
        double logZ = most
                + Math.log(Arrays.stream(scores).map(s -> Math.exp(s - most)).sum());
        return Arrays.stream(scores).map(s -> s - logZ).toArray();
    }

    /// By inverse transform.
    private static int drawn(double[] logProbs, double u) {
        double mass = 0;
        for (int i = 0; i < logProbs.length - 1; i++) {
            mass += Math.exp(logProbs[i]);
            if (u < mass) {
                return i;
            }
        }
        return logProbs.length - 1;
    }

    private static int[] with(int[] text, int token) {
        int[] longer = Arrays.copyOf(text, text.length + 1);
        longer[text.length] = token;
        return longer;
    }
}
