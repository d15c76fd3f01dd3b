/// Objectives: every loss, advantage, weight and divergence as a pure static function of tensors and numbers.
///
/// A function here knows no model, configuration, device, state or randomness. Its denominator is an argument, counted
/// over the whole optimizer step, so that the parts of a step (micro-batches, ranks) add up to it exactly. What it
/// returns is a [Loss]: a scalar to differentiate and metrics per example.
package dev.kedge.objective;
