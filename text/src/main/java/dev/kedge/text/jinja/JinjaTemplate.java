package dev.kedge.text.jinja;

import java.time.Clock;
import java.util.List;
import java.util.Map;

/// A parsed template of the Jinja language as chat templates use it: statements (`if`, `for`, `set`, `macro`, `with`,
/// `filter`, `generation`, `raw`, `break`, `continue`), expressions, filters, tests, and Python's methods of strings,
/// lists and dicts, with the white space rules `trim_blocks` and `lstrip_blocks`.
///
/// Templates come from strangers. One sees only plain data: there is no way to a Java class, a file, or another
/// template (`include`, `import` and `extends` are refused), and its work, output and nesting are bounded.
public final class JinjaTemplate {
    private final List<Statement> body;
    private final Globals globals;

    private JinjaTemplate(List<Statement> body, Globals globals) {
        this.body = body;
        this.globals = globals;
    }

    /// Parses a template; `clock` answers its `strftime_now`.
    ///
    /// @throws TemplateException if it is not a template; the message tells the line
    public static JinjaTemplate parse(String source, Clock clock) {
        return new JinjaTemplate(Parser.parse(source), new Globals(clock));
    }

    /// Renders with the given names; values are null, String, Boolean, Integer, Long, Double, List or Map of these.
    ///
    /// @throws TemplateException if the template refuses, fails, or asks for more than it is allowed
    public String render(Map<String, Object> names) {
        return new Rendering().run(body, names, globals);
    }
}
