/// Markov decision processes small enough to be solved exactly, and their solutions: what a learner is measured
/// against. Policies held to a reference by a divergence in every state, or by one of the occupancy measures.
///
/// All solvers are pure functions of plain numbers. Arrays are indexed `[state][action]`, with the stage, counted from
/// 0, in front where there is one. Records copy the arrays that they are given; an accessor hands out the record's own
/// array, which is to be read only.
package dev.kedge.env.mdp;
