package dev.kedge.recipe.policy;

import dev.kedge.nn.lm.Decoder;

/// A way to learn from rewarded completions, as a recipe names it; at work, a [Learner]. Unless it says otherwise, a
/// truncated completion counts as [Truncated] says, and has what the verifier says of it where it is judged.
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

    /// How many times at most questions are asked anew for those whose completions all have the same reward; 0: never.
    default int resamplings() {
        return 0;
    }

    /// N, if its policies are made to be used through the best or the worst of N answers, by which they are
    /// then evaluated as well; 0: through single ones.
    default int selectedFrom() {
        return 0;
    }
}
