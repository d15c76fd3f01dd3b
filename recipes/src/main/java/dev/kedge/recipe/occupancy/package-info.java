/// Optimising a proxy while held to a reference by what is visited: [OccupancyRecipe] with its worlds, and learning
/// from samples.
package dev.kedge.recipe.occupancy;
