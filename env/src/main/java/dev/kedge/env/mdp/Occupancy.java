package dev.kedge.env.mdp;

import dev.kedge.env.Categorical;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// How often a policy is in which state and takes which action: a distribution over both. Returns are linear in it,
/// `J = Σ mass·reward`; and a policy that leads elsewhere has another one even where its actions are the reference's
/// (arXiv:2403.03185).
///
/// @param mass adds up to 1: `[S][A]`
public record Occupancy(double[][] mass) {
    /// @throws IllegalArgumentException naming state and action, if an entry is negative or not finite; if all do not
    ///                                  add up to 1
    public Occupancy {
        mass = Arrays.stream(mass).map(double[]::clone).toArray(double[][]::new);
        double sum = 0;
        for (int s = 0; s < mass.length; s++) {
            for (int a = 0; a < mass[s].length; a++) {
                if (!(mass[s][a] >= 0)) {
                    throw new IllegalArgumentException(
                            Transitions.at(s, a) + ": the occupancy must be >= 0, was " + mass[s][a]);
                }
                sum += mass[s][a];
            }
        }
        if (!(Math.abs(sum - 1) <= 1e-9)) {
            throw new IllegalArgumentException("an occupancy must add up to 1, added up to " + sum);
        }
    }

    /// `(1 - discount)·E[Σ_t discount^t·1{s_t = s, a_t = a}]`, which solves the flow `μ = (1 - discount)·start +
    /// discount·μ·P_π`. That contracts by the discount in the sum of absolute differences, and is repeated until
    /// `discount/(1 - discount)` times what the last step changed, and for rounding `2⁻⁵²/(1 - discount)`, is at
    /// most the tolerance: so is the sum of all errors.
    ///
    /// @param tolerance finite and > 0
    /// @throws ArithmeticException if rounding does not allow it
    public static Occupancy discounted(Mdp mdp, MdpPolicy policy, double tolerance) {
        policy.requireShape(mdp.states(), mdp.actions());
        if (!(tolerance > 0 && tolerance < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("tolerance must be finite and > 0, was " + tolerance);
        }
        double[][] p = policy.probabilities();
        double discount = mdp.discount();
        double weight = discount / (1 - discount);
        long allowed =
                100 + (discount == 0 ? 0 : (long) Math.ceil(Math.log(tolerance / (2 * weight)) / Math.log(discount)));
        double[] states = mdp.start();
        for (long step = 0; ; step++) {
            double[] next = flow(mdp.transitions(), p, states);
            double change = 0;
            for (int s = 0; s < next.length; s++) {
                next[s] = (1 - discount) * mdp.start()[s] + discount * next[s];
                change += Math.abs(next[s] - states[s]);
            }
            states = next;
            double error = weight * change + Math.ulp(1.0) / (1 - discount);
            if (error <= tolerance) {
                return of(states, p);
            }
            if (step > allowed) {
                throw new ArithmeticException(
                        "rounding keeps the error of the occupancy at " + error + ", above the tolerance " + tolerance);
            }
        }
    }

    /// That of each stage, `P(s_h = s, a_h = a)`: `[H]`.
    ///
    /// @param policies of each stage: `[H]`
    public static List<Occupancy> perStage(FiniteHorizonMdp mdp, List<MdpPolicy> policies) {
        BackwardInduction.requireStages(mdp, policies);
        List<Occupancy> stages = new ArrayList<>();
        double[] states = mdp.start();
        for (int h = 0; h < mdp.horizon(); h++) {
            double[][] p = policies.get(h).probabilities();
            stages.add(of(states, p));
            states = flow(mdp.transitions().get(h), p, states);
        }
        return stages;
    }

    /// Where the mass of the states is one step later.
    private static double[] flow(Transitions transitions, double[][] p, double[] states) {
        double[] next = new double[states.length];
        for (int s = 0; s < states.length; s++) {
            for (int a = 0; a < p[s].length; a++) {
                double mass = states[s] * p[s][a];
                if (mass > 0) {
                    transitions.push(s, a, mass, next);
                }
            }
        }
        return next;
    }

    private static Occupancy of(double[] states, double[][] p) {
        double[][] mass = new double[p.length][];
        Arrays.setAll(mass, s -> Arrays.stream(p[s]).map(x -> states[s] * x).toArray());
        return new Occupancy(mass);
    }

    /// The mass of each state: `[S]`.
    public double[] states() {
        return Arrays.stream(mass).mapToDouble(row -> Arrays.stream(row).sum()).toArray();
    }

    /// The policy that has this occupancy; uniform in states that it never visits.
    public MdpPolicy policy() {
        double[][] p = new double[mass.length][];
        Arrays.setAll(p, s -> {
            double sum = Arrays.stream(mass[s]).sum();
            return Arrays.stream(mass[s])
                    .map(m -> sum == 0 ? 1.0 / mass[s].length : m / sum)
                    .toArray();
        });
        return MdpPolicy.of(p);
    }

    /// `Σ mass·reward`: what a step brings.
    ///
    /// @param reward `[S][A]`
    public double expectation(double[][] reward) {
        requireSameStates(reward.length);
        double sum = 0;
        for (int s = 0; s < mass.length; s++) {
            sum += ValueIteration.expectation(mass[s], reward[s]);
        }
        return sum;
    }

    /// `Σ_s mass(s)·KL(π(s)||ref(s))`, nats: the divergence of actions only. Infinite if a state visited needs it to
    /// be.
    public double actionKl(MdpPolicy policy, MdpPolicy ref) {
        double[] states = states();
        double sum = 0;
        for (int s = 0; s < states.length; s++) {
            sum += states[s] == 0 ? 0 : states[s] * Categorical.kl(policy.logProbs()[s], ref.logProbs()[s]);
        }
        return sum;
    }

    /// `KL(this||ref) = Σ mass·log(mass/ref)`, nats. Infinite if the reference never is where this one is.
    public double kl(Occupancy ref) {
        requireSameStates(ref.mass.length);
        double sum = 0;
        for (int s = 0; s < mass.length; s++) {
            sum += Categorical.kl(logs(mass[s]), logs(ref.mass[s]));
        }
        return sum;
    }

    private void requireSameStates(int states) {
        if (states != mass.length) {
            throw new IllegalArgumentException(states + " states beside an occupancy of " + mass.length);
        }
    }

    private static double[] logs(double[] p) {
        return Arrays.stream(p).map(Math::log).toArray();
    }

    /// `χ²(this||ref) = Σ mass²/ref - 1`. Infinite if the reference never is where this one is.
    public double chiSquared(Occupancy ref) {
        requireSameStates(ref.mass.length);
        double sum = 0;
        for (int s = 0; s < mass.length; s++) {
            sum += chiSquared(mass[s], ref.mass[s]);
        }
        return sum;
    }

    /// `Σ (p - q)²/q`, terms with `p = q = 0` left out.
    static double chiSquared(double[] p, double[] q) {
        double sum = 0;
        for (int a = 0; a < p.length; a++) {
            double difference = p[a] - q[a];
            sum += difference == 0 ? 0 : difference * (difference / q[a]);
        }
        return sum;
    }

    /// Half the sum of absolute differences: from 0 to 1.
    public double totalVariation(Occupancy ref) {
        requireSameStates(ref.mass.length);
        double sum = 0;
        for (int s = 0; s < mass.length; s++) {
            sum += Categorical.totalVariation(mass[s], ref.mass[s]);
        }
        return sum;
    }
}
