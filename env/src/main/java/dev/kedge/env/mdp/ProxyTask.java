package dev.kedge.env.mdp;

import dev.kedge.tensor.Streams;
import java.util.Arrays;
import java.util.BitSet;
import java.util.SplittableRandom;

/// A process whose reward is known only through a proxy: where a policy that is trained on the proxy can be worse than
/// the reference (arXiv:2403.03185).
///
/// @param transitions the kernel
/// @param reward      what counts: `[S][A]`
/// @param proxy       what is optimised: `[S][A]`
/// @param start       the distribution of the first state: `[S]`
public record ProxyTask(Transitions transitions, double[][] reward, double[][] proxy, double[] start) {
    /// The process with the true reward.
    public Mdp mdp(double discount) {
        return new Mdp(transitions, reward, start, discount);
    }

    /// The process with the proxy.
    public Mdp proxyMdp(double discount) {
        return new Mdp(transitions, proxy, start, discount);
    }

    /// A 5x5 grid with a slip of 0.1, entered in the corner, cell 0. Each action in one of four random cells out of
    /// cells 1 to 11 is rewarded with 1; the proxy also gives 4 in the far corner, where the truth is 0.
    public static ProxyTask grid(long seed) {
        var grid = Gridworld.open(5, 5);
        Transitions walk = grid.transitions(0.1);
        var random = new SplittableRandom(Streams.of(seed, "grid"));
        var rewarded = new BitSet();
        while (rewarded.cardinality() < 4) {
            rewarded.set(random.nextInt(1, 12));
        }
        double[][] reward = new double[walk.states()][walk.actions()];
        rewarded.stream().forEach(s -> Arrays.fill(reward[s], 1));
        double[][] proxy = Arrays.stream(reward).map(double[]::clone).toArray(double[][]::new);
        Arrays.fill(proxy[walk.states() - 1], 4);
        return new ProxyTask(walk, reward, proxy, Mdp.startAt(0, walk.states()));
    }
}
