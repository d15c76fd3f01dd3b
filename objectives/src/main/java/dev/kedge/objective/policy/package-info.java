/// Learning from rewards of sampled answers: advantages and policy gradients.
package dev.kedge.objective.policy;
