package dev.kedge.objective.invariance;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/// One example of a step in plain numbers, without padding.
///
/// @param answers by name (`chosen`, `rejected`, and [#SAMPLED]); objectives of single answers look at `chosen`
/// @param scalars by name: `advantage`, `reward`
record Row(Map<String, Answer> answers, Map<String, Double> scalars) {
    /// The group of answers that the policy drew.
    static final List<String> SAMPLED = List.of("sampled 1", "sampled 2", "sampled 3");

    /// Token log-probabilities of prompt and answer under three models, and which tokens count.
    record Answer(double[] policy, double[] ref, double[] old, boolean[] counts) {
        static Answer random(Random random, int prompt, int completion) {
            int length = prompt + completion;
            boolean[] counts = new boolean[length];
            Arrays.fill(counts, prompt, length, true);
            return new Answer(logProbs(random, length), logProbs(random, length), logProbs(random, length), counts);
        }

        private static double[] logProbs(Random random, int length) {
            return random.doubles(length, -3, -0.05).toArray();
        }
    }

    /// A step of six rows of many lengths; one chosen answer has no token that counts.
    static List<Row> step(long seed) {
        var random = new Random(seed);
        int[] completions = {3, 1, 0, 5, 2, 4};
        List<Row> rows = new ArrayList<>();
        for (int completion : completions) {
            Map<String, Answer> answers = new HashMap<>();
            answers.put("chosen", Answer.random(random, 1 + random.nextInt(3), completion));
            answers.put("rejected", Answer.random(random, 1 + random.nextInt(3), 1 + random.nextInt(5)));
            SAMPLED.forEach(name -> answers.put(name, Answer.random(random, 2, 1 + random.nextInt(5))));
            rows.add(new Row(answers, Map.of("advantage", random.nextGaussian(), "reward", random.nextGaussian())));
        }
        return List.copyOf(rows);
    }

    long tokens(String answer) {
        long count = 0;
        for (boolean counts : answers.get(answer).counts()) {
            count += counts ? 1 : 0;
        }
        return count;
    }

    /// This row with one token's log-probability under the policy changed. A sampled answer's changes under the
    /// reference as well: its log-ratio weighs a surrogate, whose gradient is that at constant weights.
    Row nudged(String answer, int token, double by) {
        Answer old = answers.get(answer);
        double[] policy = old.policy().clone();
        double[] ref = old.ref().clone();
        policy[token] += by;
        ref[token] += SAMPLED.contains(answer) ? by : 0;
        Map<String, Answer> changed = new HashMap<>(answers);
        changed.put(answer, new Answer(policy, ref, old.old(), old.counts()));
        return new Row(changed, scalars);
    }
}
