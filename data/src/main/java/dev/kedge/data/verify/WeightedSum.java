package dev.kedge.data.verify;

import dev.kedge.config.Kind;
import java.util.List;

/// The weighted sum of verifiers, each reported by its name in [VerifierResult#parts]. A completion that one part could
/// not judge gets no reward.
///
/// @param parts at least one, with different names
@Kind("weighted_sum")
public record WeightedSum(List<Part> parts) implements Verification {
    /// @param name     under which it is reported
    /// @param weight   finite
    /// @param verifier what it rewards
    public record Part(String name, double weight, Verification verifier) {
        public Part {
            if (name.isBlank() || !Double.isFinite(weight)) {
                throw new IllegalArgumentException(
                        "a part needs a name and a finite weight, were \"" + name + "\" and " + weight);
            }
        }
    }

    public WeightedSum {
        parts = List.copyOf(parts);
        if (parts.isEmpty() || parts.stream().map(Part::name).distinct().count() < parts.size()) {
            throw new IllegalArgumentException("parts must be at least one, with different names, were "
                    + parts.stream().map(Part::name).toList());
        }
    }

    @Override
    public Verifier verifier() {
        return new Weighted(parts.stream()
                .map(part -> new Summand(part.name, part.weight, part.verifier.verifier()))
                .toList());
    }

    record Summand(String name, double weight, Verifier verifier) {}

    /// The sum at work; [VerifierBatch] judges part by part.
    record Weighted(List<Summand> summands) implements Verifier {
        @Override
        public double reward(VerifierQuestion question, String completion) throws Exception {
            double sum = 0;
            for (Summand part : summands) {
                sum += part.weight * part.verifier.reward(question, completion);
            }
            return sum;
        }
    }
}
