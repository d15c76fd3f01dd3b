/// Environments in plain numbers, and beside each its exact solution: preference games here, decision processes in
/// `dev.kedge.env.mdp`.
///
/// ```java
/// PreferenceGame game = PreferenceGame.rockPaperScissors();
/// System.out.println(game.winRate(new double[] {1, 0, 0}, game.nash())); // 0.5
/// System.out.println(game.dualityGap(game.nash()) < 1e-9); // true
/// ```
package dev.kedge.env;
