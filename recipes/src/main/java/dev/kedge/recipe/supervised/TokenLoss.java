package dev.kedge.recipe.supervised;

import dev.kedge.objective.Loss;
import dev.kedge.objective.supervised.Asft;
import dev.kedge.objective.supervised.CrossEntropy;
import dev.kedge.objective.supervised.Dft;
import dev.kedge.tensor.Tensor;
import java.util.Optional;

/// How a model learns from the tokens of demonstrations.
public enum TokenLoss {
    SFT("SFT", false),
    DFT("DFT", false),
    SFT_KL("SFT+KL", true),
    ASFT("ASFT", true);

    private final String title;
    private final boolean anchored;

    TokenLoss(String title, boolean anchored) {
        this.title = title;
        this.anchored = anchored;
    }

    String title() {
        return title;
    }

    /// Whether it holds the model to a reference.
    boolean isAnchored() {
        return anchored;
    }

    /// @param logProbs     of a step's tokens, or of a part of them, nats, `[N]`; gradient flows
    /// @param kl           from the reference at the same positions, nats, `[N]`; empty where there is no anchor
    /// @param klWeight     of the anchor, where there is one
    /// @param tokensInStep of the whole optimizer step
    Loss loss(Tensor logProbs, Optional<Tensor> kl, double klWeight, long tokensInStep) {
        Tensor all = logProbs.detach().onesLike().gt(0);
        return switch (this) {
            case SFT -> CrossEntropy.crossEntropy(logProbs, all, tokensInStep);
            case DFT -> Dft.dft(logProbs, all, tokensInStep);
            case SFT_KL -> Asft.anchoredCrossEntropy(logProbs, kl.orElseThrow(), all, klWeight, tokensInStep);
            case ASFT -> Asft.asft(logProbs, kl.orElseThrow(), all, klWeight, tokensInStep);
        };
    }
}
