/// Runs: a folder with configuration, metrics, checkpoints and summary ([Run]), and the one training loop
/// ([Training]), which goes on from where a run was stopped to the very same numbers.
package dev.kedge.run;
