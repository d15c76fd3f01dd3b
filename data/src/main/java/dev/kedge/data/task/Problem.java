package dev.kedge.data.task;

/// One problem of a task.
///
/// @param prompt what the model is given, in the task's alphabet
public record Problem(String prompt) {}
