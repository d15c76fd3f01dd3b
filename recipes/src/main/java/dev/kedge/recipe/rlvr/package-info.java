/// Reinforcement learning with verifiable rewards: completions drawn in groups and judged, and the methods that learn
/// from them. [dev.kedge.recipe.policy.RlvrRecipe] is the loop around it.
package dev.kedge.recipe.rlvr;
