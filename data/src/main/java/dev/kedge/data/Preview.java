package dev.kedge.data;

import dev.kedge.text.StreamDecoder;
import dev.kedge.text.Tokenizer;
import java.util.Locale;
import java.util.Optional;

/// Shows an example as the model sees it: every token with its borders, special tokens by their names, and which tokens
/// are learnt.
///
/// Plain: `|` stands between tokens, `[[` and `]]` around tokens that are learnt, `⟨ ⟩` around special tokens.
/// Coloured: learnt tokens on green, others on grey, each in two shades that take turns, special tokens in bold
/// magenta. In both a line break is `⏎` and a break, a tab `⇥`, a token that holds only a part of a character `·`,
/// another control character its code: an example cannot steer the terminal.
public final class Preview {
    private static final String RESET = "\u001b[0m";
    private static final String BOLD = "\u001b[1m";
    private static final String SPECIAL = "\u001b[1;35m";
    private static final String[] LEARNT = {"\u001b[48;5;28;38;5;231m", "\u001b[48;5;34;38;5;16m"};
    private static final String[] GIVEN = {"\u001b[48;5;236;38;5;250m", "\u001b[48;5;240;38;5;254m"};

    private Preview() {}

    /// @param colour whether ANSI colours may be used
    /// @return lines of text, the last one ended
    /// @throws IllegalArgumentException if the template or the tokenizer refuses the example
    public static String of(Example example, Tokenisation tokenisation, boolean colour) {
        StringBuilder out = new StringBuilder();
        switch (example) {
            case Preference preference -> {
                Optional<TokenizedPair> pair = tokenisation.pair(preference);
                section(out, "chosen", pair.map(TokenizedPair::chosen), tokenisation, colour);
                section(out, "rejected", pair.map(TokenizedPair::rejected), tokenisation, colour);
            }
            case Prompt(Content prompt) -> {
                int[] ids = tokenisation.prompt(prompt);
                Optional<Tokenized> tokens = ids.length == 0 ? Optional.empty() : Optional.of(Tokenized.ofPrompt(ids));
                section(out, "prompt", tokens, tokenisation, colour);
            }
            case PromptCompletion _ ->
                section(out, "prompt and completion", tokenisation.sequence(example), tokenisation, colour);
            case LabelledCompletion labelled ->
                section(
                        out,
                        labelled.desirable() ? "prompt and desirable completion" : "prompt and undesirable completion",
                        tokenisation.sequence(example),
                        tokenisation,
                        colour);
            case Conversation _ -> section(out, "conversation", tokenisation.sequence(example), tokenisation, colour);
            case Document _ -> section(out, "document", tokenisation.sequence(example), tokenisation, colour);
        }
        return out.toString();
    }

    private static void section(
            StringBuilder out, String name, Optional<Tokenized> tokens, Tokenisation tokenisation, boolean colour) {
        out.append(colour ? BOLD + name + RESET : name);
        if (tokens.isEmpty()) {
            out.append(": left out, longer than ")
                    .append(tokenisation.maxLength())
                    .append(" tokens\n");
            return;
        }
        Tokenized sequence = tokens.get();
        out.append(": ").append(sequence.length()).append(" tokens, ");
        out.append(sequence.targets()).append(" learnt\n");
        String[] shown = shown(sequence.tokens(), tokenisation.tokenizer());
        out.append(colour ? coloured(sequence, shown) : plain(sequence, shown)).append('\n');
    }

    private static String plain(Tokenized sequence, String[] shown) {
        StringBuilder out = new StringBuilder();
        boolean inside = false;
        for (int t = 0; t < shown.length; t++) {
            boolean learnt = sequence.target()[t];
            if (learnt != inside) {
                out.append(learnt ? "[[" : "]]");
            } else if (t > 0) {
                out.append('|');
            }
            inside = learnt;
            out.append(shown[t]);
        }
        return out.append(inside ? "]]" : "").toString();
    }

    private static String coloured(Tokenized sequence, String[] shown) {
        StringBuilder out = new StringBuilder();
        for (int t = 0; t < shown.length; t++) {
            String shade = (sequence.target()[t] ? LEARNT : GIVEN)[t % 2];
            boolean special = shown[t].startsWith("⟨");
            // The colour ends before a line break: a background would run to the terminal's edge.
            out.append(shade)
                    .append(special ? SPECIAL : "")
                    .append(shown[t].replace("\n", RESET + "\n" + shade))
                    .append(RESET);
        }
        return out.toString();
    }

    /// Each token's text, made visible.
    private static String[] shown(int[] ids, Tokenizer tokenizer) {
        StreamDecoder decoder = new StreamDecoder(tokenizer);
        String[] shown = new String[ids.length];
        for (int t = 0; t < ids.length; t++) {
            int[] one = {ids[t]};
            String name = tokenizer.decode(one, true);
            boolean special = !name.isEmpty() && tokenizer.decode(one, false).isEmpty();
            String text = special ? decoder.finish() : decoder.feed(ids[t]);
            shown[t] = special ? visible(text) + "⟨" + visible(name) + "⟩" : text.isEmpty() ? "·" : visible(text);
        }
        String rest = decoder.finish();
        if (!rest.isEmpty()) {
            shown[ids.length - 1] += visible(rest);
        }
        return shown;
    }

    private static String visible(String text) {
        StringBuilder out = new StringBuilder(text.length());
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '\n' -> out.append("⏎\n");
                case '\t' -> out.append('⇥');
                default -> {
                    if (Character.isISOControl(c) || isBidiControl(c)) {
                        out.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
                    } else {
                        out.append(c);
                    }
                }
            }
        }
        return out.toString();
    }

    /// Marks that turn the direction of writing would show tokens in another order.
    private static boolean isBidiControl(char c) {
        return (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0x200e || c == 0x200f;
    }
}
