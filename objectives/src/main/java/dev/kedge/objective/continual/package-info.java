/// Learning one task after another: terms that hold what was learned before, merging, and scores of forgetting.
package dev.kedge.objective.continual;
