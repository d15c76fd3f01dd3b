package dev.kedge.env.mdp;

import java.util.Arrays;

/// Adam on the logits of a softmax policy, up the exact gradient of `J(π) - coefficient·penalty(π)`, J the mean
/// reward of a step under the occupancy measure (arXiv:2403.03185, with the gradient that samples would estimate).
///
/// A penalty of occupancies has the gradient of a return under the rewards `r - coefficient·∂D/∂μ` at the μ of the
/// moment (see [PolicyGradient]). Values and occupancy are those of the step before, swept until they are right again:
/// from one step to the next they change little.
public final class OccupancyAscent {
    private static final double BETA1 = 0.9;
    private static final double BETA2 = 0.999;
    private static final double EPSILON = 1e-8;
    private static final double ROUNDING = 16 * Math.ulp(1.0);

    private final Mdp mdp;
    private final MdpPolicy ref;
    private final double[][] refMass;
    private final double[] refStates;
    private final Penalty penalty;
    private final double coefficient;
    private final double tolerance;
    private final Chain chain;
    private final double[][] logits;
    private final double[][] first;
    private final double[][] second;
    private double[] values;
    private double[] states;
    private int steps;

    /// Stands at the reference.
    ///
    /// @param mdp         with the reward to be optimised
    /// @param ref         takes every action in every state with a probability above 0
    /// @param coefficient in the unit of the reward, finite and >= 0
    /// @param tolerance   of the occupancy's sum of errors, and of values over the largest reward, in learning; > 0
    /// @throws IllegalArgumentException if one is out of range, or the reference never takes some action
    public OccupancyAscent(Mdp mdp, MdpPolicy ref, Penalty penalty, double coefficient, double tolerance) {
        if (!(coefficient >= 0 && coefficient < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("coefficient must be finite and >= 0, was " + coefficient);
        }
        for (int s = 0; s < ref.states(); s++) {
            for (int a = 0; a < ref.actions(); a++) {
                if (!Double.isFinite(ref.logProbs()[s][a])) {
                    throw new IllegalArgumentException(Transitions.at(s, a)
                            + ": the reference must take every action, was " + ref.probability(s, a));
                }
            }
        }
        this.mdp = mdp;
        this.ref = ref;
        this.penalty = penalty;
        this.coefficient = coefficient;
        this.tolerance = tolerance;
        var occupancy = Occupancy.discounted(mdp, ref, Math.min(tolerance, 1e-9));
        refMass = occupancy.mass();
        refStates = occupancy.states();
        chain = new Chain(mdp.transitions());
        logits = Arrays.stream(ref.logProbs()).map(double[]::clone).toArray(double[][]::new);
        first = new double[logits.length][mdp.actions()];
        second = new double[logits.length][mdp.actions()];
        values = new double[logits.length];
        states = refStates.clone();
    }

    /// Where it stands.
    public MdpPolicy policy() {
        return MdpPolicy.softmax(logits);
    }

    /// So many steps, the rate falling from the first to 0 along a line.
    ///
    /// @param learningRate how far a logit moves in the first step, about
    public void climb(int count, double learningRate) {
        for (int i = 0; i < count; i++) {
            step(learningRate * (1 - (double) i / count));
        }
    }

    /// One step.
    public void step(double learningRate) {
        double[][] gradient = gradient();
        steps++;
        double correction1 = 1 - Math.pow(BETA1, steps);
        double correction2 = 1 - Math.pow(BETA2, steps);
        for (int s = 0; s < logits.length; s++) {
            for (int a = 0; a < logits[s].length; a++) {
                double g = gradient[s][a];
                first[s][a] = BETA1 * first[s][a] + (1 - BETA1) * g;
                second[s][a] = BETA2 * second[s][a] + (1 - BETA2) * g * g;
                logits[s][a] +=
                        learningRate * (first[s][a] / correction1) / (Math.sqrt(second[s][a] / correction2) + EPSILON);
            }
        }
    }

    /// Of `J - coefficient·penalty` for the logits, `[S][A]`.
    double[][] gradient() {
        double[][] p = policy().probabilities();
        chain.follow(p);
        states = chain.occupancy(states, mdp, tolerance);
        double[][] slopes = new double[p.length][mdp.actions()]; // of the penalty in π(a|s), beside that of the states
        double[] paid = new double[p.length]; // what a step in a state brings
        double[][] rewards = rewards(p, slopes);
        for (int s = 0; s < p.length; s++) {
            paid[s] = ValueIteration.expectation(p[s], rewards[s]);
        }
        values = chain.values(values, paid, mdp.discount(), tolerance);
        double[][] gradient = new double[p.length][mdp.actions()];
        double[] q = new double[mdp.actions()];
        for (int s = 0; s < p.length; s++) {
            double mean = 0;
            for (int a = 0; a < q.length; a++) {
                q[a] = rewards[s][a]
                        + mdp.discount() * mdp.transitions().expectation(s, a, values)
                        - coefficient * slopes[s][a];
                mean += p[s][a] * q[a];
            }
            for (int a = 0; a < q.length; a++) {
                gradient[s][a] = states[s] * p[s][a] * (q[a] - mean);
            }
        }
        return gradient;
    }

    /// The rewards less the penalty's part, `r - coefficient·∂D/∂μ`; the slopes are filled in where the penalty is
    /// one of actions.
    private double[][] rewards(double[][] p, double[][] slopes) {
        double[][] rewards = Arrays.stream(mdp.reward()).map(double[]::clone).toArray(double[][]::new);
        switch (penalty) {
            case Penalty.None _ -> {}
            case Penalty.Actions(var divergence) -> {
                for (int s = 0; s < p.length; s++) {
                    double[] q = Arrays.stream(ref.logProbs()[s]).map(Math::exp).toArray();
                    double value = divergence.of(p[s], q);
                    for (int a = 0; a < q.length; a++) {
                        rewards[s][a] -= coefficient * value;
                        slopes[s][a] = p[s][a] > 0 ? divergence.slope(p[s][a] / q[a], value) : 0;
                    }
                }
            }
            case Penalty.States(var divergence) -> {
                double value = divergence.of(states, refStates);
                for (int s = 0; s < p.length; s++) {
                    if (states[s] > 0) {
                        double slope = divergence.slope(states[s] / refStates[s], value);
                        for (int a = 0; a < p[s].length; a++) {
                            rewards[s][a] -= coefficient * slope;
                        }
                    }
                }
            }
            case Penalty.Occupancies(var divergence) -> {
                double[][] mass = new double[p.length][p[0].length];
                for (int s = 0; s < p.length; s++) {
                    for (int a = 0; a < p[s].length; a++) {
                        mass[s][a] = states[s] * p[s][a];
                    }
                }
                double value = divergence.of(flat(mass), flat(refMass));
                for (int s = 0; s < p.length; s++) {
                    for (int a = 0; a < p[s].length; a++) {
                        if (mass[s][a] > 0) {
                            rewards[s][a] -= coefficient * divergence.slope(mass[s][a] / refMass[s][a], value);
                        }
                    }
                }
            }
        }
        return rewards;
    }

    private static double[] flat(double[][] table) {
        return Arrays.stream(table).flatMapToDouble(Arrays::stream).toArray();
    }

    /// The chain of states that a policy makes of a kernel, sparse: the places of its successors stay, the
    /// probabilities change.
    private static final class Chain {
        private final Transitions kernel;
        private final int[] begins; // of each state's successors: [S + 1]
        private final int[] successors;
        private final int[] places; // of each of the kernel's successors among those of its state
        private final double[] probabilities;

        Chain(Transitions kernel) {
            this.kernel = kernel;
            begins = new int[kernel.states() + 1];
            places = new int[kernel.successors().length];
            int[] found = new int[kernel.successors().length];
            int[] place = new int[kernel.states()];
            Arrays.fill(place, -1);
            int end = 0;
            for (int s = 0; s < kernel.states(); s++) {
                begins[s] = end;
                int last = kernel.offsets()[(s + 1) * kernel.actions()];
                for (int i = kernel.offsets()[s * kernel.actions()]; i < last; i++) {
                    int next = kernel.successors()[i];
                    if (place[next] < begins[s]) {
                        place[next] = end;
                        found[end++] = next;
                    }
                    places[i] = place[next];
                }
            }
            begins[kernel.states()] = end;
            successors = Arrays.copyOf(found, end);
            probabilities = new double[end];
        }

        void follow(double[][] p) {
            Arrays.fill(probabilities, 0);
            for (int s = 0; s < p.length; s++) {
                for (int a = 0; a < p[s].length; a++) {
                    int row = s * kernel.actions() + a;
                    for (int i = kernel.offsets()[row]; i < kernel.offsets()[row + 1]; i++) {
                        probabilities[places[i]] += p[s][a] * kernel.probabilities()[i];
                    }
                }
            }
        }

        /// See [Occupancy#discounted] for the bound.
        double[] occupancy(double[] from, Mdp mdp, double tolerance) {
            double discount = mdp.discount();
            double[] start = mdp.start();
            double[] now = from;
            while (true) {
                double[] next = new double[now.length];
                for (int s = 0; s < now.length; s++) {
                    for (int i = begins[s]; now[s] > 0 && i < begins[s + 1]; i++) {
                        next[successors[i]] += now[s] * probabilities[i];
                    }
                }
                double change = 0;
                for (int s = 0; s < now.length; s++) {
                    next[s] = (1 - discount) * start[s] + discount * next[s];
                    change += Math.abs(next[s] - now[s]);
                }
                now = next;
                if (!(change > tolerance * (1 - discount) / discount + ROUNDING)) { // nor if it is no number
                    return now;
                }
            }
        }

        /// See [FixedPoint] for the bound.
        double[] values(double[] from, double[] paid, double discount, double tolerance) {
            double allowed =
                    tolerance * Arrays.stream(paid).map(Math::abs).max().orElse(0);
            double weight = discount / (1 - discount);
            double[] now = from;
            while (true) {
                double[] next = new double[now.length];
                double least = Double.POSITIVE_INFINITY;
                double most = Double.NEGATIVE_INFINITY;
                double largest = 0;
                for (int s = 0; s < now.length; s++) {
                    double sum = 0;
                    for (int i = begins[s]; i < begins[s + 1]; i++) {
                        sum += probabilities[i] * now[successors[i]];
                    }
                    next[s] = paid[s] + discount * sum;
                    least = Math.min(least, next[s] - now[s]);
                    most = Math.max(most, next[s] - now[s]);
                    largest = Math.max(largest, Math.abs(next[s]));
                }
                if (!(weight * (most - least) / 2 > allowed + weight * ROUNDING * largest)) {
                    for (int s = 0; s < now.length; s++) {
                        next[s] += weight * (most + least) / 2;
                    }
                    return next;
                }
                now = next;
            }
        }
    }
}
