package dev.kedge.data.verify;

import java.time.Duration;

/// What code of one's own may use.
///
/// @param timeout     for one completion, > 0
/// @param concurrency completions verified at once, at least 1
/// @param hung        threads that did not end in time and may still run, of this whole process, at least 1; beyond
///                    these, and those under way, no further completion is begun until some end
public record Limits(Duration timeout, int concurrency, int hung) {
    public Limits {
        if (!timeout.isPositive() || concurrency < 1 || hung < 1) {
            throw new IllegalArgumentException("a timeout > 0, concurrency >= 1 and hung >= 1 expected, were " + timeout
                    + ", " + concurrency + " and " + hung);
        }
    }

    /// 10 seconds, 8 at once, 32 hung.
    public static Limits usual() {
        return new Limits(Duration.ofSeconds(10), 8, 32);
    }
}
