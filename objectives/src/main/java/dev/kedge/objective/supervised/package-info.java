/// Learning from demonstrations: likelihood of given completions.
package dev.kedge.objective.supervised;
