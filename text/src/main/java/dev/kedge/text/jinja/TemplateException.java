package dev.kedge.text.jinja;

/// A template that cannot be read or rendered, or that refuses its messages; the message is one line.
public final class TemplateException extends IllegalArgumentException {
    TemplateException(int line, String what) {
        super("chat template, line " + line + ": " + what.replaceAll("\\R", "\\\\n")); // what is quoted may have lines
    }
}
