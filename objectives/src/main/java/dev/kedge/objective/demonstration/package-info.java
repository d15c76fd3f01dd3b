/// Policies that demonstrations teach. Planning that is held to them is `dev.kedge.env.mdp`'s.
package dev.kedge.objective.demonstration;
