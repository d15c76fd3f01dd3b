/// Optimisers over a model's flat buffer, and learning rates over time.
///
/// ```java
/// try (Scope _ = new Scope();
///         Parameters w = Parameters.zeros(Map.of("w", new long[] {1}), DType.FLOAT64, Device.CPU);
///         Optimizer optimizer = new Sgd(w, 0)) {
///     Tensor error = w.trainable().get("w").minus(3);
///     error.times(error).sum().backward(); // gradient 2·(0 - 3)
///     optimizer.step(0.5);
///     System.out.println(w.get("w").item()); // 3.0
/// }
/// ```
package dev.kedge.nn.optim;
