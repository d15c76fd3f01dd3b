package dev.kedge.objective.conformance;

import dev.kedge.objective.Loss;
import dev.kedge.objective.divergence.Divergence;
import dev.kedge.objective.divergence.ForwardKl;
import dev.kedge.objective.divergence.ReverseKl;
import dev.kedge.objective.logprob.NextTokens;
import dev.kedge.objective.supervised.Asft;
import dev.kedge.objective.supervised.CrossEntropy;
import dev.kedge.objective.supervised.Dft;
import dev.kedge.tensor.Tensor;
import java.util.Map;
import java.util.Optional;

/// Cases of ASFT (arXiv:2509.23753) and its baselines, from logits over a small vocabulary.
final class AsftCases {
    private AsftCases() {}

    static Optional<Map<String, Object>> outputs(Case c) {
        if (!c.hasInputs("logits", "ref_logits", "labels") || !c.hasParams("mode")) {
            return Optional.empty();
        }
        Tensor logits = c.tensor("logits").requiresGrad();
        Loss loss = loss(c, logits);
        loss.value().backward();
        return Optional.of(Map.of("loss", loss.value(), "grad_logits", logits.grad()));
    }

    private static Loss loss(Case c, Tensor logits) {
        long ignoreLabel = (long) c.number("ignore_index", -100);
        NextTokens policy = NextTokens.ofLogits(logits, c.longs("labels"), ignoreLabel);
        NextTokens ref = NextTokens.ofLogits(c.tensor("ref_logits"), c.longs("labels"), ignoreLabel);
        Tensor logProbs = policy.ofTargets();
        Tensor mask = policy.mask();
        Tensor kl = direction(c).categorical(policy.logProbs(), ref.logProbs());
        long tokens = Math.max(1, (long) mask.sum().item());
        return switch (c.text("mode")) {
            case "sft" -> CrossEntropy.crossEntropy(logProbs, mask, tokens);
            case "dft" -> Dft.dft(logProbs, mask, tokens);
            case "sft+kl" -> Asft.anchoredCrossEntropy(logProbs, kl, mask, c.number("kl_weight"), tokens);
            case "asft" -> Asft.asft(logProbs, kl, mask, c.number("kl_weight"), tokens);
            case String other -> throw new IllegalArgumentException("no mode " + other);
        };
    }

    private static Divergence direction(Case c) {
        String direction = c.params().path("kl_direction").asText("forward");
        if (direction.startsWith("forward")) {
            return new ForwardKl();
        }
        if (direction.startsWith("reverse")) {
            return new ReverseKl();
        }
        throw new IllegalArgumentException("no direction of the KL " + direction);
    }
}
