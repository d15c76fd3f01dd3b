/// Optimising a proxy while held to a reference by what is visited: [OccupancyRecipe] with its environments, and
/// learning from samples.
package dev.kedge.recipe.occupancy;
