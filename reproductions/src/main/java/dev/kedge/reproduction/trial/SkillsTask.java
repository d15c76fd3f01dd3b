package dev.kedge.reproduction.trial;

import dev.kedge.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.random.RandomGenerator;

/// Skills of one small model, in sequences of 11 tokens: sums and differences of two numbers of two digits, written
/// digit by digit with the carries between them, and facts, which give a key of two letters its value.
///
/// A sum is `+ a1 a0 + b1 b0 =`, then what is to be said: the last digit, its carry, the next digit, its carry. A
/// difference has another sign, and is taken modulo 100. A fact is `? k1 k2 =`, then its value; padding fills the rest.
public final class SkillsTask {
    static final int LENGTH = 11;
    /// Digits 0 to 9, letters 10 to 17, values of old facts 18 to 25 and of new ones 26 to 33, and five signs.
    static final int VOCABULARY = 39;

    public static final int OLD_FACTS = 40;
    public static final int NEW_FACTS = 24;
    private static final int LETTERS = 8;
    private static final int FIRST_LETTER = 10;
    private static final int FIRST_OLD_VALUE = 18;
    private static final int FIRST_NEW_VALUE = 26;
    private static final int VALUES = 8;
    private static final int PLUS = 34;
    private static final int EQUALS = 35;
    private static final int QUESTION = 36;
    private static final int PADDING = 37;
    private static final int MINUS = 38;
    private static final long IGNORED = -100;

    /// @param tokens 11
    /// @param answer where the answer begins
    /// @param length of the answer
    public record Sequence(long[] tokens, int answer, int length) {
        /// The same with one token of the answer replaced by another digit.
        public Sequence withMistake(RandomGenerator random) {
            long[] wrong = tokens.clone();
            int at = answer + random.nextInt(length);
            wrong[at] = (wrong[at] + 1 + random.nextInt(9)) % 10;
            return new Sequence(wrong, answer, length);
        }
    }

    private final List<Sequence> facts;

    /// Facts of its own: a value for each key, drawn anew.
    public SkillsTask(RandomGenerator random) {
        List<Sequence> all = new ArrayList<>();
        List<Integer> keys = new ArrayList<>();
        for (int key = 0; key < LETTERS * LETTERS; key++) {
            keys.add(key);
        }
        Collections.shuffle(keys, new Random(random.nextLong()));
        for (int i = 0; i < keys.size(); i++) {
            int value = (i < OLD_FACTS ? FIRST_OLD_VALUE : FIRST_NEW_VALUE) + random.nextInt(VALUES);
            all.add(fact(keys.get(i), value));
        }
        facts = List.copyOf(all);
    }

    private static Sequence fact(int key, int value) {
        long[] tokens = new long[LENGTH];
        Arrays.fill(tokens, PADDING);
        tokens[0] = QUESTION;
        tokens[1] = FIRST_LETTER + key / LETTERS;
        tokens[2] = FIRST_LETTER + key % LETTERS;
        tokens[3] = EQUALS;
        tokens[4] = value;
        return new Sequence(tokens, 4, 1);
    }

    /// What the base model learns.
    public List<Sequence> oldFacts() {
        return facts.subList(0, OLD_FACTS);
    }

    /// Other keys, with values that are the answer to no old fact.
    public List<Sequence> newFacts() {
        return facts.subList(OLD_FACTS, OLD_FACTS + NEW_FACTS);
    }

    /// A sum of two numbers below 50.
    public static Sequence easySum(RandomGenerator random) {
        return sum(random.nextInt(50), random.nextInt(50));
    }

    /// A sum of two numbers below 100, at least one of them 50 or more.
    public static Sequence hardSum(RandomGenerator random) {
        int a = 50 + random.nextInt(50);
        int b = random.nextInt(100);
        return random.nextBoolean() ? sum(a, b) : sum(b, a);
    }

    private static Sequence sum(int a, int b) {
        int last = a % 10 + b % 10;
        int next = a / 10 + b / 10 + last / 10;
        return new Sequence(
                new long[] {
                    PLUS, a / 10, a % 10, PLUS, b / 10, b % 10, EQUALS, last % 10, last / 10, next % 10, next / 10
                },
                7,
                4);
    }

    /// A difference of two numbers below 50.
    public static Sequence difference(RandomGenerator random) {
        int a = random.nextInt(50);
        int b = random.nextInt(50);
        int last = a % 10 - b % 10;
        int next = a / 10 - b / 10 - (last < 0 ? 1 : 0);
        return new Sequence(
                new long[] {
                    MINUS,
                    a / 10,
                    a % 10,
                    MINUS,
                    b / 10,
                    b % 10,
                    EQUALS,
                    Math.floorMod(last, 10),
                    last < 0 ? 1 : 0,
                    Math.floorMod(next, 10),
                    next < 0 ? 1 : 0
                },
                7,
                4);
    }

    /// int64 `[n, 11]`.
    public static Tensor tokens(List<Sequence> sequences) {
        return Tensor.of(
                sequences.stream().flatMapToLong(s -> Arrays.stream(s.tokens)).toArray(), sequences.size(), LENGTH);
    }

    /// The tokens of answers, and -100 elsewhere: int64 `[n, 11]`.
    public static Tensor labels(List<Sequence> sequences) {
        long[] labels = new long[sequences.size() * LENGTH];
        Arrays.fill(labels, IGNORED);
        for (int i = 0; i < sequences.size(); i++) {
            Sequence s = sequences.get(i);
            System.arraycopy(s.tokens, s.answer, labels, i * LENGTH + s.answer, s.length);
        }
        return Tensor.of(labels, sequences.size(), LENGTH);
    }
}
