package dev.kedge.nn.lm;

import dev.kedge.tensor.DType;
import dev.kedge.tensor.Indexing;
import dev.kedge.tensor.Ordering;
import dev.kedge.tensor.Tensor;

/// The distribution that tokens are drawn from: the model's, sharpened and truncated. Sampler and trainer call the same
/// [#logProbs], so that what one reports the other computes.
///
/// @param temperature divides the logits; 0 takes the likeliest token
/// @param topK        only the k likeliest tokens, and those that tie with the k-th; 0: all
/// @param topP        only the likeliest tokens that together reach this mass (arXiv:1904.09751), in (0, 1]; 1: all
/// @param minP        only tokens at least this share as likely as the likeliest (arXiv:2407.01082), in [0, 1); 0: all
public record Sampling(double temperature, int topK, double topP, double minP) {
    /// The likeliest token, always.
    public static final Sampling GREEDY = new Sampling(0, 0, 1, 0);

    public Sampling {
        if (!(temperature >= 0 && temperature < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("temperature must be finite and >= 0, was " + temperature);
        }
        if (topK < 0 || !(topP > 0 && topP <= 1) || !(minP >= 0 && minP < 1)) {
            throw new IllegalArgumentException(
                    "top_k >= 0, top_p in (0, 1], min_p in [0, 1) expected, were " + topK + ", " + topP + ", " + minP);
        }
    }

    /// The whole distribution at a temperature.
    public static Sampling at(double temperature) {
        return new Sampling(temperature, 0, 1, 0);
    }

    public boolean isGreedy() {
        return temperature == 0;
    }

    /// Log-probabilities of the distribution drawn from, -infinity for what truncation excludes: nats. For greedy
    /// choice, which has none of its own, those of the model itself.
    ///
    /// Truncation follows temperature; each rule looks at what the one before it left.
    ///
    /// @param logits `[B, V]`
    /// @return `[B, V]`
    public Tensor logProbs(Tensor logits) {
        Tensor scaled = isGreedy() || temperature == 1 ? logits : logits.times(1 / temperature);
        if (isGreedy()) {
            return scaled.logSoftmax(-1);
        }
        if (topK > 0 && topK < logits.size(1)) {
            Tensor smallest = Ordering.topK(scaled, topK)[0].narrow(1, topK - 1L, 1);
            scaled = scaled.whereElse(scaled.ge(smallest), Double.NEGATIVE_INFINITY);
        }
        if (topP < 1) {
            Tensor[] sorted = Ordering.sort(scaled.softmax(-1), -1, true);
            Tensor before = sorted[0].cumsum(-1).minus(sorted[0]);
            Tensor keep = before.lt(topP);
            Tensor kept = Indexing.scatter(keep, 1, sorted[1], keep);
            scaled = scaled.whereElse(kept, Double.NEGATIVE_INFINITY);
        }
        if (minP > 0) {
            Tensor floor = scaled.amax(-1, true).plus(Math.log(minP));
            scaled = scaled.whereElse(scaled.ge(floor), Double.NEGATIVE_INFINITY);
        }
        return scaled.logSoftmax(-1);
    }

    /// `-Σ_v p(v) log p(v)`, nats, `[B]`: what truncation excludes adds nothing.
    ///
    /// @param logProbs of [#logProbs], `[B, V]`
    static Tensor entropies(Tensor logProbs) {
        Tensor finite = logProbs.whereElse(logProbs.gt(Double.NEGATIVE_INFINITY), 0); // 0 · -∞ is NaN
        return logProbs.exp().times(finite).sum(-1).neg();
    }

    /// Draws by inverse transform: the first token at which the cumulated mass reaches u times the total. Cumulated in
    /// float64 and measured by its own total, so that no u falls on a token without mass.
    ///
    /// @param logProbs `[B, V]`
    /// @param u        one a row, in (0, 1]
    /// @return `[B]` int64
    static Tensor inverseTransform(Tensor logProbs, double[] u) {
        Tensor cumulated = logProbs.to(DType.FLOAT64).exp().cumsum(-1);
        Tensor total = cumulated.narrow(1, cumulated.size(1) - 1, 1);
        Tensor aim = Tensor.of(u, u.length, 1).to(logProbs.device()).times(total);
        return cumulated.lt(aim).sum(-1);
    }
}
