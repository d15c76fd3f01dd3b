package dev.kedge.objective.conformance;

import dev.kedge.objective.Loss;
import dev.kedge.objective.divergence.ForwardKl;
import dev.kedge.objective.divergence.ReverseKl;
import dev.kedge.objective.variational.Dpg;
import dev.kedge.objective.variational.EvidenceBound;
import dev.kedge.objective.variational.TargetEstimates;
import dev.kedge.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/// Cases of RL with KL penalties as inference (arXiv:2205.11275): distributional policy gradients, exact identities.
final class RlKlBayesCases {
    private RlKlBayesCases() {}

    static Optional<Map<String, Object>> outputs(Case c) {
        return c.hasParams("kind") ? outputs(c.text("kind"), c) : Optional.empty();
    }

    private static Optional<Map<String, Object>> outputs(String kind, Case c) {
        return switch (kind) {
            case "dpg" -> Optional.of(dpg(c));
            case "exact" -> Optional.of(exact(c));
            default -> Optional.empty();
        };
    }

    private static Map<String, Object> dpg(Case c) {
        Tensor logits = c.tensor("logits_pi").requiresGrad();
        Tensor logProbs = answers(c, logits);
        Tensor logPrior = answers(c, c.tensor("logits_a"));
        Tensor logProposal = answers(c, c.tensor("logits_q"));
        Tensor scores = c.tensor("scores");
        Tensor logTarget = logPrior.plus(c.flag("score_is_log") ? scores : scores.log());
        Tensor weights = Dpg.weights(logTarget, logProposal);
        Loss loss = Dpg.dpg(logProbs, weights, logProbs.size(0));
        loss.value().backward();
        TargetEstimates estimates = TargetEstimates.of(logTarget, logProposal, logProbs);
        Map<String, Object> outputs = new LinkedHashMap<>();
        outputs.put("loss", loss.value());
        outputs.put("grad_logits_pi", logits.grad());
        outputs.put("P_over_q", weights);
        outputs.put("log_q", logProposal);
        outputs.put("log_a", logPrior);
        outputs.put("Z", estimates.normaliser());
        outputs.put("Z_std", estimates.weightStd());
        outputs.put("kl_p_q", estimates.klProposal());
        outputs.put("kl_p_pi", estimates.klPolicy());
        outputs.put("tvd_p_q", estimates.tvdProposal());
        outputs.put("tvd_p_pi", estimates.tvdPolicy());
        return outputs;
    }

    /// Sums over the answers, which reach from `prompt_len` to the end.
    private static Tensor answers(Case c, Tensor logits) {
        long prompt = (long) c.number("prompt_len");
        long length = logits.size(1) - prompt;
        Tensor tokens = c.longs("tokens").narrow(1, prompt, length).unsqueeze(2);
        return logits.narrow(1, prompt - 1, length)
                .logSoftmax(2)
                .gather(2, tokens)
                .squeeze(2)
                .sum(1);
    }

    private static Map<String, Object> exact(Case c) {
        double beta = c.number("beta");
        Tensor logPrior = c.tensor("prior").log();
        Tensor reward = c.tensor("reward");
        Tensor logPolicy = c.tensor("policy").log();
        Tensor posterior = EvidenceBound.logPosterior(logPrior, reward, beta);
        Tensor logZ = EvidenceBound.logEvidence(logPrior, reward, beta);
        Tensor logits = logPolicy.copy().requiresGrad();
        Tensor objective = EvidenceBound.objective(logits.logSoftmax(0), logPrior, reward, beta);
        objective.backward();
        Tensor other = logPolicy.copy().requiresGrad();
        Tensor forward = new ForwardKl().categorical(other.logSoftmax(0), posterior);
        forward.backward();
        Map<String, Object> outputs = new LinkedHashMap<>();
        outputs.put("posterior", posterior.exp());
        outputs.put("logZ", logZ);
        outputs.put("J_klrl", objective);
        outputs.put("J_star", logZ.times(beta));
        outputs.put("reverse_kl_policy_posterior", new ReverseKl().categorical(logPolicy, posterior));
        outputs.put("forward_kl_posterior_policy", forward);
        outputs.put("grad_J_logits", logits.grad());
        outputs.put("grad_forward_kl_logits", other.grad());
        outputs.put("token_kl_reward", EvidenceBound.rewardWithPenalty(logPolicy, logPrior, reward, beta));
        return outputs;
    }
}
