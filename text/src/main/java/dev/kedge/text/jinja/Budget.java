package dev.kedge.text.jinja;

/// What one rendering may use: a template is data from strangers and must end, whatever it says.
final class Budget {
    static final long MAX_STEPS = 5_000_000;
    static final int MAX_LENGTH = 1 << 22;
    static final int MAX_DEPTH = 300;
    private long steps = 0;
    private int depth = 0;
    int line = 1;

    void step() {
        charge(1);
    }

    void charge(long work) {
        steps += work;
        if (steps > MAX_STEPS) {
            throw error("the template does more work than is allowed; does it loop?");
        }
    }

    /// Charges the reading of a value once from end to end.
    void reading(Object value) {
        switch (value) {
            case String s -> charge(1 + s.length() / 16);
            case java.util.Collection<?> c -> charge(1 + c.size());
            case java.util.Map<?, ?> m -> charge(1 + m.size());
            default -> charge(1);
        }
    }

    /// Refuses a string that is about to become too long; all strings together are bounded by the steps.
    void length(long length) {
        if (length > MAX_LENGTH) {
            throw error("a value would be longer than " + MAX_LENGTH);
        }
        charge(1 + length / 16);
    }

    /// Refuses to append so much, and charges for what is appended.
    void grows(StringBuilder out, long by) {
        if (out.length() + by > MAX_LENGTH) {
            throw error("a value would be longer than " + MAX_LENGTH);
        }
        charge(1 + by / 16);
    }

    /// Refuses a list that is about to become too long, each item at the price of a step.
    void items(long size) {
        if (size > MAX_LENGTH) {
            throw error("a list would be longer than " + MAX_LENGTH);
        }
        charge(1 + size);
    }

    void enter() {
        if (++depth > MAX_DEPTH) {
            throw error("nested deeper than " + MAX_DEPTH);
        }
    }

    void leave() {
        depth--;
    }

    TemplateException error(String what) {
        return new TemplateException(line, what);
    }
}
