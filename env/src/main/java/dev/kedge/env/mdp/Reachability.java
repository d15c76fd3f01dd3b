package dev.kedge.env.mdp;

import java.util.BitSet;
import java.util.List;
import java.util.stream.IntStream;

/// The states that a process can never be in: their values are as right as the others', their occupancy is 0, and no
/// sample tells anything about them.
public final class Reachability {
    private Reachability() {}

    /// States that no policy reaches, ascending.
    public static int[] unreachable(Mdp mdp) {
        return unreachable(mdp, MdpPolicy.uniform(mdp.states(), mdp.actions()));
    }

    /// States that a policy never reaches, ascending: where it is the reference, every policy with a finite KL to it
    /// stays out of them.
    public static int[] unreachable(Mdp mdp, MdpPolicy policy) {
        policy.requireShape(mdp.states(), mdp.actions());
        BitSet reached = support(mdp.start());
        BitSet news = reached;
        while (!news.isEmpty()) {
            BitSet next = step(mdp.transitions(), policy, news);
            next.andNot(reached);
            reached.or(next);
            news = next;
        }
        return missing(reached, mdp.states());
    }

    /// States in which no stage is ever reached, whatever the policy, ascending.
    public static int[] unreachable(FiniteHorizonMdp mdp) {
        MdpPolicy all = MdpPolicy.uniform(mdp.states(), mdp.actions());
        BitSet here = support(mdp.start());
        var reached = (BitSet) here.clone();
        List<Transitions> stages = mdp.transitions();
        for (int h = 0; h + 1 < stages.size(); h++) {
            here = step(stages.get(h), all, here);
            reached.or(here);
        }
        return missing(reached, mdp.states());
    }

    private static BitSet support(double[] start) {
        var states = new BitSet(start.length);
        IntStream.range(0, start.length).filter(s -> start[s] > 0).forEach(states::set);
        return states;
    }

    private static BitSet step(Transitions transitions, MdpPolicy policy, BitSet from) {
        var next = new BitSet(transitions.states());
        from.stream().forEach(s -> {
            for (int a = 0; a < transitions.actions(); a++) {
                if (policy.logProbs()[s][a] == Double.NEGATIVE_INFINITY) {
                    continue;
                }
                int row = s * transitions.actions() + a;
                for (int i = transitions.offsets()[row]; i < transitions.offsets()[row + 1]; i++) {
                    if (transitions.probabilities()[i] > 0) {
                        next.set(transitions.successors()[i]);
                    }
                }
            }
        });
        return next;
    }

    private static int[] missing(BitSet reached, int states) {
        var others = (BitSet) reached.clone();
        others.flip(0, states);
        return others.stream().toArray();
    }
}
