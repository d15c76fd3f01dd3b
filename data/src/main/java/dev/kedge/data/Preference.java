package dev.kedge.data;

/// A prompt and two replies of which `chosen` is the better one.
///
/// Where both are equal the record says that neither is; see [ReadOptions.Ties].
///
/// @param chosen   not blank
/// @param rejected not blank
public record Preference(Content prompt, Content chosen, Content rejected) implements Example {
    public Preference {
        Example.requireReplies(prompt, chosen, rejected);
    }

    public static Preference of(String prompt, String chosen, String rejected) {
        return new Preference(Content.text(prompt), Content.text(chosen), Content.text(rejected));
    }

    /// Whether both replies are the same: a tie.
    public boolean isTie() {
        return chosen.equals(rejected);
    }
}
