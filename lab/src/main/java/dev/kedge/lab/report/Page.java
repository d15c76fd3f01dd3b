package dev.kedge.lab.report;

import dev.kedge.lab.plot.Svg;
import dev.kedge.run.Durable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.function.IntFunction;

/// What reports share: a page is one file without scripts or references, for light and dark screens, wide and narrow.
public final class Page {
    /// Pixels of a picture over the whole page, of one beside text, and of any on a narrow screen.
    public static final int WHOLE = 1056;

    public static final int COLUMN = 760;
    private static final int NARROW = 360;

    private Page() {}

    /// The page.
    ///
    /// @param content HTML
    public static String html(String title, String content) {
        return String.format(Locale.ROOT, """
                <!DOCTYPE html>
                <html lang="en">
                <head>
                <meta charset="utf-8">
                <meta name="viewport" content="width=device-width, initial-scale=1">
                <meta name="color-scheme" content="light dark">
                <title>%s</title>
                <style>
                %s</style>
                </head>
                <body>
                <main>
                %s</main>
                </body>
                </html>
                """, escape(title), style(), content);
    }

    /// Writes a page, whole or not at all; returns the file.
    public static Path write(Path file, String html) {
        try {
            Files.createDirectories(file.toAbsolutePath().getParent());
            Durable.write(file, html.getBytes(StandardCharsets.UTF_8));
            return file;
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write " + file, e);
        }
    }

    private static String style() {
        try (var in = Page.class.getResourceAsStream("report.css")) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read the resource report.css", e);
        }
    }

    /// The page's head: a line of small facts, the title, and what was found in a sentence, which may be empty.
    ///
    /// @param meta HTML of each small fact; empty ones are left out
    public static String head(List<String> meta, String title, String verdict) {
        var line = new StringBuilder();
        meta.stream().filter(item -> !item.isEmpty()).forEach(item -> line.append(item));
        return "<header>\n<p class=\"meta\">" + line + "</p>\n<h1>" + escape(title) + "</h1>\n"
                + (verdict.isEmpty() ? "" : "<p class=\"verdict\">" + escape(verdict) + "</p>\n")
                + "</header>\n";
    }

    /// A small fact for [#head]; empty if the text is.
    public static String meta(String text) {
        return text.isEmpty() ? "" : "<span>" + escape(text) + "</span>";
    }

    /// A word with a dot in the colour of its tone: `good`, `bad` or `open`.
    public static String status(String tone, String word) {
        return "<span class=\"status " + tone + "\">" + escape(word) + "</span>";
    }

    /// A part of the page; nothing where the content is empty.
    public static String section(String heading, String content) {
        return content.isEmpty() ? "" : "<section>\n<h2>" + escape(heading) + "</h2>\n" + content + "</section>\n";
    }

    /// The picture twice, of which the style shows the one that fits the screen.
    ///
    /// @param wide in pixels, on a wide screen
    /// @param plot draws for a width
    public static String figure(int wide, IntFunction<String> plot) {
        return "<figure><div class=\"wide\">" + plot.apply(wide) + "</div><div class=\"narrow\">" + plot.apply(NARROW)
                + "</div></figure>\n";
    }

    /// A table; nothing where there are no rows.
    ///
    /// @param rows HTML of the cells
    public static String table(List<String> columns, List<List<String>> rows) {
        if (rows.isEmpty()) {
            return "";
        }
        var html = new StringBuilder("<div class=\"scroll\"><table>\n<tr>");
        columns.forEach(c -> html.append("<th scope=\"col\">").append(escape(c)).append("</th>"));
        html.append("</tr>\n");
        for (var row : rows) {
            html.append("<tr>");
            row.forEach(cell -> html.append("<td>").append(cell).append("</td>"));
            html.append("</tr>\n");
        }
        return html.append("</table></div>\n").toString();
    }

    /// Text for HTML.
    public static String escape(String text) {
        return Svg.escape(text);
    }
}
