/// Learning from preferences without a reward: policies that come to the equilibrium of a game against themselves.
package dev.kedge.objective.game;
