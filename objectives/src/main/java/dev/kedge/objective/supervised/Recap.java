package dev.kedge.objective.supervised;

import dev.kedge.objective.Loss;
import dev.kedge.tensor.Require;
import dev.kedge.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/// RECAP (Phan et al. 2025, arXiv:2510.21978): new tasks are learned beside replayed old ones, each with its own
/// objective, and objectives are weighted by how fast and how unsteadily they still change.
///
/// Of each objective a signal is followed: its loss if supervised, its mean reward if learned from rewards, since the
/// value of a policy gradient surrogate is near 0 whatever happens. A falling loss lowers the weight, a rising reward
/// raises it. The paper leaves open which signals it feeds, the length of windows, and the guards below.
public final class Recap {
    private Recap() {}

    /// An objective's signals of the last 2W steps in numbers. `convergence` is `mean/previousMean`, `instability` is
    /// `deviation/|mean + previousMean|`.
    ///
    /// @param mean         of the W latest signals
    /// @param previousMean of the W before those
    /// @param deviation    standard deviation of the W latest
    public record Statistics(
            double mean, double previousMean, double deviation, double convergence, double instability) {
        /// With the deviation of the population, `√(Σ (x - mean)²/W)`.
        ///
        /// @param signals 2W >= 2 of them, oldest first
        /// @param guard   a denominator smaller than this in magnitude is replaced by it, keeping its sign, 0
        /// counting
        ///                as positive; finite and >= 0
        /// @throws IllegalArgumentException if signals are odd in number or none, or guard is out of range
        public static Statistics of(double[] signals, double guard) {
            return of(signals, guard, 0);
        }

        /// With the deviation of a sample, `√(Σ (x - mean)²/(W - 1))`.
        ///
        /// @param signals 2W >= 4 of them, oldest first
        public static Statistics ofSample(double[] signals, double guard) {
            return of(signals, guard, 1);
        }

        private static Statistics of(double[] signals, double guard, int lost) {
            int window = signals.length / 2;
            if (window <= lost || signals.length != 2 * window) {
                throw new IllegalArgumentException(
                        "signals fill two windows of " + (lost + 1) + " or more steps each, were " + signals.length);
            }
            Require.from("guard", guard, 0, Double.POSITIVE_INFINITY);
            double previous = Arrays.stream(signals, 0, window).sum() / window;
            double mean = Arrays.stream(signals, window, 2 * window).sum() / window;
            double squares = Arrays.stream(signals, window, 2 * window)
                    .map(x -> (x - mean) * (x - mean))
                    .sum();
            double deviation = Math.sqrt(squares / (window - lost));
            return new Statistics(
                    mean,
                    previous,
                    deviation,
                    mean / guarded(previous, guard),
                    deviation / Math.abs(guarded(mean + previous, guard)));
        }

        private static double guarded(double denominator, double guard) {
            return Math.abs(denominator) < guard ? (denominator < 0 ? -guard : guard) : denominator;
        }

        /// `convergence + instability`.
        public double priority() {
            return convergence + instability;
        }
    }

    /// `λ_k = K·exp(s_k/T) / Σ_j exp(s_j/T)`: they add up to K.
    ///
    /// @param priorities  s of K >= 1 objectives, finite
    /// @param temperature T, 5 in the paper, finite and > 0; as it grows all weights become 1
    /// @throws IllegalArgumentException if there are none, one is not finite, or the temperature is out of range
    public static double[] weights(double[] priorities, double temperature) {
        Require.positive("temperature", temperature);
        if (priorities.length == 0 || !Arrays.stream(priorities).allMatch(Double::isFinite)) {
            throw new IllegalArgumentException(
                    "priorities must be one or more finite numbers, were " + Arrays.toString(priorities));
        }
        double max = Arrays.stream(priorities).max().orElseThrow();
        double[] mass = Arrays.stream(priorities)
                .map(s -> Math.exp((s - max) / temperature))
                .toArray();
        double sum = Arrays.stream(mass).sum();
        return Arrays.stream(mass).map(m -> m * mass.length / sum).toArray();
    }

    /// `(1/K) Σ λ_k L_k`, with constant weights.
    ///
    /// @param losses  L of K objectives, `[K]`, each this part's share of its step; gradient flows
    /// @param weights λ, K of them
    /// @return the loss, without metrics: those of the objectives speak of different examples
    /// @throws IllegalArgumentException if the two are not of one length
    public static Loss recap(Tensor losses, double... weights) {
        Require.dims("losses", losses, 1, "[K]");
        Tensor lambda = Tensor.of(weights).to(losses.dtype()).to(losses.device());
        Require.sameShape("weights", lambda, "losses", losses);
        return Loss.of(losses.times(lambda).sum().div(weights.length));
    }

    /// How weights follow the signals. What it remembers is passed in and returned, so that a run resumes where it
    /// stopped.
    ///
    /// @param window         W, steps, >= 1
    /// @param temperature    T, finite and > 0
    /// @param guard          of denominators, finite and > 0
    /// @param maxConvergence convergence is clamped to [0, this], so that one exploding ratio does not take all the
    ///                       weight; finite and > 0
    public record Rule(int window, double temperature, double guard, double maxConvergence) {
        /// @throws IllegalArgumentException if a number is out of range
        public Rule {
            if (window < 1) {
                throw new IllegalArgumentException("window must be >= 1, was " + window);
            }
            Require.positive("temperature", temperature);
            Require.positive("guard", guard);
            Require.positive("maxConvergence", maxConvergence);
        }

        /// The weights of a step in which the objectives of `signals` took part, adding up to their number. They are
        /// all 1 until each of these has been seen 2W times. One that was absent keeps its history.
        ///
        /// @param history of the decision before; empty at first
        /// @param signals of this step's objectives by name, finite, one or more
        /// @throws IllegalArgumentException if there is no signal, or one is not finite
        public Decision after(Map<String, List<Double>> history, SequencedMap<String, Double> signals) {
            var longer = new LinkedHashMap<>(history);
            signals.forEach((name, signal) -> longer.merge(name, List.of(requireFinite(name, signal)), this::latest));
            List<List<Double>> present =
                    signals.keySet().stream().map(longer::get).toList();
            boolean known = present.stream().allMatch(h -> h.size() == 2 * window);
            double[] weights = weights(
                    present.stream().mapToDouble(h -> known ? priority(h) : 0).toArray(), temperature);
            var byName = new LinkedHashMap<String, Double>();
            signals.keySet().forEach(name -> byName.put(name, weights[byName.size()]));
            return new Decision(byName, longer);
        }

        private static double requireFinite(String name, double signal) {
            if (!Double.isFinite(signal)) {
                throw new IllegalArgumentException("signal of " + name + " must be finite, was " + signal);
            }
            return signal;
        }

        private List<Double> latest(List<Double> before, List<Double> more) {
            List<Double> all = new ArrayList<>(before);
            all.addAll(more);
            return List.copyOf(all.subList(Math.max(0, all.size() - 2 * window), all.size()));
        }

        private double priority(List<Double> signals) {
            var s = Statistics.of(
                    signals.stream().mapToDouble(Double::doubleValue).toArray(), guard);
            return Math.clamp(s.convergence(), 0, maxConvergence) + s.instability();
        }
    }

    /// What a rule says of a step.
    ///
    /// @param weights λ by name, in the order of the signals
    /// @param history the latest signals of every objective seen so far, oldest first, at most 2W each: what the
    ///                rule is to be told the next time
    public record Decision(SequencedMap<String, Double> weights, Map<String, List<Double>> history) {
        public Decision {
            weights = Collections.unmodifiableSequencedMap(new LinkedHashMap<>(weights));
            history = Collections.unmodifiableMap(new LinkedHashMap<>(history));
        }
    }
}
