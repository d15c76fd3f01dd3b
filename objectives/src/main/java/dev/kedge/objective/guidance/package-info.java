/// Steering a frozen model while it decodes: what guides it, how it is trained, and how distributions are combined.
package dev.kedge.objective.guidance;
