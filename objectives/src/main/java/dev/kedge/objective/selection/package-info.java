/// Answers that are selected among several draws when the model is used, and how to train for the selection.
package dev.kedge.objective.selection;
