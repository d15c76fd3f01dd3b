/// Learning from single answers, each labelled desirable or not: KTO and its relatives.
package dev.kedge.objective.unpaired;
