package dev.kedge.data.verify;

import dev.kedge.data.task.Problem;
import dev.kedge.data.task.Task;

/// The exact judge of a generated task, from 0 to 1 ([Task#reward]). The reference answer is not looked at.
///
/// @param task whose problems the prompts are
public record Program(Task task) implements Verification, Verifier {
    @Override
    public Verifier verifier() {
        return this;
    }

    @Override
    public double reward(Question question, String completion) {
        return task.reward(new Problem(question.prompt()), completion);
    }
}
