package dev.kedge.recipe.policy;

import dev.kedge.nn.lm.Decoder;
import dev.kedge.objective.Loss;

/// A way to learn from judged completions, as a recipe names it; at work, a [Learner].
public sealed interface PolicyMethod
        permits AnswerDivergenceMethod,
                CloningMethod,
                DapoMethod,
                DrGrpoMethod,
                DrpoMethod,
                GrpoMethod,
                GspoMethod,
                GtpoMethod,
                InfalignMethod,
                LengthPenaltyMethod,
                OrealMethod,
                LpRegMethod,
                PolicyGradientMethod,
                PpoClipMethod,
                ReinforceMethod,
                RlooMethod,
                ToprMethod,
                SpineMethod,
                TtrlMethod {
    /// What to call it, such as `GRPO`.
    String title();

    /// The method at work on a policy.
    ///
    /// @param start the policy that it starts from, frozen
    Learner learner(Decoder start);

    /// How many times at most questions are drawn anew for those whose completions all have the same reward; 0: never.
    default int resamplings() {
        return 0;
    }

    /// N, if its policies are made to be used through the best or the worst of N answers, by which they are then judged
    /// as well; 0: through single ones.
    default int selectedFrom() {
        return 0;
    }

    /// What a method decides about a whole step, before its parts are looked at: the loss of each part. The losses of
    /// all parts add up to the step's.
    @FunctionalInterface
    interface PartLoss {
        Loss of(MicroBatch part);
    }
}
