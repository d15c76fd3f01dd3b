package dev.kedge.recipe.preference;

import dev.kedge.config.Kind;
import dev.kedge.objective.preference.AdpoTemperature;
import dev.kedge.tensor.Tensor;
import java.util.Optional;

/// Whether ADPO's temperature adapts to each set, as a recipe names it: see [AdpoTemperature], whose two rules pull in
/// different directions.
public sealed interface AdaptiveTau {
    /// One tau for all.
    @Kind("constant")
    record Constant() implements AdaptiveTau {}

    /// Lower where the target is uncertain; for listwise objectives only, as others have no target over a set.
    ///
    /// @param alpha  how far a uniform target lowers it, >= 0
    /// @param lowest > 0
    @Kind("target_entropy")
    record TargetEntropy(double alpha, double lowest) implements AdaptiveTau {
        public TargetEntropy {
            if (!(alpha >= 0 && lowest > 0)) {
                throw new IllegalArgumentException(
                        "alpha >= 0 and lowest > 0 expected, were " + alpha + " and " + lowest);
            }
        }
    }

    /// Higher where the policy is uncertain, or certain and wrong.
    ///
    /// @param alpha   weight of the policy's entropy, >= 0
    /// @param b       weight of the missing reward, >= 0
    /// @param lowest  > 0
    /// @param highest at least lowest
    @Kind("policy_entropy")
    record PolicyEntropy(double alpha, double b, double lowest, double highest) implements AdaptiveTau {
        public PolicyEntropy {
            if (!(alpha >= 0 && b >= 0 && lowest > 0 && highest >= lowest)) {
                throw new IllegalArgumentException(
                        "alpha >= 0, b >= 0, lowest > 0 and highest >= lowest expected, were " + alpha + ", " + b + ", "
                                + lowest + " and " + highest);
            }
        }
    }

    /// The temperature of each set: `[S]`.
    ///
    /// @param tau     the temperature that adapts
    /// @param targets over each set, `[S, P]`; there for [TargetEntropy]
    /// @param entropy of the policy's tokens over each set, as a share of the largest, `[S]`
    /// @param means   mean reward of each set, `[S]`
    /// @param least   the least of them in the whole step; `most` likewise
    default Tensor of(double tau, Optional<Tensor> targets, Tensor entropy, Tensor means, double least, double most) {
        return switch (this) {
            case Constant _ -> means.zerosLike().plus(tau);
            case TargetEntropy(double alpha, double lowest) ->
                AdpoTemperature.fromTargetEntropy(targets.orElseThrow(), tau, alpha, lowest);
            case PolicyEntropy(double alpha, double b, double lowest, double highest) ->
                AdpoTemperature.fromPolicyEntropy(
                        entropy, AdpoTemperature.onUnitScale(means, least, most), tau, alpha, b, lowest, highest);
        };
    }
}
