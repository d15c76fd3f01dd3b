package dev.kedge.lab.plot;

/// Writes one SVG picture to be set into an HTML page: no prolog, no ids (several in a page cannot clash), a viewBox so
/// that it scales, and colours as CSS variables with fallbacks so that a page can adapt them to a dark background.
public final class Svg {
    /// Where text stands relative to its position.
    enum Anchor {
        START("start"),
        MIDDLE("middle"),
        END("end");

        private final String word;

        Anchor(String word) {
            this.word = word;
        }
    }

    static final String GRID = "stroke:currentColor;stroke-opacity:.11;stroke-width:1";
    static final String AXIS = "stroke:currentColor;stroke-opacity:.45;stroke-width:1";
    static final String PAPER = "var(--plot-paper,#fff)";
    static final String STRONG = "fill:currentColor;font-weight:600";
    static final String MUTED = "fill:currentColor;fill-opacity:.68";

    // Blue, vermilion, green, purple, amber, grey: told apart with any colour vision, and of unlike lightness. Then
    // cyan, dark red and olive for the seldom case of more than six, where markers tell what colours leave open.
    private static final String[] SERIES = {
        "#0b66ad", "#cf5210", "#0a8462", "#a14a8c", "#b57b00", "#66717f", "#1795b8", "#8a2432", "#6c7518"
    };

    /// Mean width of a letter in ems, on the generous side: which face a reader's machine has is not known.
    private static final double WIDE = 0.63;

    private final StringBuilder out = new StringBuilder(4096);

    /// A picture of that size in pixels; the label is what a screen reader says.
    Svg(double width, double height, String label) {
        out.append("<svg role=\"img\" aria-label=\"").append(escape(label)).append("\" viewBox=\"0 0 ");
        out.append(number(width)).append(' ').append(number(height));
        out.append("\" width=\"").append(number(width)).append("\" height=\"").append(number(height));
        out.append("\" style=\"max-width:100%;height:auto;font-family:var(--plot-font,system-ui,sans-serif)\">");
    }

    /// The colour of the i-th series.
    static String colour(int i) {
        int k = i % SERIES.length;
        return "var(--plot-" + (k + 1) + "," + SERIES[k] + ")";
    }

    void line(double x1, double y1, double x2, double y2, String style) {
        out.append("<line x1=\"").append(number(x1)).append("\" y1=\"").append(number(y1));
        out.append("\" x2=\"").append(number(x2)).append("\" y2=\"").append(number(y2));
        out.append("\" style=\"").append(style).append("\"/>");
    }

    void path(String d, String style) {
        if (!d.isEmpty()) {
            out.append("<path d=\"")
                    .append(d)
                    .append("\" style=\"")
                    .append(style)
                    .append("\"/>");
        }
    }

    /// A shape with a text that shows while the pointer rests on it; the text may be empty.
    void mark(String d, String style, String hint) {
        out.append("<path d=\"").append(d).append("\" style=\"").append(style).append("\">");
        out.append("<title>").append(escape(hint)).append("</title></path>");
    }

    void rect(double x, double y, double width, double height, double radius, String style) {
        out.append("<rect x=\"").append(number(x)).append("\" y=\"").append(number(y));
        out.append("\" width=\"").append(number(width)).append("\" height=\"").append(number(height));
        out.append("\" rx=\"")
                .append(number(radius))
                .append("\" style=\"")
                .append(style)
                .append("\"/>");
    }

    /// Text whose baseline is at y.
    void text(double x, double y, Anchor anchor, double size, String style, String text) {
        out.append("<text x=\"").append(number(x)).append("\" y=\"").append(number(y));
        out.append("\" text-anchor=\"")
                .append(anchor.word)
                .append("\" font-size=\"")
                .append(number(size));
        out.append("\" style=\"")
                .append(style)
                .append("\">")
                .append(escape(text))
                .append("</text>");
    }

    String end() {
        return out.append("</svg>").toString();
    }

    /// A generous guess of how wide `text` is in a sans-serif face, in pixels.
    static double width(String text, double size) {
        return text.length() * size * WIDE;
    }

    /// `text` cut to about that width.
    static String fit(String text, double size, double width) {
        if (width(text, size) <= width) {
            return text;
        }
        int keep = Math.max(1, (int) (width / (size * WIDE)) - 1);
        return text.substring(0, Math.min(keep, text.length())).strip() + "…";
    }

    /// A coordinate, to a hundredth of a pixel. Written by hand: a page holds tens of thousands.
    static String number(double v) {
        long hundredths = Math.round(Math.abs(v) * 100);
        var sign = v < 0 && hundredths != 0 ? "-" : "";
        long rest = hundredths % 100;
        var whole = sign + hundredths / 100;
        if (rest == 0) {
            return whole;
        }
        return rest % 10 == 0 ? whole + "." + rest / 10 : whole + (rest < 10 ? ".0" : ".") + rest;
    }

    /// `text` for HTML or XML content and attributes; characters that neither may hold become U+FFFD.
    public static String escape(String text) {
        var escaped = new StringBuilder(text.length() + 16);
        text.codePoints().forEach(c -> {
            switch (c) {
                case '&' -> escaped.append("&amp;");
                case '<' -> escaped.append("&lt;");
                case '>' -> escaped.append("&gt;");
                case '"' -> escaped.append("&quot;");
                case '\'' -> escaped.append("&#39;");
                default -> escaped.appendCodePoint(allowed(c) ? c : 0xFFFD);
            }
        });
        return escaped.toString();
    }

    private static boolean allowed(int c) {
        return c >= 0x20 && !(c >= 0x7F && c < 0xA0) && !(c >= 0xD800 && c < 0xE000)
                || c == '\n'
                || c == '\t'
                || c == '\r';
    }
}
