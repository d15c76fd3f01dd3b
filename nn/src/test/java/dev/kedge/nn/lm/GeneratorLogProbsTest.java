package dev.kedge.nn.lm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.nn.InScope;
import dev.kedge.nn.lm.Generator.Completion;
import dev.kedge.nn.lm.Generator.Options;
import dev.kedge.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// What a generator reports, and how often it draws what.
@ExtendWith(InScope.class)
class GeneratorLogProbsTest {
    private static List<Sampling> samplings() {
        return List.of(
                Sampling.GREEDY,
                Sampling.at(1),
                Sampling.at(0.6),
                Sampling.at(1.7),
                new Sampling(1, 3, 1, 0),
                new Sampling(1, 0, 0.8, 0),
                new Sampling(1, 0, 1, 0.1),
                new Sampling(0.7, 5, 0.9, 0),
                new Sampling(1.5, 0, 0.7, 0.05),
                new Sampling(2, 6, 1, 0.2),
                new Sampling(0.9, 7, 0.95, 0.02));
    }

    /// Of the whole text read at once, alone: the distribution that each token of the continuation is drawn from.
    private static Tensor teacherForced(Decoder model, int[] prompt, int[] tokens, Sampling sampling) {
        int[] text = Arrays.copyOf(prompt, prompt.length + tokens.length);
        System.arraycopy(tokens, 0, text, prompt.length, tokens.length);
        Tensor logits = model.logits(model.hidden(Form.batch(text)));
        return sampling.logProbs(logits.narrow(0, prompt.length - 1, tokens.length));
    }

    private static double entropy(double[] logProbs, int row, int vocabulary) {
        double entropy = 0;
        for (int v = 0; v < vocabulary; v++) {
            double logProb = logProbs[row * vocabulary + v];
            entropy -= logProb == Double.NEGATIVE_INFINITY ? 0 : Math.exp(logProb) * logProb;
        }
        return entropy;
    }

    @ParameterizedTest
    @EnumSource
    void whatIsReportedIsWhatAForwardPassComputes(Form form) {
        Random random = new Random(1);
        List<int[]> prompts = List.of(Form.tokens(random, 1), Form.tokens(random, 6), Form.tokens(random, 3));
        try (Decoder model = form.decoder(12)) {
            for (Sampling sampling : samplings()) {
                for (int samples : new int[] {1, 3}) {
                    // Rows end at different times and leave the batch.
                    Options options = new Options(sampling, 17, samples, Set.of(2, 3), null, samples, true);
                    for (Completion c : Generator.generate(model, prompts, options, null)) {
                        int[] tokens = c.tokens();
                        double[] logProbs = teacherForced(model, prompts.get(c.prompt()), tokens, sampling)
                                .toDoubles();
                        assertEquals(tokens.length, c.logProbs().length);
                        assertEquals(tokens.length, c.entropies().length);
                        int vocabulary = logProbs.length / tokens.length;
                        for (int t = 0; t < tokens.length; t++) {
                            double expected = logProbs[t * vocabulary + tokens[t]];
                            assertTrue(Double.isFinite(expected), sampling + " drew what it excludes");
                            assertEquals(expected, c.logProbs()[t], 1e-4, sampling + ", token " + t);
                            assertEquals(entropy(logProbs, t, vocabulary), c.entropies()[t], 1e-4);
                        }
                    }
                }
            }
        }
    }

    private static double[] softmax(double[] logits, double temperature) {
        double[] p = Arrays.stream(logits).map(v -> Math.exp(v / temperature)).toArray();
        double sum = Arrays.stream(p).sum();
        return Arrays.stream(p).map(v -> v / sum).toArray();
    }

    /// Pearson's statistic over all pairs of tokens, against the formulas' probabilities in doubles. Cells that expect
    /// fewer than 5 are pooled; the limit is the normal approximation's at 4 deviations.
    @Test
    void drawsFollowTheDistribution() {
        int rows = 6000;
        double temperature = 1.3;
        int[] prompt = {1, 7, 4};
        try (Decoder model = Form.LLAMA.decoder(13)) {
            NaiveDecoder naive = new NaiveDecoder(model);
            int[][] counts = new int[13][13];
            Options options = new Options(Sampling.at(temperature), 2, rows, Set.of(), null, 2024, false);
            for (Completion c : Generator.generate(model, List.of(prompt), options, null)) {
                counts[c.tokens()[0]][c.tokens()[1]]++;
            }
            double[] first = softmax(naive.logits(prompt)[2], temperature);
            double statistic = 0;
            int cells = 0;
            double pooledExpected = 0;
            double pooledSeen = 0;
            for (int a = 0; a < 13; a++) {
                double[] second = softmax(naive.logits(new int[] {1, 7, 4, a})[3], temperature);
                for (int b = 0; b < 13; b++) {
                    double expected = rows * first[a] * second[b];
                    if (expected < 5) {
                        pooledExpected += expected;
                        pooledSeen += counts[a][b];
                    } else {
                        statistic += Math.pow(counts[a][b] - expected, 2) / expected;
                        cells++;
                    }
                }
            }
            statistic += Math.pow(pooledSeen - pooledExpected, 2) / pooledExpected;
            assertTrue(cells > 30, "cells " + cells);
            assertTrue(
                    Math.abs(statistic - cells) < 4 * Math.sqrt(2.0 * cells), statistic + " for " + cells + " cells");
        }
    }

    /// As the first draws of many seeds do: seeds that follow one another are independent as well.
    @Test
    void drawsOfManySeedsFollowTheDistribution() {
        int seeds = 2500;
        int[] prompt = {3};
        try (Decoder model = Form.GPT2.decoder(14)) {
            double[] expected = softmax(new NaiveDecoder(model).logits(prompt)[0], 2);
            int[] counts = new int[13];
            for (int seed = 0; seed < seeds; seed++) {
                Options options = new Options(Sampling.at(2), 1, 1, Set.of(), null, seed, false);
                counts[
                        Generator.generate(model, List.of(prompt), options, null)
                                .getFirst()
                                .tokens()[0]]++;
            }
            double statistic = 0;
            for (int v = 0; v < 13; v++) {
                statistic += Math.pow(counts[v] - seeds * expected[v], 2) / (seeds * expected[v]);
            }
            assertTrue(statistic < 32.9, statistic + ": beyond the 0.999 quantile of 12 degrees of freedom");
        }
    }
}
