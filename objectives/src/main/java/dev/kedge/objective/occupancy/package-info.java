/// Policies compared by what they visit: occupancy measures, and rewards that stand for other rewards.
package dev.kedge.objective.occupancy;
