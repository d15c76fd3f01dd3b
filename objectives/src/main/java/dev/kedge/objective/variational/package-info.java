/// Learning as inference: the distribution that a KL-regularised reward asks for, and the two directions of fitting it.
package dev.kedge.objective.variational;
