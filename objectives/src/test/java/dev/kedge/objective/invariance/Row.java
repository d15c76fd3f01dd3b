package dev.kedge.objective.invariance;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/// One example of a step in plain numbers, without padding.
///
/// @param answers by name (`chosen`, `rejected`); objectives of single answers look at `chosen`
/// @param scalars by name: `advantage`, `reward`
record Row(Map<String, Answer> answers, Map<String, Double> scalars) {
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
            rows.add(new Row(
                    Map.of(
                            "chosen", Answer.random(random, 1 + random.nextInt(3), completion),
                            "rejected", Answer.random(random, 1 + random.nextInt(3), 1 + random.nextInt(5))),
                    Map.of("advantage", random.nextGaussian(), "reward", random.nextGaussian())));
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

    /// This row with one token's log-probability under the policy changed.
    Row nudged(String answer, int token, double by) {
        Answer old = answers.get(answer);
        double[] policy = old.policy().clone();
        policy[token] += by;
        Map<String, Answer> changed = new HashMap<>(answers);
        changed.put(answer, new Answer(policy, old.ref(), old.old(), old.counts()));
        return new Row(changed, scalars);
    }
}
