package dev.kedge.objective.conformance;

import dev.kedge.objective.Loss;
import dev.kedge.objective.policy.LpReg;
import dev.kedge.objective.policy.Rollout;
import dev.kedge.tensor.Tensor;
import java.util.Map;
import java.util.Optional;

/// Cases of Lp-Reg (arXiv:2510.03222).
final class LpRegCases {
    private static final double FILTERED = -1e4; // what the code's logits are where the proxy has nothing

    private LpRegCases() {}

    static Optional<Map<String, Object>> outputs(Case c) {
        return c.hasInputs("old_logits", "token_ids", "logp", "old_logp", "mask", "advantages")
                ? Optional.of(oneLoss(c))
                : Optional.empty();
    }

    private static Map<String, Object> oneLoss(Case c) {
        String aggregation = c.params().path("loss_agg").asText("token-mean");
        if (!aggregation.equals("token-mean")) {
            throw new IllegalArgumentException("no aggregation " + aggregation);
        }
        Tensor logProbs = c.tensor("logp").requiresGrad();
        Tensor mask = c.mask("mask");
        Tensor advantages = c.tensor("advantages");
        var rollout = new Rollout(logProbs, c.tensor("old_logp"), mask);
        Tensor tokens = c.longs("token_ids");
        double kappa = c.number("kappa");
        Tensor proxyLogProbs = LpReg.proxyLogProbs(c.tensor("old_logits"), tokens, mask, kappa);
        double threshold = LpReg.threshold(logProbs, mask.and(advantages.lt(0).unsqueeze(1)), c.number("rho"));
        double cap = c.params().hasNonNull("k3_clamp")
                ? Case.toDouble(c.params().get("k3_clamp").get(1))
                : Double.POSITIVE_INFINITY;
        Loss loss = LpReg.lpReg(
                rollout,
                advantages,
                new LpReg.Pull(proxyLogProbs, threshold, c.number("beta"), cap),
                c.number("clip_low"),
                c.number("clip_high"),
                GrpoFamilyCases.tokens(mask));
        loss.value().backward();
        return Map.of(
                "proxy_logp", finiteProxy(c.tensor("old_logits"), tokens, kappa),
                "loss", loss.value(),
                "grad_logp", logProbs.grad(),
                "clip_fraction", GrpoFamilyCases.tokenMean(loss, "clip/share"));
    }

    /// As the code has it: at every position, and finite where a token is filtered.
    private static Tensor finiteProxy(Tensor logits, Tensor tokens, double kappa) {
        Tensor kept = LpReg.proxy(logits, kappa).isFinite();
        return logits.whereElse(kept, FILTERED)
                .logSoftmax(2)
                .gather(2, tokens.unsqueeze(2))
                .squeeze(2);
    }
}
