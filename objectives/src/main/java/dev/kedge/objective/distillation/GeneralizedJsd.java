package dev.kedge.objective.distillation;

import dev.kedge.objective.Loss;
import dev.kedge.objective.divergence.ForwardKl;
import dev.kedge.objective.divergence.ReverseKl;
import dev.kedge.tensor.Elementwise;
import dev.kedge.tensor.Require;
import dev.kedge.tensor.Tensor;

/// Generalized Knowledge Distillation (Agarwal et al. 2023, arXiv:2306.13649): a student is held to its teacher's
/// next-token distributions, on the student's own completions or on given ones.
public final class GeneralizedJsd {
    private GeneralizedJsd() {}

    /// `JSD_β = β·KL(teacher ‖ m) + (1 - β)·KL(student ‖ m)`, `m = β·teacher + (1 - β)·student`: Eq. (1).
    ///
    /// At both ends JSD is 0 whatever the two are, so there the limits of what it is per weight stand, as in TRL:
    /// `KL(teacher ‖ student)` at β = 0, the limit of `JSD_β/β`, and `KL(student ‖ teacher)` at β = 1, that of
    /// `JSD_β/(1 - β)`. Near an end the loss is therefore much smaller than at it. At β = 1/2 it is half of
    /// [dev.kedge.objective.divergence.JensenShannon].
    ///
    /// @param student log-probabilities over the vocabulary, nats, finite, [..., V]; gradient flows
    /// @param teacher likewise, of the same shape, a constant whatever graph it carries
    /// @param beta    in [0, 1]
    /// @return nats, [...]; for large vocabularies take it a few positions at a time, through
    ///         [dev.kedge.objective.logprob.HeadDivergence]
    /// @throws IllegalArgumentException if the shapes differ or beta is out of range
    public static Tensor divergence(Tensor student, Tensor teacher, double beta) {
        Require.from("beta", beta, 0, Math.nextUp(1.0));
        Require.sameShape("teacher", teacher, "student", student);
        Tensor constant = teacher.detach();
        if (beta == 0) {
            return new ForwardKl().categorical(student, constant);
        }
        if (beta == 1) {
            return new ReverseKl().categorical(student, constant);
        }
        Tensor logRatio = student.minus(constant);
        Tensor ofTeacher = constant.exp().times(toMixture(logRatio, 1 - beta)).times(beta);
        Tensor ofStudent = student.exp().times(toMixture(logRatio.neg(), beta)).times(1 - beta);
        return ofTeacher.plus(ofStudent).sum(-1);
    }

    /// `log p/((1 - w)·p + w·q)` from `log q/p`: a difference of two log-probabilities would lose a small
    /// divergence to rounding. Beyond 80 nats exp overflows in float32, and p, which this multiplies, is below
    /// 1e-34.
    private static Tensor toMixture(Tensor logRatio, double w) {
        return Elementwise.log1p(
                        Elementwise.expm1(Elementwise.clampMax(logRatio, 80)).times(w))
                .neg();
    }

    /// `(1/tokensInStep) Σ JSD` over the positions where `mask` is true.
    ///
    /// The logits of both are divided by the temperature before this; as in TRL, the loss is not multiplied by its
    /// square. TRL's denominator is the tokens of a micro-batch.
    ///
    /// @param divergences  [#divergence] at each token, nats, `[B, T]`, or packed `[N]`; gradient flows
    /// @param mask         boolean, of the same shape: true at completion tokens
    /// @param tokensInStep completion tokens of the whole optimizer step, >= 1
    /// @return the loss; metrics `divergence` (nats, summed) and `tokens` (count), one entry per sequence `[B]`, or
    ///         per token `[N]` of packed ones
    /// @throws IllegalArgumentException if shapes or types do not fit, or tokensInStep < 1
    public static Loss generalizedJsd(Tensor divergences, Tensor mask, long tokensInStep) {
        if (divergences.dim() != 1) {
            Require.dims("divergences", divergences, 2, "[B, T] or [N]");
        }
        Require.mask("mask", mask, "divergences", divergences);
        Require.denominator("tokensInStep", tokensInStep, 1);
        Tensor counted = divergences.whereElse(mask, 0);
        Tensor tokens = mask.to(divergences.dtype());
        return Loss.of(counted.sum().div(tokensInStep))
                .with("divergence", counted.dim() == 1 ? counted : counted.sum(1))
                .with("tokens", counted.dim() == 1 ? tokens : tokens.sum(1));
    }
}
