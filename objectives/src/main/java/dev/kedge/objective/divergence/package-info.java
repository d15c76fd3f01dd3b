/// How far one distribution is from another: f-divergences with their scores, exact forms and estimators.
///
/// Throughout, P is the policy and Q the reference, `u = P/Q` and `D_f(P||Q) = E_Q[f(P/Q)]`, in nats.
///
/// ```java
/// try (Scope _ = new Scope()) {
///     Tensor p = Tensor.of(0.5, 0.5).log();
///     Tensor q = Tensor.of(0.25, 0.75).log();
///     double kl = new ReverseKl().categorical(p, q).item();
///     System.out.println(Math.abs(kl - 0.5 * Math.log(4.0 / 3)) < 1e-12); // true
/// }
/// ```
package dev.kedge.objective.divergence;
