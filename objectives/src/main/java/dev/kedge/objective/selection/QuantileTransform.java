package dev.kedge.objective.selection;

import dev.kedge.config.Kind;
import dev.kedge.tensor.Require;
import dev.kedge.tensor.Tensor;

/// What a calibrated reward is worth under a procedure of inference: a non-decreasing function of the quantile, which
/// is in [0, 1] (InfAlign-CTRL, arXiv:2412.19792).
///
/// The scales differ by orders of magnitude, so that transforms are compared at equal KL, never at equal beta.
public sealed interface QuantileTransform {
    /// The transformed reward, of the shape of `quantile`.
    ///
    /// @param quantile calibrated rewards, in [0, 1]
    Tensor apply(Tensor quantile);

    /// `u`: for single answers, where it is exactly what the win rate asks for.
    @Kind("identity")
    record Identity() implements QuantileTransform {
        @Override
        public Tensor apply(Tensor quantile) {
            return quantile;
        }
    }

    /// `exp(rate·u)/divisor`: for the best of N, where high quantiles are what counts.
    ///
    /// @param rate    finite and > 0; 10 suits N = 4
    /// @param divisor finite and > 0; as good as a factor of beta. `exp(rate)` keeps rewards in [0, 1]
    @Kind("exponential")
    record Exponential(double rate, double divisor) implements QuantileTransform {
        public Exponential {
            Require.positive("rate", rate);
            Require.positive("divisor", divisor);
        }

        @Override
        public Tensor apply(Tensor quantile) {
            return quantile.times(rate).exp().div(divisor);
        }
    }

    /// `-exp(-rate·u)`: for the worst of N, where low quantiles are what counts.
    ///
    /// @param rate finite and > 0; 10 suits N = 4
    @Kind("negative_exponential")
    record NegativeExponential(double rate) implements QuantileTransform {
        public NegativeExponential {
            Require.positive("rate", rate);
        }

        @Override
        public Tensor apply(Tensor quantile) {
            return quantile.times(-rate).exp().neg();
        }
    }

    /// `log u`: best-of-N distillation, whose optimum has a density of the quantile that is proportional to
    /// `u^(1/beta)`. `-Infinity` at 0, where an estimate can be.
    @Kind("logarithm")
    record Logarithm() implements QuantileTransform {
        @Override
        public Tensor apply(Tensor quantile) {
            return quantile.log();
        }
    }
}
