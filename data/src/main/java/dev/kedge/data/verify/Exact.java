package dev.kedge.data.verify;

import dev.kedge.config.Kind;

/// 1 if the completion is the reference answer, white space at both ends apart, else 0.
@Kind("exact")
public record Exact() implements Verification, Verifier {
    @Override
    public Verifier verifier() {
        return this;
    }

    @Override
    public double reward(VerifierQuestion question, String completion) {
        return completion.strip().equals(question.answer().strip()) ? 1 : 0;
    }
}
