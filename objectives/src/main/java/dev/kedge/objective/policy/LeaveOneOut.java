package dev.kedge.objective.policy;

import dev.kedge.tensor.Require;
import dev.kedge.tensor.Tensor;

/// The leave-one-out baseline: each answer is measured against the others of its prompt (Kool et al. 2019, "Buy 4
/// REINFORCE samples, get a baseline for free!"; RLOO, arXiv:2402.14740).
public final class LeaveOneOut {
    private LeaveOneOut() {}

    /// `A_j = v_j - (1/(G-1)) Σ_{i≠j} v_i`, within each row; a row's advantages add up to 0.
    ///
    /// What is subtracted does not depend on answer j, so a policy gradient weighted with A has the expectation of
    /// one weighted with v, provided that the answers of a prompt are independent draws. Its variance is smaller
    /// where the mean of v exceeds, about, its standard deviation over `√(G-1)`, and larger where the mean is
    /// nearly 0.
    ///
    /// @param values a number per answer such as its reward, `[P, G]` with G >= 2; gradient flows
    /// @return `[P, G]`; exactly 0 in a row of equal values
    /// @throws IllegalArgumentException if values is no matrix or has a single column
    public static Tensor advantages(Tensor values) {
        Require.dims("values", values, 2, "[P, G]");
        long group = values.size(1);
        if (group < 2) {
            throw new IllegalArgumentException("leave-one-out needs 2 or more answers a prompt, was " + group);
        }
        // A common shift changes no advantage; this one makes equal values exactly 0, whatever the rounding of a mean.
        Tensor relative = values.minus(values.narrow(1, 0, 1));
        return relative.minus(relative.mean(1, true)).times(group / (group - 1.0));
    }
}
