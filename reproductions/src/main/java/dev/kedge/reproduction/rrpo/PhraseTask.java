package dev.kedge.reproduction.rrpo;

import dev.kedge.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;

/// Sequences of 14 tokens in which two tokens can be right or wrong: the first token is one of four questions; tokens
/// of a noisy chain follow, 4, 5, 6, 7 and 4 again, one in five of them drawn anew; and somewhere in it stands a phrase
/// of two tokens from 8 to 11, which answers the question or another one.
final class PhraseTask {
    static final int LENGTH = 14;
    static final int VOCABULARY = 12;
    static final int ANSWERS = 8;
    static final int QUESTIONS = 4;

    private static final double NOISE = 0.2;

    private PhraseTask() {}

    /// A sequence.
    ///
    /// @param tokens 14
    /// @param phrase where its phrase begins, from 2 to 11
    record Sequence(long[] tokens, int phrase) {
        /// The same up to the phrase, with the phrase of a question and a chain drawn anew after it.
        Sequence with(int question, RandomGenerator random) {
            long[] other = tokens.clone();
            other[phrase] = first(question);
            other[phrase + 1] = second(question);
            long link = tokens[phrase - 1];
            for (int t = phrase + 2; t < LENGTH; t++) {
                link = next(link, random);
                other[t] = link;
            }
            return new Sequence(other, phrase);
        }

        int question() {
            return (int) tokens[0];
        }

        boolean isRight() {
            return tokens[phrase] == first(question());
        }
    }

    /// The first token of the phrase that answers a question, and the second.
    static long first(int question) {
        return ANSWERS + question;
    }

    static long second(int question) {
        return ANSWERS + (question + 1) % QUESTIONS;
    }

    /// @param right probability that the phrase answers the question
    static Sequence draw(double right, RandomGenerator random) {
        long[] tokens = new long[LENGTH];
        int question = random.nextInt(QUESTIONS);
        tokens[0] = question;
        tokens[1] = QUESTIONS + random.nextInt(4);
        for (int t = 2; t < LENGTH; t++) {
            tokens[t] = next(tokens[t - 1], random);
        }
        var chain = new Sequence(tokens, 2 + random.nextInt(LENGTH - 4));
        return chain.with(random.nextDouble() < right ? question : another(question, random), random);
    }

    /// Sequences in pairs: right ones, then for each the same with a wrong phrase and another end.
    static List<Sequence> pairs(int count, RandomGenerator random) {
        var all = new ArrayList<Sequence>();
        for (int i = 0; i < count; i++) {
            all.add(draw(1, random));
        }
        for (int i = 0; i < count; i++) {
            all.add(all.get(i).with(another(all.get(i).question(), random), random));
        }
        return all;
    }

    private static int another(int question, RandomGenerator random) {
        return (question + 1 + random.nextInt(QUESTIONS - 1)) % QUESTIONS;
    }

    private static long next(long link, RandomGenerator random) {
        return random.nextDouble() < NOISE ? QUESTIONS + random.nextInt(4) : QUESTIONS + (link - QUESTIONS + 1) % 4;
    }

    /// int64 `[n, 14]`.
    static Tensor tokens(List<Sequence> sequences) {
        return Tensor.of(
                sequences.stream().flatMapToLong(s -> Arrays.stream(s.tokens)).toArray(), sequences.size(), LENGTH);
    }

    /// 1 at the tokens of phrases, 0 elsewhere: int64 `[n, 14]`.
    static Tensor phrases(List<Sequence> sequences) {
        long[] numbers = new long[sequences.size() * LENGTH];
        for (int i = 0; i < sequences.size(); i++) {
            Arrays.fill(numbers, i * LENGTH + sequences.get(i).phrase, i * LENGTH + sequences.get(i).phrase + 2, 1);
        }
        return Tensor.of(numbers, sequences.size(), LENGTH);
    }
}
