package dev.kedge.env.mdp;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/// Exact values of processes of H stages, from the last stage to the first (arXiv:2310.17303): `V_H = 0`,
/// `Q_h = r_h + P_h·V_(h+1)`, and `V_h(s) = max_p Σ p(a)·Q_h(s,a) - penalty(p, ref_h(s))` for the optimum. Exact but
/// for rounding.
public final class BackwardInduction {
    private BackwardInduction() {}

    /// @param values       V_h, what the penalties cost taken off; the last row is 0: `[H + 1][S]`
    /// @param actionValues `Q_h(s,a) = r_h(s,a) + Σ P_h(s'|s,a)·V_(h+1)(s')`: `[H][S][A]`
    /// @param policies     those evaluated, or the maximisers: `[H]`
    public record Solution(double[][] values, double[][][] actionValues, List<MdpPolicy> policies) {}

    /// The best values without a regulariser, and a greedy policy.
    public static Solution optimal(FiniteHorizonMdp mdp) {
        MdpPolicy any = MdpPolicy.uniform(mdp.states(), mdp.actions());
        return optimal(mdp, Collections.nCopies(mdp.horizon(), any), new Regularizer.None());
    }

    /// The best that policies held to a reference can do. They take no action that the reference never takes.
    ///
    /// @param ref of each stage: `[H]`
    public static Solution optimal(FiniteHorizonMdp mdp, List<MdpPolicy> ref, Regularizer regularizer) {
        requireStages(mdp, ref);
        return backwards(
                mdp,
                (h, q) -> ValueIteration.maximizer(q, ref.get(h), regularizer),
                (h, s, q, _) -> regularizer.maximum(q, ref.get(h).logProbs()[s]));
    }

    /// The best with a bonus of `alpha` times the policy's entropy in each stage; see [ValueIteration#maximumEntropy].
    ///
    /// @param alpha finite and > 0
    public static Solution maximumEntropy(FiniteHorizonMdp mdp, double alpha) {
        double bonus = alpha * Math.log(mdp.actions());
        double[][][] reward = new double[mdp.horizon()][][];
        Arrays.setAll(reward, h -> ValueIteration.raised(mdp.reward()[h], bonus));
        MdpPolicy uniform = MdpPolicy.uniform(mdp.states(), mdp.actions());
        Solution soft = optimal(
                new FiniteHorizonMdp(mdp.transitions(), reward, mdp.start()),
                Collections.nCopies(mdp.horizon(), uniform),
                new Regularizer.Kl(alpha));
        double[][][] actionValues = new double[mdp.horizon()][][];
        Arrays.setAll(actionValues, h -> ValueIteration.raised(soft.actionValues()[h], -bonus));
        return new Solution(soft.values(), actionValues, soft.policies());
    }

    /// What policies are worth.
    ///
    /// @param policies of each stage: `[H]`
    public static Solution evaluate(FiniteHorizonMdp mdp, List<MdpPolicy> policies) {
        return evaluate(mdp, policies, policies, new Regularizer.None());
    }

    /// What policies are worth, the penalties taken off.
    ///
    /// @param policies of each stage, and as many references: `[H]`
    /// @throws IllegalArgumentException naming stage, state and action, if a policy has mass where its reference
    ///     has none
    public static Solution evaluate(
            FiniteHorizonMdp mdp, List<MdpPolicy> policies, List<MdpPolicy> ref, Regularizer regularizer) {
        requireStages(mdp, policies);
        requireWithin(policies, ref);
        return backwards(mdp, (h, _) -> policies.get(h), (h, s, q, policy) -> {
            double[] logProbs = policy.logProbs()[s];
            double value = 0;
            for (int a = 0; a < q.length; a++) {
                value += Math.exp(logProbs[a]) * q[a];
            }
            return value - regularizer.penalty(logProbs, ref.get(h).logProbs()[s]);
        });
    }

    /// `KLtraj(π||ref) = E_π[Σ_h KL(π_h(s_h)||ref_h(s_h))]`, nats: the divergence of the trajectories' distributions.
    ///
    /// @throws IllegalArgumentException naming stage, state and action, if a policy has mass where its reference
    ///     has none
    public static double trajectoryKl(FiniteHorizonMdp mdp, List<MdpPolicy> policies, List<MdpPolicy> ref) {
        requireStages(mdp, policies);
        requireWithin(policies, ref);
        List<Occupancy> occupancies = Occupancy.perStage(mdp, policies);
        double sum = 0;
        for (int h = 0; h < mdp.horizon(); h++) {
            sum += occupancies.get(h).actionKl(policies.get(h), ref.get(h));
        }
        return sum;
    }

    private interface Choice {
        MdpPolicy policy(int stage, double[][] q);
    }

    private interface Value {
        double of(int stage, int state, double[] q, MdpPolicy policy);
    }

    private static Solution backwards(FiniteHorizonMdp mdp, Choice choice, Value value) {
        int horizon = mdp.horizon();
        double[][] values = new double[horizon + 1][mdp.states()];
        double[][][] actionValues = new double[horizon][mdp.states()][mdp.actions()];
        List<MdpPolicy> policies = new ArrayList<>(Collections.nCopies(horizon, null));
        for (int h = horizon - 1; h >= 0; h--) {
            double[][] q = actionValues[h];
            for (int s = 0; s < q.length; s++) {
                for (int a = 0; a < q[s].length; a++) {
                    q[s][a] = mdp.reward()[h][s][a] + mdp.transitions().get(h).expectation(s, a, values[h + 1]);
                }
            }
            int stage = h;
            MdpPolicy policy = choice.policy(h, q);
            policies.set(h, policy);
            Arrays.setAll(values[h], s -> value.of(stage, s, q[s], policy));
        }
        return new Solution(values, actionValues, Collections.unmodifiableList(policies));
    }

    static void requireStages(FiniteHorizonMdp mdp, List<MdpPolicy> policies) {
        if (policies.size() != mdp.horizon()) {
            throw new IllegalArgumentException(
                    "policies of " + policies.size() + " stages in a process of " + mdp.horizon());
        }
        policies.forEach(policy -> policy.requireShape(mdp.states(), mdp.actions()));
    }

    private static void requireWithin(List<MdpPolicy> policies, List<MdpPolicy> ref) {
        if (ref.size() != policies.size()) {
            throw new IllegalArgumentException(
                    "references of " + ref.size() + " stages for policies of " + policies.size());
        }
        for (int h = 0; h < ref.size(); h++) {
            try {
                policies.get(h).requireWithin(ref.get(h));
            } catch (IllegalArgumentException e) {
                throw new IllegalArgumentException("stage " + h + ", " + e.getMessage(), e);
            }
        }
    }
}
