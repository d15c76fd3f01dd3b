package dev.kedge.data.verify;

/// Rewards one completion: a function without state, which may be called from several threads at once.
///
/// A class of one's own implements this and is named in a recipe by [Custom]. Nothing it does can stop a step: see
/// [VerifierBatch].
@FunctionalInterface
public interface Verifier {
    /// How good a completion is.
    ///
    /// @param completion any text, however long, also with unpaired surrogates
    /// @return a finite number, from 0 to 1 unless the verifier says otherwise
    /// @throws Exception if it cannot be verified; the completion then gets no reward
    double reward(VerifierQuestion question, String completion) throws Exception;
}
