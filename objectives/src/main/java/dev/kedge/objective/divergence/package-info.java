/// How far one distribution is from another: f-divergences with their scores, exact forms and estimators.
///
/// Throughout, P is the policy and Q the reference, `u = P/Q` and `D_f(P||Q) = E_Q[f(P/Q)]`, in nats.
package dev.kedge.objective.divergence;
