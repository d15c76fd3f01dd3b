package dev.kedge.lab.tabular;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/// A task with rewards log k, so that y beats z with probability k_y/(k_y + k_z): k_y copies of one order of a pair and
/// k_z of the other are the population of Bradley-Terry's labels, without sampling.
final class Population {
    private static final int[] K = {1, 2, 3, 5, 8};

    static final Bandit TASK = new Bandit(
            new double[][] {BanditTest.logs(0.3, 0.1, 0.25, 0.2, 0.15)},
            new double[][] {Arrays.stream(K).mapToDouble(Math::log).toArray()});

    private Population() {}

    static Bandit.Pairs pairs() {
        List<int[]> pairs = new ArrayList<>();
        for (int y = 0; y < K.length; y++) {
            for (int z = 0; z < y; z++) {
                int[] yWins = {y, z};
                int[] zWins = {z, y};
                IntStream.range(0, K[y]).forEach(_ -> pairs.add(yWins));
                IntStream.range(0, K[z]).forEach(_ -> pairs.add(zWins));
            }
        }
        return new Bandit.Pairs(
                pairs.stream().mapToLong(p -> p[0]).toArray(),
                pairs.stream().mapToLong(p -> p[1]).toArray());
    }
}
