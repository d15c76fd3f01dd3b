package dev.kedge.env;

import java.util.List;
import java.util.function.ToDoubleBiFunction;

/// A judge who prefers by a reward: the first answer wins with probability `σ(reward(first) - reward(second))`.
///
/// @param reward from prompt and answer, as token ids, to a finite number
public record BradleyTerryOracle(ToDoubleBiFunction<int[], int[]> reward) implements PreferenceOracle {
    /// @throws IllegalArgumentException naming the pair, if the reward of one of its answers is not finite
    @Override
    public double[] firstWins(List<AnswerPair> pairs) {
        double[] wins = new double[pairs.size()];
        for (int i = 0; i < wins.length; i++) {
            AnswerPair pair = pairs.get(i);
            double first = rewardOf(i, pair.prompt(), pair.first());
            double second = rewardOf(i, pair.prompt(), pair.second());
            wins[i] = 1 / (1 + Math.exp(second - first));
        }
        return wins;
    }

    private double rewardOf(int pair, int[] prompt, int[] answer) {
        double value = reward.applyAsDouble(prompt, answer);
        if (!Double.isFinite(value)) {
            throw new IllegalArgumentException(
                    "the reward of an answer in pair " + pair + " must be finite, was " + value);
        }
        return value;
    }
}
