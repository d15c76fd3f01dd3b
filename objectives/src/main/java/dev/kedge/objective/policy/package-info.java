/// Learning from rewards of sampled answers: advantages and policy gradients. A [Rollout] holds what was drawn; who
/// learns from it says in a table what its advantages, ratios, aggregation and KL are.
///
/// ```java
/// try (Scope _ = new Scope()) {
///     Tensor rewards = Tensor.of(new double[][] {{1, 0, 0, 1}}); // a prompt, four completions
///     double[] advantages = Grpo.advantages(rewards).toDoubles();
///     System.out.println(advantages[0] > 0 && advantages[1] < 0); // true
/// }
/// ```
package dev.kedge.objective.policy;
