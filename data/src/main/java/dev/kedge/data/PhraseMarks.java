package dev.kedge.data;

import dev.kedge.text.Tokenizer;

/// Tags around the phrases of a reply, as in `a <MASK> red </MASK> ball`, that say which tokens of the reply
/// without tags belong to a phrase.
///
/// @param opening the tag before a phrase, such as `<MASK>`
/// @param closing the tag after it, such as `</MASK>`
public record PhraseMarks(String opening, String closing) {
    /// @throws IllegalArgumentException if a tag is blank, or both are the same
    public PhraseMarks {
        if (opening.isBlank() || closing.isBlank() || opening.equals(closing)) {
            throw new IllegalArgumentException(
                    "expected two different tags, were \"" + opening + "\" and \"" + closing + "\"");
        }
    }

    /// For each token of the plain reply the number of the phrase that it belongs to, from 1 in the order of the
    /// tags, or 0. A token belongs to the first phrase that it has a character of; white space belongs to a phrase
    /// only inside it. Phrases without characters are counted and have no token.
    ///
    /// The plain reply is wanted beside the marked one because tags bring white space of their own. Apart from tags
    /// and white space the two must be the same.
    ///
    /// @param marked   the reply with tags
    /// @param plain    the reply
    /// @param encoding of `plain`
    /// @throws IllegalArgumentException if tags do not alternate, or the texts differ: where and how
    public int[] phrases(String marked, String plain, Tokenizer.Encoding encoding) {
        int[] phraseOf = phraseOfCharacters(marked, plain);
        int[] phrases = new int[encoding.ids().length];
        for (int t = 0; t < phrases.length; t++) {
            for (int i = encoding.starts()[t]; i < encoding.ends()[t] && phrases[t] == 0; i++) {
                phrases[t] = phraseOf[i];
            }
        }
        return phrases;
    }

    private int[] phraseOfCharacters(String marked, String plain) {
        int[] phraseOf = new int[plain.length()];
        int count = 0;
        int phrase = 0; // the one that is open, or 0
        int before = -1; // the last character of the plain reply that is not white space
        for (int i = 0; i < marked.length(); ) {
            if (marked.startsWith(opening, i)) {
                requireTag(phrase == 0, opening, i, marked);
                phrase = ++count;
                i += opening.length();
            } else if (marked.startsWith(closing, i)) {
                requireTag(phrase != 0, closing, i, marked);
                phrase = 0;
                i += closing.length();
            } else {
                if (!Character.isWhitespace(marked.charAt(i))) {
                    int at = nextVisible(plain, before + 1);
                    if (at == plain.length() || plain.charAt(at) != marked.charAt(i)) {
                        throw difference(marked, i, plain, at);
                    }
                    boolean goesOn = before >= 0 && phraseOf[before] == phrase;
                    for (int j = goesOn ? before + 1 : at; j <= at; j++) {
                        phraseOf[j] = phrase;
                    }
                    before = at;
                }
                i++;
            }
        }
        requireTag(phrase == 0, "the end instead of " + closing, marked.length(), marked);
        int rest = nextVisible(plain, before + 1);
        if (rest < plain.length()) {
            throw difference(marked, marked.length(), plain, rest);
        }
        return phraseOf;
    }

    private static int nextVisible(String text, int from) {
        int at = from;
        while (at < text.length() && Character.isWhitespace(text.charAt(at))) {
            at++;
        }
        return at;
    }

    private static void requireTag(boolean fits, String found, int at, String marked) {
        if (!fits) {
            throw new IllegalArgumentException("tags must open and close in turn, found " + found + " at character "
                    + at + " of " + Fields.quoted(marked));
        }
    }

    private static IllegalArgumentException difference(String marked, int i, String plain, int at) {
        return new IllegalArgumentException("the marked reply differs from the plain one: "
                + Fields.quoted(marked.substring(i)) + " at character " + i + ", where the plain one has "
                + Fields.quoted(plain.substring(at)));
    }
}
