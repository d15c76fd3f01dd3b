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
        return step -> {
            Tensor advantages = Grpo.advantages(votes(step.draw()));
            return part -> Grpo.withoutReference(part.rollout(), part.of(advantages), clip, step.completions());
        };
    }

    /// 1 for a completion whose answer is the one most often given to its question, else 0: [P, G] float64.
    static Tensor votes(Rollouts draw) {
        double[] rewards = new double[draw.completions().size()];
        for (int q = 0; q < draw.questions().size(); q++) {
            int first = q * draw.group();
            List<Optional<String>> answers = draw.scores().subList(first, first + draw.group()).stream()
                    .map(Score::answer)
                    .toList();
            System.arraycopy(Ttrl.vote(answers).rewards(), 0, rewards, first, draw.group());
        }
        return Tensor.of(rewards, draw.questions().size(), draw.group());
    }
}
