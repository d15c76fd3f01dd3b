package dev.kedge.recipe.demonstration;

import dev.kedge.config.Kind;
import dev.kedge.env.mdp.FiniteHorizonMdp;
import dev.kedge.env.mdp.MdpPolicy;
import dev.kedge.env.mdp.Trajectory;
import dev.kedge.env.mdp.Visits;
import dev.kedge.objective.demonstration.BehaviorCloning;
import dev.kedge.tensor.Require;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.util.Arrays;
import java.util.List;

/// How demonstrations become a policy (arXiv:2310.17303): every action stays possible.
public sealed interface Cloning {
    /// Of a linear clone's search, which ends where no slope is larger than [#ENOUGH] demonstrations.
    int STEPS = 1000;

    double ENOUGH = 1e-4;

    /// `(n(s,a) + smoothing)/(n(s) + A·smoothing)` in each stage.
    ///
    /// @param smoothing finite and > 0; 1 in the paper
    @Kind("counts")
    record Counts(double smoothing) implements Cloning {
        public Counts {
            if (!(smoothing > 0 && smoothing < Double.POSITIVE_INFINITY)) {
                throw new IllegalArgumentException("smoothing must be finite and > 0, so that the clone takes every"
                        + " action sometimes, was " + smoothing);
            }
        }
    }

    /// The likeliest policy `~ exp(θ_h·φ(s,a))` in each stage, θ held small by a ridge, mixed with a little uniform.
    ///
    /// @param ridge   finite and > 0
    /// @param uniform share of uniformly random actions, in (0, 1)
    @Kind("softmax_linear")
    record SoftmaxLinear(double ridge, double uniform) implements Cloning {
        public SoftmaxLinear {
            Require.positive("ridge", ridge);
            if (!(uniform > 0 && uniform < 1)) {
                throw new IllegalArgumentException("uniform must be in (0, 1), so that the clone takes every action"
                        + " sometimes, was " + uniform);
            }
        }
    }

    /// The clone of each stage: `[H]`.
    ///
    /// @param features of a linear clone: `[S][A][d]`
    /// @throws IllegalArgumentException naming what is wrong, if a demonstration does not fit the process
    default List<MdpPolicy> learn(FiniteHorizonMdp process, double[][][] features, List<Trajectory> demonstrations) {
        Visits visits = new Visits(process.horizon(), process.states(), process.actions());
        demonstrations.forEach(visits::add);
        return switch (this) {
            case Counts(double smoothing) ->
                Arrays.stream(visits.counts())
                        .map(counts -> MdpPolicy.cloned(counts, smoothing))
                        .toList();
            case SoftmaxLinear(double ridge, double uniform) -> {
                MdpPolicy any = MdpPolicy.uniform(process.states(), process.actions());
                yield softmaxLinear(visits.counts(), features, ridge).stream()
                        .map(policy -> policy.mixedWith(any, uniform))
                        .toList();
            }
        };
    }

    /// By accelerated gradient descent, each stage with a step of one over its curvature: at most the demonstrations
    /// times the largest squared distance of features, and the ridge.
    private static List<MdpPolicy> softmaxLinear(double[][][] counts, double[][][] features, double ridge) {
        int horizon = counts.length;
        int states = features.length;
        int actions = features[0].length;
        int d = features[0][0].length;
        double largest = Arrays.stream(features)
                .flatMap(Arrays::stream)
                .mapToDouble(phi -> Arrays.stream(phi).map(x -> x * x).sum())
                .max()
                .orElseThrow();
        double most = Arrays.stream(counts)
                .mapToDouble(stage -> Arrays.stream(stage)
                        .mapToDouble(row -> Arrays.stream(row).sum())
                        .sum())
                .max()
                .orElseThrow();
        double step = 1 / (most * largest + ridge);
        double slowness = Math.sqrt(ridge * step);
        double momentum = (1 - slowness) / (1 + slowness);
        try (Scope all = new Scope()) {
            Tensor phi = Tensor.of(
                    Arrays.stream(features)
                            .flatMap(Arrays::stream)
                            .flatMapToDouble(Arrays::stream)
                            .toArray(),
                    (long) states * actions,
                    d);
            Tensor n = Tensor.stack(Arrays.stream(counts).map(Tensor::of).toList(), 0);
            double[] theta = new double[horizon * d];
            double[] before = theta;
            double slopes = Double.POSITIVE_INFINITY;
            for (int i = 0; i < STEPS && slopes > ENOUGH; i++) {
                double[] ahead = new double[theta.length];
                double[] now = theta;
                double[] last = before;
                Arrays.setAll(ahead, j -> now[j] + momentum * (now[j] - last[j]));
                double[] slope;
                try (Scope _ = new Scope()) {
                    Tensor x = Tensor.of(ahead, d, horizon).requiresGrad();
                    Tensor logPolicy = logPolicy(phi, x, horizon, states, actions);
                    BehaviorCloning.loss(logPolicy, n, 0)
                            .value()
                            .plus(x.square().sum().times(ridge / 2))
                            .backward();
                    slope = x.grad().toDoubles();
                }
                slopes = Arrays.stream(slope).map(Math::abs).max().orElseThrow();
                before = theta;
                double[] next = new double[theta.length];
                Arrays.setAll(next, j -> ahead[j] - step * slope[j]);
                theta = next;
            }
            double[] p = logPolicy(phi, Tensor.of(theta, d, horizon), horizon, states, actions)
                    .exp()
                    .toDoubles();
            MdpPolicy[] policies = new MdpPolicy[horizon];
            Arrays.setAll(policies, h -> {
                double[][] stage = new double[states][];
                Arrays.setAll(stage, s -> {
                    int from = (h * states + s) * actions;
                    return Arrays.copyOfRange(p, from, from + actions);
                });
                return MdpPolicy.of(stage);
            });
            return List.of(policies);
        }
    }

    /// `[H, S, A]`.
    private static Tensor logPolicy(Tensor phi, Tensor theta, int horizon, int states, int actions) {
        return phi.matmul(theta).t().reshape(horizon, states, actions).logSoftmax(2);
    }
}
