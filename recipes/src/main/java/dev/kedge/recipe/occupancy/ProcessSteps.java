package dev.kedge.recipe.occupancy;

import dev.kedge.env.mdp.Mdp;
import dev.kedge.env.mdp.MdpPolicy;
import dev.kedge.env.mdp.Trajectory;
import dev.kedge.recipe.occupancy.ProxyEnvironment.Evaluator;
import dev.kedge.tensor.Tensor;
import java.util.Arrays;
import java.util.function.IntToDoubleFunction;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;

/// Steps of a policy in its environment, episode after episode.
///
/// @param states  in which an action was taken; `actions` likewise
/// @param after   the states that they led to
/// @param ends    whether the episode ends with the step
record ProcessSteps(Evaluator evaluator, int[] states, int[] actions, int[] after, boolean[] ends) {
    /// Episodes that end after each step with probability `1 - discount`, so that each step is a draw from the
    /// discounted occupancy; the last one where there are enough.
    static ProcessSteps drawn(Evaluator evaluator, MdpPolicy policy, int count, RandomGenerator random) {
        var steps = new ProcessSteps(evaluator, new int[count], new int[count], new int[count], new boolean[count]);
        Mdp mdp = evaluator.proxyMdp();
        for (int from = 0; from < count; ) {
            int length = 1;
            while (random.nextDouble() < mdp.discount()) {
                length++;
            }
            length = Math.min(length, count - from);
            var episode = Trajectory.sample(mdp, policy, length + 1, random); // the last step is for its state
            for (int t = 0; t < length; t++) {
                steps.states[from + t] = episode.states()[t];
                steps.actions[from + t] = episode.actions()[t];
                steps.after[from + t] = episode.states()[t + 1];
            }
            from += length;
            steps.ends[from - 1] = true;
        }
        return steps;
    }

    double proxy(int i) {
        return evaluator.task().proxy()[states[i]][actions[i]];
    }

    double truth(int i) {
        return evaluator.task().reward()[states[i]][actions[i]];
    }

    double mean(IntToDoubleFunction of) {
        return IntStream.range(0, states.length).mapToDouble(of).average().orElseThrow();
    }

    /// `state·A + action` of some of them.
    Tensor pairs(int[] chosen) {
        int width = evaluator.reference().actions();
        return index(Arrays.stream(chosen).map(i -> states[i] * width + actions[i]));
    }

    static Tensor index(IntStream values) {
        long[] all = values.asLongStream().toArray();
        return Tensor.of(all, all.length);
    }
}
