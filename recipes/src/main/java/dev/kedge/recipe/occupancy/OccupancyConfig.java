package dev.kedge.recipe.occupancy;

import dev.kedge.config.Kind;
import dev.kedge.env.mdp.Penalty;
import dev.kedge.tensor.Engine;
import dev.kedge.tensor.Require;
import java.util.List;

/// What [OccupancyRecipe] compares, and where.
///
/// @param environment the process, its rewards and the reference
/// @param learning    what the gradients come from
/// @param penalties   beside none and the theory's
/// @param snapshots   of those two as they learn, >= 1
/// @param threads     of the engine
/// @param seed        of everything drawn
public record OccupancyConfig(
        ProxyEnvironment environment, Learning learning, List<Arm> penalties, int snapshots, int threads, long seed) {
    public OccupancyConfig {
        Engine.requireThreads(threads);
        if (penalties.stream().map(Arm::penalty).distinct().count() < penalties.size()) {
            throw new IllegalArgumentException(
                    "each of the penalties once, with all its coefficients, expected, were " + penalties);
        }
        if (snapshots < 1 || threads < 1) {
            throw new IllegalArgumentException(
                    "snapshots >= 1 and threads >= 1 expected, were " + snapshots + " and " + threads);
        }
    }

    /// A penalty at several strengths.
    ///
    /// @param coefficients in standard deviations of the proxy under the reference, each > 0 and there once
    public record Arm(Penalty penalty, List<Double> coefficients) {
        public Arm {
            if (penalty instanceof Penalty.None) {
                throw new IllegalArgumentException("a policy without a penalty is always there: list the others only");
            }
            if (coefficients.isEmpty()
                    || coefficients.stream().distinct().count() < coefficients.size()
                    || coefficients.stream().anyMatch(c -> !(c > 0 && c < Double.POSITIVE_INFINITY))) {
                throw new IllegalArgumentException(
                        "coefficients must be different finite numbers > 0, at least one, were " + coefficients);
            }
        }
    }

    /// What the gradients come from.
    public sealed interface Learning {
        /// Steps of Adam or iterations, >= 1.
        int steps();
    }

    /// Exact gradients: [OccupancyAscent][dev.kedge.env.mdp.OccupancyAscent]; the rate falls to 0 along a line.
    ///
    /// @param steps        of Adam
    /// @param learningRate > 0
    @Kind("exact")
    public record Exact(int steps, double learningRate) implements Learning {
        public Exact {
            if (steps < 1 || !(learningRate > 0 && learningRate < Double.POSITIVE_INFINITY)) {
                throw new IllegalArgumentException(
                        "steps >= 1 and a finite learning_rate > 0 expected, were " + steps + " and " + learningRate);
            }
        }
    }

    /// [OccupancyPpo].
    ///
    /// @param steps               iterations
    /// @param batch               steps of the process that the policy takes in each, and as many of the reference
    /// @param minibatch           at most that many
    /// @param epochs              of actor and critic over a batch
    /// @param discriminatorEpochs of the discriminator, before
    /// @param hidden              width of the networks
    /// @param learningRate        of actor and critic, > 0
    /// @param discriminatorRate   of the discriminator, > 0
    /// @param clip                of the ratio, in (0, 1)
    /// @param gaeLambda           in [0, 1]
    /// @param entropy             weight of the entropy in the loss, >= 0
    /// @param trim                share of the scores left out at each end of the estimate of χ², in [0, 1/2)
    /// @param scoreLimit          size of a score at most, nats, > 0
    /// @param penaltyLimit        of a step, before the coefficient, > 0
    /// @param cloning             steps by which the actor first learns the reference; 0: it starts uniform
    @Kind("sampled")
    public record Sampled(
            int steps,
            int batch,
            int minibatch,
            int epochs,
            int discriminatorEpochs,
            int hidden,
            double learningRate,
            double discriminatorRate,
            double clip,
            double gaeLambda,
            double entropy,
            double trim,
            double scoreLimit,
            double penaltyLimit,
            int cloning)
            implements Learning {
        public Sampled {
            if (steps < 1 || batch < 2 || minibatch < 1 || minibatch > batch) {
                throw new IllegalArgumentException("steps >= 1, batch >= 2 and minibatch from 1 to the batch expected,"
                        + " were " + steps + ", " + batch + " and " + minibatch);
            }
            if (epochs < 1 || discriminatorEpochs < 1 || hidden < 1 || cloning < 0) {
                throw new IllegalArgumentException(
                        "epochs, discriminator_epochs and hidden >= 1 and cloning >= 0 expected, were " + epochs + ", "
                                + discriminatorEpochs + ", " + hidden + " and " + cloning);
            }
            Require.positive("learning_rate", learningRate);
            Require.positive("discriminator_rate", discriminatorRate);
            Require.positive("score_limit", scoreLimit);
            Require.positive("penalty_limit", penaltyLimit);
            if (!(clip > 0 && clip < 1) || !(gaeLambda >= 0 && gaeLambda <= 1) || !(entropy >= 0 && entropy < 1e9)) {
                throw new IllegalArgumentException(
                        "clip in (0, 1), gae_lambda in [0, 1] and a finite entropy >= 0 expected, were " + clip + ", "
                                + gaeLambda + " and " + entropy);
            }
            if (!(trim >= 0 && trim < 0.5)) {
                throw new IllegalArgumentException("trim must be in [0, 0.5), was " + trim);
            }
            if (scoreLimit > 300) {
                throw new IllegalArgumentException(
                        "score_limit must be at most 300, as its exponential is taken, was " + scoreLimit);
            }
        }
    }
}
