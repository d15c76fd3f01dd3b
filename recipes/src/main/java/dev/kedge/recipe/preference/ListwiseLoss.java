package dev.kedge.recipe.preference;

import dev.kedge.config.Kind;
import dev.kedge.objective.Loss;
import dev.kedge.objective.preference.Adpo;
import dev.kedge.objective.preference.AdpoTargets;
import dev.kedge.objective.preference.AnchoredLogits;
import dev.kedge.tensor.Require;
import dev.kedge.tensor.Tensor;
import java.util.Optional;

/// Which loss of ADPO falls on sets of answers that have rewards, as a recipe names it.
///
/// A `rewardTemperature` is finite and > 0. The smaller, the harder the targets.
public sealed interface ListwiseLoss {
    /// The softmax of a set's rewards, brought to mean 0 and deviation 1.
    @Kind("listwise")
    record Listwise(double rewardTemperature) implements ListwiseLoss {
        public Listwise {
            Require.positive("reward_temperature", rewardTemperature);
        }
    }

    /// The softmax of the rewards as they are. Against a fixed anchor its optimum is that of the reward less
    /// `rewardTemperature/tau` times the KL from the anchor.
    @Kind("listwise_raw")
    record ListwiseRaw(double rewardTemperature) implements ListwiseLoss {
        public ListwiseRaw {
            Require.positive("reward_temperature", rewardTemperature);
        }
    }

    /// Every pair of a set, preferred as Bradley and Terry have it. Its optimum is that of [ListwiseRaw].
    @Kind("pairwise_soft")
    record PairwiseSoft(double rewardTemperature) implements ListwiseLoss {
        public PairwiseSoft {
            Require.positive("reward_temperature", rewardTemperature);
        }
    }

    /// Every pair of a set, the higher reward preferred for certain; equal ones are a draw.
    @Kind("pairwise_hard")
    record PairwiseHard() implements ListwiseLoss {}

    /// The whole ranking of a set. Answers with equal rewards are ranked as they were drawn.
    @Kind("plackett_luce")
    record PlackettLuce() implements ListwiseLoss {}

    /// The loss of a part of a step.
    ///
    /// @param rewards    `[S, P]`
    /// @param setsInStep sets in the whole optimiser step
    default Loss loss(AnchoredLogits u, Tensor rewards, long setsInStep) {
        return switch (this) {
            case Listwise _, ListwiseRaw _ -> Adpo.listwise(u, targets(rewards).orElseThrow(), setsInStep);
            case PairwiseSoft(double t) -> Adpo.pairwise(u, AdpoTargets.softPreferences(rewards, t), setsInStep);
            case PairwiseHard _ -> Adpo.pairwise(u, AdpoTargets.hardPreferences(rewards), setsInStep);
            case PlackettLuce _ -> Adpo.plackettLuce(u, rewards, setsInStep);
        };
    }

    /// The target over each set, `[S, P]`, of the forms that have one.
    default Optional<Tensor> targets(Tensor rewards) {
        return switch (this) {
            case Listwise(double t) -> Optional.of(AdpoTargets.groupRelative(rewards, t));
            case ListwiseRaw(double t) -> Optional.of(AdpoTargets.softmax(rewards, t));
            case PairwiseSoft _, PairwiseHard _, PlackettLuce _ -> Optional.empty();
        };
    }

    /// Whether there is a target over each set.
    default boolean hasTargets() {
        return this instanceof Listwise || this instanceof ListwiseRaw;
    }

    /// For a report's headline.
    default String title() {
        return switch (this) {
            case Listwise _ -> "ADPO, listwise";
            case ListwiseRaw _ -> "ADPO, listwise on raw rewards";
            case PairwiseSoft _ -> "ADPO, soft pairs";
            case PairwiseHard _ -> "ADPO, hard pairs";
            case PlackettLuce _ -> "ADPO, Plackett-Luce";
        };
    }
}
