/// What comes of a run, as records that are written and read: a [Summary] of facts, comparisons and frontiers.
///
/// ```java
/// Summary summary = Summary.of("mine", Summary.Status.RUNNING, 1.5)
///         .fact("accuracy", "accuracy", Estimate.of(0.75), "", "");
/// System.out.println(summary.number("accuracy")); // 0.75
/// ```
package dev.kedge.run.result;
