/// Intervals, tests and estimates from samples. Nothing here draws from a generator that was not seeded by an
/// argument.
///
/// ```java
/// double[] before = {0.1, 0.3, 0.2, 0.4};
/// double[] after = {0.2, 0.5, 0.3, 0.6};
/// Estimate gain = new Bootstrap(10_000, 0.95, 1).pairedBca(before, after);
/// System.out.println(gain.low() > 0); // true
/// System.out.println(Proportions.binomialTest(9, 10, 0.5) < 0.05); // true
/// ```
package dev.kedge.statistics;
