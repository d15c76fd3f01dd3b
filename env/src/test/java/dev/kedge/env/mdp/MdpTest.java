package dev.kedge.env.mdp;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/// What is refused at the door, and in which words.
class MdpTest {
    private static final Transitions STAY = Transitions.of(2, 2, (s, _, row) -> row.add(s, 1));
    private static final double[] START = {1, 0};

    private static void refused(String message, Executable call) {
        assertEquals(message, assertThrows(IllegalArgumentException.class, call).getMessage());
    }

    private static Executable row(double... p) {
        return () -> Transitions.dense(new double[][][] {{{1, 0}, {1, 0}}, {{0, 1}, p}});
    }

    @Test
    void rowsThatAreNoDistributions() {
        String at = "state 1, action 1: ";
        refused(at + "the probabilities of its successors must add up to 1, added up to 0.75", row(0.5, 0.25));
        refused(at + "the probability of state 0 must be finite and >= 0, was -0.5", row(-0.5, 1.5));
        refused(at + "the probability of state 1 must be finite and >= 0, was NaN", row(1, Double.NaN));
        refused(
                at + "the probability of state 0 must be finite and >= 0, was Infinity",
                row(Double.POSITIVE_INFINITY, 0));
        refused(at + "2 probabilities expected in each of 2 rows", row(1));
        refused(
                "state 0, action 0: the probabilities of its successors must add up to 1, added up to 0.0",
                () -> Transitions.of(1, 1, (_, _, _) -> {}));
        refused(
                "state 0, action 1: successors are states from 0 to 1, was 2",
                () -> Transitions.of(2, 2, (_, a, row) -> row.add(2 * a, 1)));
    }

    @Test
    void rowsAreKeptSparse() {
        var kernel = Transitions.of(3, 1, (s, _, row) -> {
            row.add(s, 0.25);
            row.add((s + 1) % 3, 0);
            row.add((s + 2) % 3, 0.5);
            row.add(s, 0.25);
        });
        assertArrayEquals(new int[] {0, 2, 4, 6}, kernel.offsets());
        assertArrayEquals(new int[] {0, 2, 1, 0, 2, 1}, kernel.successors());
        assertArrayEquals(new double[] {.5, .5, .5, .5, .5, .5}, kernel.probabilities());
    }

    @Test
    void rowsThatAreRoundedAreDividedByTheirSum() {
        var kernel = new Transitions(1, 1, new int[] {0, 2}, new int[] {0, 0}, new double[] {0.5, 0.5 + 1e-10});
        assertEquals(1, kernel.probabilities()[0] + kernel.probabilities()[1], 1e-16);
        refused(
                "state 0, action 0: the probabilities of its successors must add up to 1, added up to 1.00000001",
                () -> new Transitions(1, 1, new int[] {0, 2}, new int[] {0, 0}, new double[] {0.5, 0.50000001}));
    }

    @Test
    void arraysThatDoNotFit() {
        refused(
                "offsets from 0 to the number of successors expected, one for each of 2 x 1 rows and one more, and as many"
                        + " probabilities; were 2 offsets, 1 successors and 1 probabilities",
                () -> new Transitions(2, 1, new int[] {0, 1}, new int[] {0}, new double[] {1}));
        refused(
                "state 1, action 0: offsets must rise to 1, were 1 and 2",
                () -> new Transitions(3, 1, new int[] {0, 1, 2, 1}, new int[] {0}, new double[] {1}));
        refused("at least one state and one action expected, were 0 and 0", () -> Transitions.dense(new double[0][][]));
    }

    @Test
    void rewardsStartsAndDiscounts() {
        double[][] reward = {{0, 1}, {2, Double.NaN}};
        refused("state 1, action 1: the reward must be finite, was NaN", () -> new Mdp(STAY, reward, START, 0.9));
        refused(
                "stage 0, state 1, action 1: the reward must be finite, was NaN",
                () -> FiniteHorizonMdp.stationary(STAY, reward, START, 3));
        refused("rewards of 1 states in a process of 2", () -> new Mdp(STAY, new double[1][2], START, 0.9));
        refused(
                "state 1: rewards of 1 actions in a process of 2",
                () -> new Mdp(STAY, new double[][] {{1, 2}, {3}}, START, 0.9));
        double[][] zero = new double[2][2];
        refused(
                "the start distribution must add up to 1, added up to 0.9",
                () -> new Mdp(STAY, zero, new double[] {0.9, 0}, 0.9));
        refused(
                "state 1: the start probability must be >= 0, was -0.5",
                () -> new Mdp(STAY, zero, new double[] {1.5, -0.5}, 0.9));
        refused("discount must be in [0, 1), was 1.0", () -> new Mdp(STAY, zero, START, 1));
        refused(
                "kernels and rewards of the same number of stages > 0 expected, were 1 and 2",
                () -> new FiniteHorizonMdp(List.of(STAY), new double[2][2][2], START));
        refused(
                "stage 1: 1 states and 2 actions, stage 0 has 2 and 2",
                () -> new FiniteHorizonMdp(List.of(STAY, Mdp.bandit(1, 2).transitions()), new double[2][2][2], START));
    }

    @Test
    void policiesThatAreNone() {
        refused(
                "state 1: the policy must add up to 1, added up to 0.75",
                () -> MdpPolicy.of(new double[][] {{0.5, 0.5}, {0.5, 0.25}}));
        refused(
                "state 1, action 0: the policy's probability must be finite and >= 0, was -0.5",
                () -> MdpPolicy.of(new double[][] {{0.5, 0.5}, {-0.5, 1.5}}));
        refused(
                "state 0: the policy's probabilities must add up to 1, added up to 2.0",
                () -> new MdpPolicy(new double[][] {{0, 0}}));
        refused(
                "state 1: 1 actions, state 0 has 2",
                () -> new MdpPolicy(new double[][] {{Math.log(0.5), Math.log(0.5)}, {0}}));
        refused(
                "a policy of 1 states and 2 actions in a process of 2 and 2",
                () -> ValueIteration.evaluate(
                        new Mdp(STAY, new double[2][2], START, 0.9), MdpPolicy.uniform(1, 2), 1e-9));
    }

    /// Else mass would be lost, or won, at every step.
    @Test
    void policiesThatAreRoundedAreDividedByTheirSum() {
        var policy = new MdpPolicy(new double[][] {{Math.log(0.5), Math.log(0.5 - 5e-10)}});
        assertEquals(1, policy.probability(0, 0) + policy.probability(0, 1), 1e-15);
    }

    @Test
    void clonedPoliciesAreSmoothedCounts() {
        MdpPolicy cloned = MdpPolicy.cloned(new double[][] {{2, 0}, {0, 0}}, 1);
        assertArrayEquals(new double[] {0.75, 0.25}, cloned.probabilities()[0], 1e-15);
        assertArrayEquals(new double[] {0.5, 0.5}, cloned.probabilities()[1], 1e-15);
    }

    @Test
    void unreachableStatesAreListedAndHaveValues() {
        // 0 -> 1 -> 1 by the first action, 0 -> 2 by the second; nothing leads to 3, which leads to 1.
        var kernel = Transitions.of(4, 2, (s, a, row) -> row.add(s == 0 ? 1 + a : s == 2 ? 2 : 1, 1));
        double[][] reward = {{0, 0}, {1, 1}, {0, 0}, {1, 1}};
        var mdp = new Mdp(kernel, reward, new double[] {1, 0, 0, 0}, 0.5);
        assertArrayEquals(new int[] {3}, Reachability.unreachable(mdp));
        assertArrayEquals(
                new int[] {2, 3}, Reachability.unreachable(mdp, MdpPolicy.deterministic(new int[] {0, 0, 0, 0}, 2)));
        assertEquals(2, ValueIteration.optimal(mdp, 1e-12).values()[3], 1e-12);
        assertEquals(
                0, Occupancy.discounted(mdp, MdpPolicy.uniform(4, 2), 1e-12).states()[3]);
        var one = FiniteHorizonMdp.stationary(kernel, reward, mdp.start(), 1);
        assertArrayEquals(new int[] {1, 2, 3}, Reachability.unreachable(one));
    }

    @Test
    void whatIsGivenIsCopied() {
        double[][] reward = {{1, 2}, {3, 4}};
        var mdp = new Mdp(STAY, reward, START, 0.9);
        reward[0][0] = Double.NaN;
        assertEquals(1, mdp.reward()[0][0]);
    }
}
