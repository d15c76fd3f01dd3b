package dev.kedge.env;

import java.util.List;

/// A judge of answers. It need not be transitive: A may beat B, B beat C, and C beat A.
public interface PreferenceOracle {
    /// Two answers to a prompt, as token ids without padding.
    record Duel(int[] prompt, int[] first, int[] second) {
        /// The same duel with the answers' places exchanged.
        public Duel swapped() {
            return new Duel(prompt, second, first);
        }
    }

    /// The probability that the first answer of each duel wins: in [0, 1], in the order of the duels. The places do
    /// not matter: the probability of a duel and of the swapped one add up to 1.
    double[] firstWins(List<Duel> duels);
}
