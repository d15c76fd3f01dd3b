package dev.kedge.run.result;

import dev.kedge.statistics.Estimate;

/// One quantity before and after.
///
/// @param unit "%" for a share, whose values lie in [0, 1]; otherwise what follows the number, or empty
public record Comparison(String name, String unit, Estimate before, Estimate after) {}
