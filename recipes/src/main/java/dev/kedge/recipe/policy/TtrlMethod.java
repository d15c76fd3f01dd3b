package dev.kedge.recipe.policy;

import dev.kedge.config.Kind;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.objective.policy.Grpo;
import dev.kedge.objective.policy.Ttrl;
import dev.kedge.tensor.Tensor;
import java.util.List;
import java.util.Optional;

/// [Ttrl]: GRPO on the votes of a question's own completions; what the verifier rewards is not looked at, only the
/// answers that it reads off. A truncated completion votes where an answer can be read off it.
///
/// @param clip dimensionless, in (0, 1), customarily 0.2
@Kind("ttrl")
public record TtrlMethod(double clip) implements PolicyMethod {
    public TtrlMethod {
        Range.requireShare("clip", clip);
    }

    @Override
    public String title() {
        return "TTRL";
    }

    @Override
    public Learner learner(Decoder start) {
        return batch -> {
            Tensor advantages = Grpo.advantages(votes(batch.rollouts()));
            return microBatch ->
                    Grpo.withoutReference(microBatch.rollout(), microBatch.of(advantages), clip, batch.completions());
        };
    }

    /// 1 for a completion whose answer is the one most often given to its question, else 0: `[P, G]` float64.
    static Tensor votes(Rollouts rollouts) {
        double[] rewards = new double[rollouts.completions().size()];
        for (int q = 0; q < rollouts.questions().size(); q++) {
            int first = q * rollouts.group();
            List<Optional<String>> answers = rollouts.scores().subList(first, first + rollouts.group()).stream()
                    .map(Score::answer)
                    .toList();
            System.arraycopy(Ttrl.vote(answers).rewards(), 0, rewards, first, rollouts.group());
        }
        return Tensor.of(rewards, rollouts.questions().size(), rollouts.group());
    }
}
