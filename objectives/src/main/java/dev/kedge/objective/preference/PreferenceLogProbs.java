package dev.kedge.objective.preference;

import dev.kedge.tensor.Elementwise;
import dev.kedge.tensor.Require;
import dev.kedge.tensor.Tensor;

/// Log-probabilities of answer pairs, each summed over the answer's tokens: nats, shape `[B]`.
///
/// @param chosen      `log π(y_w|x)` under the policy; gradient flows
/// @param rejected    `log π(y_l|x)` under the policy; gradient flows
/// @param refChosen   `log π_ref(y_w|x)`, a constant whatever graph it carries
/// @param refRejected `log π_ref(y_l|x)`, likewise
public record PreferenceLogProbs(Tensor chosen, Tensor rejected, Tensor refChosen, Tensor refRejected) {
    /// @throws IllegalArgumentException if the four are not vectors of one length
    public PreferenceLogProbs {
        Require.dims("chosen", chosen, 1, "[B]");
        Require.sameShape("rejected", rejected, "chosen", chosen);
        Require.sameShape("refChosen", refChosen, "chosen", chosen);
        Require.sameShape("refRejected", refRejected, "chosen", chosen);
    }

    /// The same pairs with a reference that finds all answers equally probable: log-ratios become
    /// log-probabilities.
    public static PreferenceLogProbs referenceFree(Tensor chosen, Tensor rejected) {
        return new PreferenceLogProbs(chosen, rejected, chosen.zerosLike(), rejected.zerosLike());
    }

    /// Pairs of a first and a second answer, one of which a judge chose: how online methods come by pairs.
    ///
    /// @param first         `log π` of the first answer, nats, `[B]`; gradient flows. `second` likewise, and
    ///                      under the reference `refFirst` and `refSecond`
    /// @param firstIsChosen boolean `[B]`: true where the first is the chosen one, false where the second is
    /// @throws IllegalArgumentException if shapes or types do not fit
    public static PreferenceLogProbs judged(
            Tensor first, Tensor second, Tensor refFirst, Tensor refSecond, Tensor firstIsChosen) {
        Require.dims("first", first, 1, "[B]");
        Require.sameShape("second", second, "first", first);
        Require.sameShape("refFirst", refFirst, "first", first);
        Require.sameShape("refSecond", refSecond, "first", first);
        Require.mask("firstIsChosen", firstIsChosen, "first", first);
        return new PreferenceLogProbs(
                first.whereElse(firstIsChosen, second),
                second.whereElse(firstIsChosen, first),
                refFirst.whereElse(firstIsChosen, refSecond),
                refSecond.whereElse(firstIsChosen, refFirst));
    }

    /// The same pairs, each log-probability divided by the length of its answer: means over tokens where there
    /// were sums.
    ///
    /// @param chosenTokens   length of y_w, tokens `[B]`; an answer without tokens counts as one, so that its mean
    ///                       is 0
    /// @param rejectedTokens length of y_l, likewise
    public PreferenceLogProbs lengthNormalized(Tensor chosenTokens, Tensor rejectedTokens) {
        Require.sameShape("chosenTokens", chosenTokens, "chosen", chosen);
        Require.sameShape("rejectedTokens", rejectedTokens, "chosen", chosen);
        Tensor w = Elementwise.clampMin(chosenTokens.to(chosen.dtype()), 1);
        Tensor l = Elementwise.clampMin(rejectedTokens.to(chosen.dtype()), 1);
        return new PreferenceLogProbs(chosen.div(w), rejected.div(l), refChosen.div(w), refRejected.div(l));
    }

    /// `log π(y_w|x)/π_ref(y_w|x)`, `[B]`.
    public Tensor chosenLogRatio() {
        return chosen.minus(refChosen.detach());
    }

    /// `log π(y_l|x)/π_ref(y_l|x)`, `[B]`.
    public Tensor rejectedLogRatio() {
        return rejected.minus(refRejected.detach());
    }

    /// How many pairs, B.
    public long pairs() {
        return chosen.size(0);
    }
}
