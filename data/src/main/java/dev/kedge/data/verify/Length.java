package dev.kedge.data.verify;

import dev.kedge.config.Kind;

/// The soft penalty of overlong answers of DAPO (Yu et al. 2025, arXiv:2503.14476, equation 13), from -1 to 0, by
/// characters (code points): 0 up to `max - buffer`, -1 above `max`, falling evenly in between.
///
/// It is added to a reward, as a part of a [WeightedSum]. A recipe that counts tokens calls [#overlong] with them.
///
/// @param max    the longest answer without the full penalty, at least 1
/// @param buffer over how many of the last characters it falls, from 0 to `max`
@Kind("length")
public record Length(int max, int buffer) implements Verification, Verifier {
    public Length {
        if (max < 1 || buffer < 0 || buffer > max) {
            throw new IllegalArgumentException(
                    "max >= 1 and a buffer from 0 to max expected, were " + max + " and " + buffer);
        }
    }

    @Override
    public Verifier verifier() {
        return this;
    }

    @Override
    public double reward(VerifierQuestion question, String completion) {
        return overlong(completion.codePointCount(0, completion.length()));
    }

    /// @param length of an answer, in the unit of `max`
    /// @return from -1 to 0
    public double overlong(long length) {
        int free = max - buffer;
        if (length <= free) {
            return 0;
        }
        return length > max ? -1 : (double) (free - length) / buffer;
    }
}
