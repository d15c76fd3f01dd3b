package dev.kedge.objective.conformance;

import dev.kedge.objective.Loss;
import dev.kedge.objective.policy.Entropy;
import dev.kedge.objective.policy.ReferenceKl;
import dev.kedge.objective.policy.Rollout;
import dev.kedge.objective.policy.Spine;
import dev.kedge.objective.policy.Ttrl;
import dev.kedge.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/// Cases of SPINE (arXiv:2511.17938): the completions to one prompt.
final class SpineCases {
    private SpineCases() {}

    static Optional<Map<String, Object>> outputs(Case c) {
        return c.hasInputs("logits", "ref_logits", "old_logp", "token_ids", "mask", "answers")
                ? Optional.of(onePrompt(c))
                : Optional.empty();
    }

    private static Map<String, Object> onePrompt(Case c) {
        Tensor logits = c.tensor("logits").requiresGrad();
        Tensor mask = c.mask("mask");
        var rollout = Rollout.ofLogits(logits, c.longs("token_ids"), c.tensor("old_logp"), mask);
        var vote = Ttrl.vote(c.texts("answers").stream().map(Optional::of).toList());
        Tensor advantages = Spine.advantages(Tensor.of(vote.rewards(), 1, vote.rewards().length));
        Tensor entropies = Entropy.ofLogits(logits, mask);
        Spine.Forking forking = forking(c, entropies, mask);
        long tokens = GrpoFamilyCases.tokens(mask);
        Loss policy = Spine.policy(rollout, advantages, forking, c.number("eps"), tokens);
        Loss band = Spine.band(entropies, forking, c.number("beta_low"), c.number("beta_high"), tokens);
        Tensor kl = ReferenceKl.exact(logits, c.tensor("ref_logits"), mask);
        Loss anchor = Spine.anchor(kl, forking, c.number("lambda_kl"), GrpoFamilyCases.tokens(forking.selected()));
        Tensor loss = policy.value().plus(band.value()).plus(anchor.value());
        loss.backward();
        Map<String, Object> outputs = new LinkedHashMap<>();
        outputs.put("majority_answer", vote.majority().orElseThrow());
        outputs.put("rewards", vote.rewards());
        outputs.put("advantages", advantages);
        outputs.put("entropy", entropies);
        outputs.put("selected", forking.selected());
        outputs.put("band_low", forking.low());
        outputs.put("band_high", forking.high());
        outputs.put("policy_loss", policy.value());
        outputs.put("band_loss", band.value());
        outputs.put("kl_loss", anchor.value());
        outputs.put("loss", loss);
        outputs.put("grad_logits", logits.grad());
        return outputs;
    }

    private static Spine.Forking forking(Case c, Tensor entropies, Tensor mask) {
        return switch (c.text("version")) {
            case "v1" -> Spine.topShare(entropies, mask, c.number("rho"), c.number("q_low"), c.number("q_high"));
            case "v2" -> Spine.otsu(entropies, mask, (long) c.number("bins"));
            case String other -> throw new IllegalArgumentException("no version " + other);
        };
    }
}
