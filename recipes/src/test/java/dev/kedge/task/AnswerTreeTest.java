package dev.kedge.task;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.nn.lm.Decoder;
import dev.kedge.recipe.TinyTask;
import dev.kedge.tensor.Gradients;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The tree against a list of all answers, each with its probability from forward passes of its own.
class AnswerTreeTest {
    private static final int V = 4;
    private static final int END = 2;
    private static final List<int[]> PROMPTS = List.of(new int[] {1, 3, 0}, new int[] {0}, new int[] {3, 3, 2, 1});

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void rewardAndDivergenceAreThoseOfTheListOfAllAnswers(int depth) {
        List<int[]> solutions = solutions(depth);
        try (Decoder policy = TinyTask.decoder(V, 11);
                Decoder reference = TinyTask.decoder(V, 12)) {
            List<AnswerTree.Exact> exact = AnswerTree.exact(policy, reference, PROMPTS, solutions, END, depth);
            assertEquals(PROMPTS.size(), exact.size());
            for (int i = 0; i < PROMPTS.size(); i++) {
                double total = 0;
                double kl = 0;
                for (int[] answer : answers(depth)) {
                    double p = logProb(policy, PROMPTS.get(i), answer);
                    total += Math.exp(p);
                    kl += Math.exp(p) * (p - logProb(reference, PROMPTS.get(i), answer));
                }
                assertEquals(1, total, 1e-12, "the answers are all there, once");
                assertTrue(kl > 0.01, "models too alike to tell anything: " + kl);
                assertEquals(kl, exact.get(i).kl(), 1e-11, "prompt " + i);
                double right = Math.exp(logProb(policy, PROMPTS.get(i), solutions.get(i)));
                assertEquals(right, exact.get(i).reward(), 1e-12, "prompt " + i);
            }
        }
    }

    @Test
    void aModelIsAtNoDistanceFromItself() {
        try (Decoder model = TinyTask.decoder(V, 3);
                Decoder same = TinyTask.decoder(V, 3)) {
            for (Decoder reference : List.of(model, same)) {
                AnswerTree.exact(model, reference, PROMPTS, solutions(2), END, 2)
                        .forEach(e -> assertEquals(0, e.kl(), 1e-15));
            }
        }
    }

    @Test
    void rewardsOfAllAnswersSumToOne() {
        try (Decoder model = TinyTask.decoder(V, 8)) {
            double sum = 0;
            for (int[] answer : answers(3)) {
                sum += AnswerTree.exact(model, model, List.of(PROMPTS.getFirst()), List.of(answer), END, 3)
                        .getFirst()
                        .reward();
            }
            assertEquals(1, sum, 1e-12);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void everyAnswerIsThereWithItsProbability(int depth) {
        List<int[]> all = AnswerTree.answers(V, END, depth);
        assertEquals(
                answers(depth).stream().map(Arrays::toString).sorted().toList(),
                all.stream().map(Arrays::toString).sorted().toList());
        try (Decoder model = TinyTask.decoder(V, 11)) {
            double[][] logProbs = AnswerTree.logProbs(model, PROMPTS, END, depth);
            assertEquals(PROMPTS.size(), logProbs.length);
            for (int i = 0; i < PROMPTS.size(); i++) {
                assertEquals(all.size(), logProbs[i].length);
                for (int y = 0; y < all.size(); y++) {
                    assertEquals(logProb(model, PROMPTS.get(i), all.get(y)), logProbs[i][y], 1e-12);
                }
            }
        }
    }

    private static List<int[]> solutions(int depth) {
        return switch (depth) {
            case 1 -> List.of(new int[] {END}, new int[] {3}, new int[] {END});
            case 2 -> List.of(new int[] {END}, new int[] {3, END}, new int[] {0, 1});
            default -> List.of(new int[] {0, END}, new int[] {3, 1, END}, new int[] {END});
        };
    }

    /// Every sequence that ends with the end token, or has `depth` tokens without it.
    private static List<int[]> answers(int depth) {
        List<int[]> done = new ArrayList<>();
        List<int[]> open = List.of(new int[0]);
        for (int length = 1; length <= depth; length++) {
            List<int[]> longer = new ArrayList<>();
            for (int[] answer : open) {
                for (int token = 0; token < V; token++) {
                    (token == END || length == depth ? done : longer).add(append(answer, token));
                }
            }
            open = longer;
        }
        return done;
    }

    private static int[] append(int[] tokens, int... more) {
        int[] all = Arrays.copyOf(tokens, tokens.length + more.length);
        System.arraycopy(more, 0, all, tokens.length, more.length);
        return all;
    }

    private static double logProb(Decoder model, int[] prompt, int[] answer) {
        double sum = 0;
        try (var _ = Gradients.off()) {
            for (int t = 0; t < answer.length; t++) {
                try (Scope _ = new Scope()) {
                    int[] before = append(prompt, Arrays.copyOf(answer, t));
                    Tensor hidden = model.hidden(Tensor.of(before, 1, before.length));
                    double[] logits = model.logits(hidden.narrow(0, before.length - 1L, 1))
                            .toDoubles();
                    double max = Arrays.stream(logits).max().orElseThrow();
                    double z = Arrays.stream(logits).map(l -> Math.exp(l - max)).sum();
                    sum += logits[answer[t]] - max - Math.log(z);
                }
            }
        }
        return sum;
    }
}
