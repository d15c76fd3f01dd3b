package dev.kedge.data.verify;

import dev.kedge.config.Kind;
import dev.kedge.data.task.GeneratedTask;
import dev.kedge.data.task.Problem;

/// The exact verifier of a generated task, from 0 to 1 ([GeneratedTask#reward]). The reference answer is not looked at.
///
/// @param task whose problems the prompts are
@Kind("program")
public record Program(GeneratedTask task) implements Verification, Verifier {
    @Override
    public Verifier verifier() {
        return this;
    }

    @Override
    public double reward(VerifierQuestion question, String completion) {
        return task.reward(new Problem(question.prompt()), completion);
    }
}
