/// Learning from pairs of answers, one preferred: DPO and its relatives.
///
/// ```java
/// try (Scope _ = new Scope()) {
///     Tensor chosen = Tensor.of(-4.0, -6.0).requiresGrad(); // log π(y|x) of two pairs, nats
///     Tensor rejected = Tensor.of(-5.0, -6.0).requiresGrad();
///     var lp = new PreferenceLogProbs(chosen, rejected, Tensor.of(-4.0, -6.0), Tensor.of(-5.0, -6.0));
///     Loss loss = Dpo.dpo(lp, 0.1, 2); // the policy is its reference: log 2
///     loss.value().backward();
///     System.out.println(Math.abs(loss.value().item() - Math.log(2)) < 1e-12); // true
///     System.out.println(Arrays.toString(chosen.grad().toDoubles())); // [-0.025, -0.025]
/// }
/// ```
package dev.kedge.objective.preference;
