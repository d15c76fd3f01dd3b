package dev.kedge.text.jinja;

import java.util.HashMap;
import java.util.Map;

/// Names in a block; a name set here hides the outer one and is gone with the block.
final class Variables {
    private final Variables outer;
    private final Map<String, Object> names = new HashMap<>();

    Variables(Variables outer) {
        this.outer = outer;
    }

    Object get(String name) {
        for (Variables scope = this; scope != null; scope = scope.outer) {
            Object value = scope.names.get(name);
            if (value != null) {
                return value;
            }
        }
        return new Values.Undefined("'" + name + "'");
    }

    void set(String name, Object value) {
        names.put(name, value);
    }
}
