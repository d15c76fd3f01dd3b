package dev.kedge.data;

/// Orders that depend on nothing but their seed, the same on every JVM: SplitMix64 (Steele, Lea and Flood 2014) under a
/// Fisher-Yates shuffle.
final class SeededOrder {
    private static final long GOLDEN = 0x9e3779b97f4a7c15L;

    private long state;

    /// @param stream the seed of a stream of its own
    SeededOrder(long stream) {
        this.state = stream;
    }

    /// 0..n-1 in an order drawn from all.
    int[] permutation(int n) {
        int[] order = new int[n];
        for (int i = 0; i < n; i++) {
            int j = below(i + 1);
            order[i] = order[j];
            order[j] = i;
        }
        return order;
    }

    /// A number from 0 to `bound - 1`, each with the same chance: draws from the incomplete last block are drawn again.
    private int below(int bound) {
        while (true) {
            long bits = next() >>> 1;
            long value = bits % bound;
            if (bits - value + (bound - 1) >= 0) {
                return (int) value;
            }
        }
    }

    private long next() {
        state += GOLDEN;
        return mix(state);
    }

    /// The output function of SplitMix64: a bijection of 64 bits.
    private static long mix(long z) {
        long y = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
        y = (y ^ (y >>> 27)) * 0x94d049bb133111ebL;
        return y ^ (y >>> 31);
    }
}
