package dev.kedge.text.jinja;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// One rendering of a template: runs the statements and collects what they put out.
final class Rendering {
    private enum Flow {
        NEXT,
        BREAK,
        CONTINUE
    }

    private final Budget budget = new Budget();
    private final Evaluator evaluator = new Evaluator(budget);

    String run(List<Statement> body, Map<String, Object> names, Globals globals) {
        Variables scope = new Variables(null);
        globals.bind(scope, evaluator.values(), budget);
        names.forEach((name, value) -> scope.set(name, Values.of(value)));
        StringBuilder out = new StringBuilder();
        run(body, new Variables(scope), out);
        return out.toString();
    }

    private Flow run(List<Statement> body, Variables scope, StringBuilder out) {
        for (Statement statement : body) {
            budget.step();
            budget.line = statement.line();
            Flow flow = run(statement, scope, out);
            if (flow != Flow.NEXT) {
                return flow;
            }
        }
        return Flow.NEXT;
    }

    private Flow run(Statement statement, Variables scope, StringBuilder out) {
        switch (statement) {
            case Statement.Text text -> put(out, text.text());
            case Statement.Output output -> put(out, string(output.value(), scope));
            case Statement.If branch -> {
                return run(evaluator.truth(branch.test(), scope) ? branch.then() : branch.otherwise(), scope, out);
            }
            case Statement.For loop -> {
                return loop(loop, scope, out);
            }
            case Statement.Set set -> assign(set, scope);
            case Statement.SetBlock set -> assign(set.target(), captured(set.body(), new Variables(scope)), scope);
            case Statement.Macro macro -> scope.set(macro.name(), function(macro, scope));
            case Statement.Scoped scoped -> {
                Variables inner = new Variables(scope);
                scoped.names().forEach((name, value) -> inner.set(name, evaluator.value(value, inner)));
                return run(scoped.body(), inner, out);
            }
            case Statement.FilterBlock block -> {
                Object text = captured(block.body(), new Variables(scope));
                JinjaExpression.Filter filter = block.filter();
                Object filtered = evaluator.filter(text, filter.name(), filter.arguments(), scope);
                put(out, evaluator.values().string(filtered));
            }
            case Statement.Break _ -> {
                return Flow.BREAK;
            }
            case Statement.Continue _ -> {
                return Flow.CONTINUE;
            }
        }
        return Flow.NEXT;
    }

    private void put(StringBuilder out, String text) {
        budget.grows(out, text.length());
        out.append(text);
    }

    private String string(JinjaExpression expression, Variables scope) {
        return evaluator.values().string(evaluator.value(expression, scope));
    }

    private String captured(List<Statement> body, Variables scope) {
        StringBuilder out = new StringBuilder();
        run(body, scope, out);
        return out.toString();
    }

    private Flow loop(Statement.For loop, Variables scope, StringBuilder out) {
        List<Object> items = evaluator.values().iterate(evaluator.value(loop.iterable(), scope));
        if (loop.filter() != null) {
            items.removeIf(item -> {
                Variables inner = new Variables(scope);
                unpack(loop.targets(), item, inner);
                return !evaluator.truth(loop.filter(), inner);
            });
        }
        if (items.isEmpty()) {
            return run(loop.otherwise(), new Variables(scope), out);
        }
        List<Object> last = new ArrayList<>();
        for (int i = 0; i < items.size(); i++) {
            budget.charge(20); // the names of an iteration
            Variables inner = new Variables(scope);
            unpack(loop.targets(), items.get(i), inner);
            inner.set("loop", state(items, i, last));
            if (run(loop.body(), inner, out) == Flow.BREAK) {
                break;
            }
        }
        return Flow.NEXT;
    }

    private void unpack(List<String> targets, Object item, Variables scope) {
        if (targets.size() == 1) {
            scope.set(targets.getFirst(), item);
            return;
        }
        List<Object> parts = evaluator.values().iterate(item);
        if (parts.size() != targets.size()) {
            throw budget.error("cannot unpack " + parts.size() + " values into " + targets);
        }
        for (int i = 0; i < parts.size(); i++) {
            scope.set(targets.get(i), parts.get(i));
        }
    }

    private Map<Object, Object> state(List<Object> items, int i, List<Object> last) {
        Map<Object, Object> state = new LinkedHashMap<>();
        state.put("index", i + 1L);
        state.put("index0", (long) i);
        state.put("revindex", (long) items.size() - i);
        state.put("revindex0", items.size() - i - 1L);
        state.put("first", i == 0);
        state.put("last", i == items.size() - 1);
        state.put("length", (long) items.size());
        if (i > 0) {
            state.put("previtem", items.get(i - 1));
        }
        if (i + 1 < items.size()) {
            state.put("nextitem", items.get(i + 1));
        }
        state.put("cycle", (Values.Function) (a, _) -> a.get(Math.floorMod(i, Math.max(1, a.size()))));
        state.put("changed", (Values.Function) (a, _) -> {
            boolean changed = last.isEmpty() || !evaluator.values().equal(last.getFirst(), a);
            last.clear();
            last.add(a);
            return changed;
        });
        return state;
    }

    private void assign(Statement.Set set, Variables scope) {
        Object value = evaluator.value(set.value(), scope);
        if (set.targets().size() == 1) {
            assign(set.targets().getFirst(), value, scope);
            return;
        }
        List<Object> parts = evaluator.values().iterate(value);
        if (parts.size() != set.targets().size()) {
            throw budget.error("cannot unpack " + parts.size() + " values into "
                    + set.targets().size() + " names");
        }
        for (int i = 0; i < parts.size(); i++) {
            assign(set.targets().get(i), parts.get(i), scope);
        }
    }

    private void assign(JinjaExpression target, Object value, Variables scope) {
        switch (target) {
            case JinjaExpression.Name(String name) -> scope.set(name, value);
            case JinjaExpression.Attribute(JinjaExpression of, String name)
            when evaluator.value(of, scope) instanceof Values.Namespace namespace ->
                namespace.attributes.put(name, value);
            default -> throw budget.error("only a name, or an attribute of a namespace, can be set");
        }
    }

    private Values.Function function(Statement.Macro macro, Variables scope) {
        return (positional, named) -> {
            Variables inner = new Variables(scope);
            int next = 0;
            for (var parameter : macro.parameters().entrySet()) {
                String name = parameter.getKey();
                if (next < positional.size()) {
                    inner.set(name, positional.get(next++));
                } else if (named.containsKey(name)) {
                    inner.set(name, named.get(name));
                } else if (parameter.getValue() != null) {
                    inner.set(name, evaluator.value(parameter.getValue(), inner));
                } else {
                    inner.set(name, new Values.Undefined("parameter '" + name + "'"));
                }
            }
            budget.enter();
            int line = budget.line;
            String text = captured(macro.body(), inner);
            budget.line = line;
            budget.leave();
            return text;
        };
    }
}
