/// Finite-horizon decision processes, held to a policy that demonstrations taught.
package dev.kedge.objective.demonstration;
