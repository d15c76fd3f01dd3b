/// A student that learns from the next-token distributions of a teacher.
package dev.kedge.objective.distillation;
