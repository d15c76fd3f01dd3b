package dev.kedge.data;

/// A text of which every token is to be learnt.
///
/// @param text not blank
public record Document(String text) implements Example {
    public Document {
        if (text.isBlank()) {
            throw new IllegalArgumentException("the document is empty");
        }
    }
}
