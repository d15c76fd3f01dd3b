package dev.kedge.objective.invariance;

/// How rows are collated.
///
/// @param left   slots before the longest row
/// @param right  slots after it
/// @param filler what stands in every slot that does not count: padding and prompt tokens alike
record Padding(int left, int right, double filler) {
    static final Padding NONE = new Padding(0, 0, -1.5);
}
