package dev.kedge.objective.unpaired;

import dev.kedge.objective.Loss;
import dev.kedge.tensor.Functional;
import dev.kedge.tensor.Require;
import dev.kedge.tensor.Tensor;

/// Kahneman-Tversky Optimization (Ethayarajh et al. 2024, arXiv:2402.01306): gains and losses against what the
/// policy gains on average.
public final class Kto {
    private Kto() {}

    /// `(1/answersInStep) Σ [λ_y - v]`, `v = λ_D σ(beta·(r - z_0))` where the answer is desirable and
    /// `λ_U σ(beta·(z_0 - r))` where it is not, `r = log π(y|x)/π_ref(y|x)`: Eq. (8).
    ///
    /// The paper asks for `λ_D n_D / (λ_U n_U)` between 1 and 4/3 at `n_D` desirable and `n_U` undesirable answers.
    ///
    /// @param baseline          `z_0` of the whole step, nats, >= 0, which [#baseline] makes; no gradient
    /// @param beta              aversion to risk, dimensionless, finite and > 0
    /// @param desirableWeight   `λ_D`, finite and >= 0
    /// @param undesirableWeight `λ_U`, finite and >= 0
    /// @param answersInStep     answers of both labels in the whole optimizer step, at least B
    /// @return the loss; metrics as in [UnpairedLogProbs#loss], with rewards `beta·r`
    /// @throws IllegalArgumentException if a number is out of range
    public static Loss kto(
            UnpairedLogProbs lp,
            double baseline,
            double beta,
            double desirableWeight,
            double undesirableWeight,
            long answersInStep) {
        Require.from("baseline", baseline, 0, Double.POSITIVE_INFINITY);
        Require.positive("beta", beta);
        Require.from("desirableWeight", desirableWeight, 0, Double.POSITIVE_INFINITY);
        Require.from("undesirableWeight", undesirableWeight, 0, Double.POSITIVE_INFINITY);
        Tensor rewards = lp.rewards(beta);
        Tensor gain = lp.signed(rewards.minus(beta * baseline));
        Tensor shortfall = Functional.sigmoid(gain.neg()); // 1 - σ(x) without the cancellation
        Tensor losses = shortfall.times(desirableWeight).whereElse(lp.desirable(), shortfall.times(undesirableWeight));
        return lp.loss(losses, rewards, answersInStep);
    }

    /// `z_0 = max(0, mean of log π(y'|x)/π_ref(y'|x))` over prompts with an answer to another prompt, an estimate
    /// of `KL(π ‖ π_ref)` that is biased and has little variance. Reads its numbers, so it waits for the device.
    ///
    /// The paper and TRL take the pairs of a micro-batch, so that the loss depends on how a step is split; here
    /// they are those of the whole step, under the policy that it starts from.
    ///
    /// @param mismatched `log π(y'|x)` of M >= 1 mismatched pairs, summed over tokens, nats, `[M]`; `refMismatched`
    ///                   likewise under the reference
    /// @throws IllegalArgumentException if shapes do not fit or there is no pair
    public static double baseline(Tensor mismatched, Tensor refMismatched) {
        Require.dims("mismatched", mismatched, 1, "[M]");
        Require.sameShape("refMismatched", refMismatched, "mismatched", mismatched);
        if (mismatched.numel() == 0) {
            throw new IllegalArgumentException("mismatched must hold a pair or more, was empty");
        }
        return Math.max(
                0, mismatched.detach().minus(refMismatched.detach()).mean().item());
    }
}
