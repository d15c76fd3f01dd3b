/// Reinforcement learning held to a clone of demonstrations: [DemoRegRlRecipe] with its environments, cloning,
/// exploration and rewards learnt from preferences.
package dev.kedge.recipe.demonstration;
