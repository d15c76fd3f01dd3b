/// Which weights a training changed, how many and of which rank, and gradients for training these alone.
package dev.kedge.nn.sparsity;
