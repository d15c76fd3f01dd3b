/// Models merged from several: one policy of what was learnt task by task.
package dev.kedge.nn.merge;
