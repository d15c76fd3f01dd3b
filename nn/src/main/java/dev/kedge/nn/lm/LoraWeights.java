package dev.kedge.nn.lm;

import dev.kedge.tensor.Tensor;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;

/// A low-rank adapter (arXiv:2106.09685): to rows of weights is added `scale() * b a`.
///
/// @param rank    r, the rank of every update
/// @param alpha   the numerator of the scale
/// @param rslora  whether the scale divides by the root of the rank (arXiv:2312.03732) instead of the rank
/// @param factors the two factors of each update, by what they are added to
public record LoraWeights(int rank, double alpha, boolean rslora, SequencedMap<Target, Factors> factors) {
    /// Rows of a decoder's weight, under the names and in the layouts of [DecoderLayout].
    ///
    /// @param weight such as `layers.0.attention.qkv.weight`
    /// @param from   the first row
    /// @param to     the row after the last
    public record Target(String weight, long from, long to) {}

    /// The factors of one update.
    ///
    /// @param a [rank, in]
    /// @param b [to - from, rank]
    public record Factors(Tensor a, Tensor b) {}

    public LoraWeights {
        if (rank < 1 || !Double.isFinite(alpha)) {
            throw new IllegalArgumentException("rank must be at least 1, alpha finite, were " + rank + " and " + alpha);
        }
        for (Map.Entry<Target, Factors> e : factors.entrySet()) {
            long[] a = e.getValue().a().shape();
            long[] b = e.getValue().b().shape();
            Target target = e.getKey();
            if (a.length != 2 || b.length != 2 || a[0] != rank || b[1] != rank || b[0] != target.to() - target.from()) {
                throw new IllegalArgumentException(
                        target + " of rank " + rank + " needs a [rank, in] and b [rows, rank], were "
                                + Arrays.toString(a) + " and " + Arrays.toString(b));
            }
        }
        factors = Collections.unmodifiableSequencedMap(new LinkedHashMap<>(factors));
    }

    /// What the product of the factors is multiplied by.
    public double scale() {
        return alpha / (rslora ? Math.sqrt(rank) : rank);
    }
}
