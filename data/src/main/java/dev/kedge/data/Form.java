package dev.kedge.data;

/// Which keys the records of a file have. Keys besides these are ignored.
public enum Form {
    /// Found from the keys of the first good record, and then expected of all others.
    DETECT,
    /// `prompt`, `completion`: each a string or a list of messages.
    PROMPT_COMPLETION,
    /// `prompt`, `completion`, `label`: the first two a string or a list of messages, the third true where the
    /// completion is desirable and false where it is not.
    LABELLED_COMPLETION,
    /// `messages`: a list of `{role, content}`.
    CONVERSATION,
    /// `prompt`, `chosen`, `rejected`: each a string or a list of messages. Without `prompt`, the messages with which
    /// both replies begin are the prompt. Replies that repeat an explicit prompt lose it.
    PREFERENCE,
    /// `prompt`: a string or a list of messages.
    PROMPT,
    /// `prompt`, `completion`: a question, a string or a list of messages that says something, and its reference
    /// answer, which is not learnt. Never found from the keys.
    QUESTION,
    /// `text`: a document to be learnt as a whole.
    DOCUMENT,
    /// `chosen`, `rejected`: whole dialogues with turns that open with "\n\nHuman:" and "\n\nAssistant:", as in
    /// Anthropic's HH-RLHF files. All up to and including the last "\n\nAssistant:" is the prompt and must be the
    /// same in both.
    DIALOGUE_PAIR,
    /// `instruction`, `output` and perhaps `input`, which follows the instruction after a blank line.
    INSTRUCTION,
    /// `instruction`, `chosen`, `rejected` and perhaps `input`, which follows the instruction after a blank line.
    INSTRUCTION_PREFERENCE
}
