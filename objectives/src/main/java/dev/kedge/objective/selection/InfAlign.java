package dev.kedge.objective.selection;

import dev.kedge.objective.Loss;
import dev.kedge.objective.variational.EvidenceBound;
import dev.kedge.tensor.Tensor;

/// Inference-aware alignment by calibration and transformation, InfAlign-CTRL (Balashankar et al. 2024,
/// arXiv:2412.19792): KL-regularised RL on `Φ(C)`, the transformed quantile of an answer's reward under the base model.
///
/// It is the base model that calibrates, throughout training, not the policy of the moment. The reward is that of a
/// whole answer, never of a token.
public final class InfAlign {
    private InfAlign() {}

    /// The rewards of sampled answers, `Φ(Ĉ)`: what any algorithm of KL-regularised RL is given. Constant, [..., m].
    ///
    /// @param baseRewards rewards of K answers of the base model to each prompt, [..., K]; 32 or more
    /// @param rewards     of the answers to train on, [..., m]
    /// @throws IllegalArgumentException if the prompts differ in number
    public static Tensor reward(Tensor baseRewards, Tensor rewards, QuantileTransform transform) {
        return transform.apply(Calibration.empirical(baseRewards, rewards));
    }

    /// `-(1/promptsInStep) Σ_x (E_π[Φ(C)] - beta·KL(π||π_ref))` over outcomes that can be enumerated.
    ///
    /// @param logPolicy     normalised log-probabilities, nats, `[B, n]`; gradient flows
    /// @param logRef        of the base model, `[B, n]`, a constant
    /// @param calibrated    `C` of each outcome, `[B, n]`, a constant
    /// @param beta          strength of the regulariser on the scale of the transform, finite and > 0
    /// @param promptsInStep prompts in the whole optimizer step, at least B
    /// @return the loss; metrics as in [EvidenceBound#loss]
    /// @throws IllegalArgumentException if an argument is out of range or shapes differ
    public static Loss ctrl(
            Tensor logPolicy,
            Tensor logRef,
            Tensor calibrated,
            QuantileTransform transform,
            double beta,
            long promptsInStep) {
        return EvidenceBound.loss(logPolicy, logRef, transform.apply(calibrated), beta, promptsInStep);
    }
}
