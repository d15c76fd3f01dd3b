package dev.kedge.env;

import java.util.List;

/// A judge of answers. It need not be transitive: A may beat B, B beat C, and C beat A.
public interface PreferenceOracle {
    /// Two answers to a prompt, as token ids without padding.
    record AnswerPair(int[] prompt, int[] first, int[] second) {
        /// The same pair with the answers' places exchanged.
        public AnswerPair swapped() {
            return new AnswerPair(prompt, second, first);
        }
    }

    /// The probability that the first answer of each pair wins: in [0, 1], in the order of the pairs. The places do
    /// not matter: the probability of a pair and of the swapped one add up to 1.
    double[] firstWins(List<AnswerPair> pairs);
}
