package dev.kedge.sequence;

import dev.kedge.config.Kind;
import dev.kedge.objective.Loss;
import dev.kedge.objective.divergence.AlphaDivergence;
import dev.kedge.objective.divergence.BarrierDivergence;
import dev.kedge.objective.divergence.ForwardKl;
import dev.kedge.objective.divergence.JensenShannon;
import dev.kedge.objective.divergence.ReverseKl;
import dev.kedge.objective.preference.Dpo;
import dev.kedge.objective.preference.FDpo;
import dev.kedge.objective.preference.Ipo;
import dev.kedge.objective.preference.PreferenceLogProbs;
import dev.kedge.objective.preference.Slic;
import dev.kedge.tensor.Require;
import dev.kedge.tensor.Tensor;
import java.util.Locale;
import java.util.Optional;

/// Which loss falls on a batch of pairs, as a recipe names it: one of the functions of `objective.preference`.
///
/// Every `beta` is the strength of the regulariser, finite and > 0; it does not mean the same in two of them.
public sealed interface PreferenceLoss {
    double beta();

    /// Whether the loss compares the policy with a reference: where it does not, none is held or scored.
    default boolean needsReference() {
        return true;
    }

    /// DPO, arXiv:2305.18290.
    @Kind("sigmoid")
    public record Sigmoid(double beta) implements PreferenceLoss {
        public Sigmoid {
            Require.positive("beta", beta);
        }
    }

    /// Conservative DPO: labels smoothed by the probability that they are wrong.
    @Kind("conservative")
    public record Conservative(double beta, double flipProbability) implements PreferenceLoss {
        public Conservative {
            Require.positive("beta", beta);
            Require.from("flip_probability", flipProbability, 0, 0.5);
        }
    }

    /// Robust DPO, arXiv:2403.00409.
    @Kind("robust")
    public record Robust(double beta, double flipProbability) implements PreferenceLoss {
        public Robust {
            Require.positive("beta", beta);
            Require.from("flip_probability", flipProbability, 0, 0.5);
        }
    }

    /// IPO, arXiv:2310.12036.
    @Kind("ipo")
    public record Ipo(double beta) implements PreferenceLoss {
        public Ipo {
            Require.positive("beta", beta);
        }
    }

    /// The hinge loss of SLiC, arXiv:2305.10425, on DPO's margin.
    @Kind("hinge")
    public record Hinge(double beta) implements PreferenceLoss {
        public Hinge {
            Require.positive("beta", beta);
        }
    }

    /// DPO without a reference.
    @Kind("reference_free")
    public record ReferenceFree(double beta) implements PreferenceLoss {
        public ReferenceFree {
            Require.positive("beta", beta);
        }

        @Override
        public boolean needsReference() {
            return false;
        }
    }

    /// DPO on log-ratios per token.
    @Kind("length_normalized")
    public record LengthNormalized(double beta) implements PreferenceLoss {
        public LengthNormalized {
            Require.positive("beta", beta);
        }
    }

    /// CPO, arXiv:2401.08417: DPO without a reference, and the chosen reply's mean log-prob beside it.
    ///
    /// @param alpha weight of that likelihood, finite and >= 0
    @Kind("cpo")
    public record Cpo(double beta, double alpha) implements PreferenceLoss {
        public Cpo {
            Require.positive("beta", beta);
            Require.from("alpha", alpha, 0, Double.POSITIVE_INFINITY);
        }

        @Override
        public boolean needsReference() {
            return false;
        }
    }

    /// ORPO, arXiv:2403.07691: fine-tuning and an odds ratio, whose weight `beta` is the paper's lambda.
    @Kind("orpo")
    public record Orpo(double beta) implements PreferenceLoss {
        public Orpo {
            Require.positive("beta", beta);
        }

        @Override
        public boolean needsReference() {
            return false;
        }
    }

    /// SimPO, arXiv:2405.14734: rewards are mean log-probs of a token, `beta` their scale.
    ///
    /// @param gamma margin wanted between the rewards, finite and >= 0
    @Kind("simpo")
    public record SimPo(double beta, double gamma) implements PreferenceLoss {
        public SimPo {
            Require.positive("beta", beta);
            Require.from("gamma", gamma, 0, Double.POSITIVE_INFINITY);
        }

        @Override
        public boolean needsReference() {
            return false;
        }
    }

    /// f-DPO, arXiv:2309.16240.
    ///
    /// @param alpha       of the alpha-divergence, in (0, 1); only there
    /// @param maxExponent holds exponents at or below it; absent: exact
    @Kind("f_dpo")
    public record FDpo(double beta, DivergenceName divergence, Optional<Double> alpha, Optional<Double> maxExponent)
            implements PreferenceLoss {
        public FDpo {
            Require.positive("beta", beta);
            maxExponent.ifPresent(most -> Require.positive("max_exponent", most));
            if ((divergence == DivergenceName.ALPHA) != alpha.isPresent()) {
                throw new IllegalArgumentException(
                        "alpha belongs to the alpha divergence and to no other; divergence is "
                                + divergence.name().toLowerCase(Locale.ROOT));
            }
            alpha.ifPresent(AlphaDivergence::new);
        }
    }

    /// The divergences of f-DPO: those whose f' tends to -∞ at 0, see [BarrierDivergence]. That of chi-squared does
    /// not, and that of total variation has no inverse.
    public enum DivergenceName {
        REVERSE_KL,
        FORWARD_KL,
        JENSEN_SHANNON,
        ALPHA
    }

    /// The loss of a part of a step.
    ///
    /// @param tokens      lengths of the chosen and of the rejected replies, `[B]` each
    /// @param pairsInStep pairs in the whole optimiser step
    default Loss loss(PreferenceLogProbs lp, Tensor[] tokens, long pairsInStep) {
        return switch (this) {
            case Sigmoid(double beta) -> Dpo.dpo(lp, beta, pairsInStep);
            case Conservative(double beta, double flip) -> Dpo.conservative(lp, beta, flip, pairsInStep);
            case Robust(double beta, double flip) -> Dpo.robust(lp, beta, flip, pairsInStep);
            case Ipo(double beta) -> dev.kedge.objective.preference.Ipo.ipo(lp, beta, pairsInStep);
            case Hinge(double beta) -> Slic.hinge(lp, beta, pairsInStep);
            case ReferenceFree(double beta) -> Dpo.referenceFree(lp.chosen(), lp.rejected(), beta, pairsInStep);
            case LengthNormalized(double beta) -> Dpo.lengthNormalized(lp, tokens[0], tokens[1], beta, pairsInStep);
            case Cpo(double beta, double alpha) ->
                dev.kedge.objective.preference.Cpo.cpo(lp.chosen(), lp.rejected(), tokens[0], beta, alpha, pairsInStep);
            case Orpo(double beta) ->
                dev.kedge.objective.preference.Orpo.orpo(
                        lp.chosen(), lp.rejected(), tokens[0], tokens[1], beta, pairsInStep);
            case SimPo(double beta, double gamma) ->
                dev.kedge.objective.preference.SimPo.simPo(
                        lp.chosen(), lp.rejected(), tokens[0], tokens[1], beta, gamma, pairsInStep);
            case FDpo f ->
                f.maxExponent().isPresent()
                        ? dev.kedge.objective.preference.FDpo.clamped(
                                lp, divergence(f), f.beta(), f.maxExponent().get(), pairsInStep)
                        : dev.kedge.objective.preference.FDpo.fDpo(lp, divergence(f), f.beta(), pairsInStep);
        };
    }

    private static BarrierDivergence divergence(FDpo f) {
        return switch (f.divergence()) {
            case REVERSE_KL -> new ReverseKl();
            case FORWARD_KL -> new ForwardKl();
            case JENSEN_SHANNON -> new JensenShannon();
            case ALPHA -> new AlphaDivergence(f.alpha().orElseThrow());
        };
    }

    /// For a report's headline.
    default String title() {
        return switch (this) {
            case Sigmoid _ -> "DPO";
            case Conservative _ -> "Conservative DPO";
            case Robust _ -> "Robust DPO";
            case Ipo _ -> "IPO";
            case Hinge _ -> "SLiC";
            case ReferenceFree _ -> "Reference-free DPO";
            case LengthNormalized _ -> "Length-normalised DPO";
            case Cpo _ -> "CPO";
            case Orpo _ -> "ORPO";
            case SimPo _ -> "SimPO";
            case FDpo f ->
                "f-DPO (" + f.divergence().name().toLowerCase(Locale.ROOT).replace('_', ' ') + ")";
        };
    }
}
