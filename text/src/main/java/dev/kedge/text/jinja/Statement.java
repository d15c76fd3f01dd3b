package dev.kedge.text.jinja;

import java.util.List;
import java.util.Map;

/// The statements of the template language; each knows its line for error messages.
sealed interface Statement {
    int line();

    record Text(int line, String text) implements Statement {}

    record Output(int line, JinjaExpression value) implements Statement {}

    record If(int line, JinjaExpression test, List<Statement> then, List<Statement> otherwise) implements Statement {}

    /// `filter` is null where there is none.
    record For(
            int line,
            List<String> targets,
            JinjaExpression iterable,
            JinjaExpression filter,
            List<Statement> body,
            List<Statement> otherwise)
            implements Statement {}

    record Set(int line, List<JinjaExpression> targets, JinjaExpression value) implements Statement {}

    record SetBlock(int line, JinjaExpression target, List<Statement> body) implements Statement {}

    /// A named function; a parameter without a default maps to null.
    record Macro(int line, String name, Map<String, JinjaExpression> parameters, List<Statement> body)
            implements Statement {}

    /// A body with its own scope, in which `names` are bound first: `with`, and `generation` with none.
    record Scoped(int line, Map<String, JinjaExpression> names, List<Statement> body) implements Statement {}

    record FilterBlock(int line, JinjaExpression.Filter filter, List<Statement> body) implements Statement {}

    record Break(int line) implements Statement {}

    record Continue(int line) implements Statement {}
}
