package dev.kedge.tensor;

/// A seed split into streams by name, so that whatever is drawn for one purpose is independent of what is drawn for
/// another, and of what any other seed draws: all 64 bits are mixed, by SplitMix64's output function (Steele, Lea and
/// Flood 2014). A seed that is added to instead gives neighbouring seeds each other's draws, shifted.
///
/// ```java
/// long a = Streams.of(seed, "answers", step);
/// ```
public final class Streams {
    private static final long GOLDEN = 0x9e3779b97f4a7c15L;

    private Streams() {}

    /// The seed of the stream that draws what `name` says.
    public static long of(long seed, String name) {
        long stream = mix(seed + GOLDEN);
        for (int i = 0; i < name.length(); i++) {
            stream = absorbed(stream, name.charAt(i));
        }
        return absorbed(stream, ~name.length()); // negative, as no character is: a name ends, whatever follows
    }

    /// One of many streams that draw what `name` says, such as that of a step or a row.
    public static long of(long seed, String name, long index) {
        return absorbed(of(seed, name), index);
    }

    /// Not symmetric, or seed and first character could change places; and not what a SplitMix64 of this seed draws.
    static long absorbed(long stream, long value) {
        return mix(mix(stream) + GOLDEN * (value + 1));
    }

    /// The output function of SplitMix64: a bijection of 64 bits.
    private static long mix(long z) {
        long y = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
        y = (y ^ (y >>> 27)) * 0x94d049bb133111ebL;
        return y ^ (y >>> 31);
    }
}
