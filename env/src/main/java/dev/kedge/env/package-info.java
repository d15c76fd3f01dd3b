/// Environments in plain numbers, and beside each its exact solution: preference games so far.
package dev.kedge.env;
