/// Which weights a training changes, and training that changes only these.
package dev.kedge.objective.sparsity;
