/// Markov decision processes small enough to be solved exactly, and their solutions: what a learner is measured
/// against. Policies held to a reference by a divergence in every state, or by one of the occupancy measures.
///
/// All solvers are pure functions of plain numbers. Arrays are indexed `[state][action]`, with the stage, counted from
/// 0, in front where there is one. Records copy the arrays that they are given; an accessor hands out the record's own
/// array, which is to be read only.
///
/// ```java
/// Mdp bandit = Mdp.bandit(0, 1); // one state, two actions
/// MdpPolicy optimum = ValueIteration.optimal(bandit, MdpPolicy.uniform(1, 2), new Regularizer.Kl(1), 1e-12).policy();
/// double ratio = Math.exp(optimum.logProbs()[0][1] - optimum.logProbs()[0][0]); // exp(reward/beta)
/// System.out.println(Math.abs(ratio - Math.E) < 1e-9); // true
/// ```
package dev.kedge.env.mdp;
