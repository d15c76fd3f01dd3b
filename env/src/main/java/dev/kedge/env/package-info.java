/// Environments in plain numbers, and beside each its exact solution: preference games here, decision processes in
/// `dev.kedge.env.mdp`.
package dev.kedge.env;
