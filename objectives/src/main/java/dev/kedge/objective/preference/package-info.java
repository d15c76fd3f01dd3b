/// Learning from pairs of answers, one preferred: DPO and its relatives.
package dev.kedge.objective.preference;
