package dev.kedge.data;

import com.fasterxml.jackson.databind.JsonNode;
import dev.kedge.data.DataException.Place;
import dev.kedge.text.Message;
import java.util.List;

/// Turns one JSON object into an example of one form.
final class RecordForm {
    private static final String ASSISTANT_TURN = "\n\nAssistant:";
    private static final String HUMAN_TURN = "\n\nHuman:";

    private final ReadOptions options;
    private Form form;

    RecordForm(ReadOptions options) {
        this.options = options;
        this.form = options.form();
    }

    /// @throws DataException naming the key, what was expected and what was found
    Example parse(JsonNode node, Place place) {
        if (!node.isObject()) {
            throw new DataException(place, "expected a JSON object, found " + Fields.describe(node));
        }
        Fields fields = new Fields(node, place, options);
        Form known = form == Form.DETECT ? detect(fields) : form;
        Example example =
                switch (known) {
                    case PROMPT_COMPLETION -> promptCompletion(fields);
                    case LABELLED_COMPLETION -> {
                        PromptCompletion completion = promptCompletion(fields);
                        yield new LabelledCompletion(
                                completion.prompt(), completion.completion(), fields.truth("label"));
                    }
                    case CONVERSATION -> conversation(fields);
                    case PREFERENCE -> preference(fields);
                    case PROMPT -> new Prompt(fields.said("prompt"));
                    case QUESTION -> question(fields);
                    case DOCUMENT -> new Document(fields.saidText("text"));
                    case DIALOGUE_PAIR -> dialoguePair(fields);
                    case INSTRUCTION -> PromptCompletion.of(instruction(fields), fields.saidText("output"));
                    case INSTRUCTION_PREFERENCE ->
                        Preference.of(instruction(fields), fields.saidText("chosen"), fields.saidText("rejected"));
                    case DETECT -> throw new AssertionError("detection names a form");
                };
        form = known;
        return example;
    }

    private static Form detect(Fields fields) {
        if (fields.has("chosen") || fields.has("rejected")) {
            if (fields.has("prompt")) {
                return Form.PREFERENCE;
            }
            if (fields.has("instruction")) {
                return Form.INSTRUCTION_PREFERENCE;
            }
            return fields.isText("chosen") && fields.isText("rejected") ? Form.DIALOGUE_PAIR : Form.PREFERENCE;
        }
        if (fields.has("messages")) {
            return Form.CONVERSATION;
        }
        if (fields.has("prompt")) {
            if (!fields.has("completion")) {
                return Form.PROMPT;
            }
            return fields.isBoolean("label") ? Form.LABELLED_COMPLETION : Form.PROMPT_COMPLETION;
        }
        if (fields.has("instruction")) {
            return Form.INSTRUCTION;
        }
        if (fields.has("text")) {
            return Form.DOCUMENT;
        }
        throw fields.unknownForm();
    }

    private static String instruction(Fields fields) {
        String instruction = fields.saidText("instruction");
        if (!fields.has("input")) {
            return instruction;
        }
        String input = fields.text("input");
        return input.isBlank() ? instruction : instruction + "\n\n" + input;
    }

    private static PromptCompletion promptCompletion(Fields fields) {
        Content prompt = fields.content("prompt");
        Content completion = fields.said("completion");
        if (prompt instanceof Content.Text && completion instanceof Content.Text) {
            return new PromptCompletion(prompt, completion);
        }
        var reply = completion.asMessages(Conversation.ASSISTANT);
        fields.requireAssistantFirst("completion", reply.messages());
        return new PromptCompletion(prompt.asMessages(Conversation.USER), reply);
    }

    private static PromptCompletion question(Fields fields) {
        fields.said("prompt"); // else there is nothing to answer
        return promptCompletion(fields);
    }

    private static Example conversation(Fields fields) {
        var messages = fields.messages("messages");
        if (messages.stream()
                .noneMatch(m ->
                        m.role().equals(Conversation.ASSISTANT) && !m.content().isBlank())) {
            throw fields.problem("messages", "expected a message of role assistant that says something, found none");
        }
        return new Conversation(messages);
    }

    private static Example preference(Fields fields) {
        Content chosen = fields.said("chosen");
        Content rejected = fields.said("rejected");
        if (!fields.has("prompt")) {
            if (chosen instanceof Content.Messages(var c) && rejected instanceof Content.Messages(var r)) {
                int shared = sharedMessages(c, r);
                if (shared == 0) {
                    throw fields.problem(
                            "prompt", "expected a prompt, or chosen and rejected that begin with the same messages");
                }
                return replies(fields, c.subList(0, shared), c.subList(shared, c.size()), r.subList(shared, r.size()));
            }
            throw fields.problem("prompt", "expected a string or a list of messages, found nothing");
        }
        Content prompt = fields.content("prompt");
        if (prompt instanceof Content.Text && chosen instanceof Content.Text && rejected instanceof Content.Text) {
            return new Preference(prompt, chosen, rejected);
        }
        var p = prompt.asMessages(Conversation.USER).messages();
        var c = chosen.asMessages(Conversation.ASSISTANT).messages();
        var r = rejected.asMessages(Conversation.ASSISTANT).messages();
        if (startsWith(c, p) && startsWith(r, p)) {
            c = c.subList(p.size(), c.size());
            r = r.subList(p.size(), r.size());
        }
        return replies(fields, p, c, r);
    }

    private static Example replies(Fields fields, List<Message> prompt, List<Message> chosen, List<Message> rejected) {
        fields.requireAssistantFirst("chosen", chosen);
        fields.requireAssistantFirst("rejected", rejected);
        return new Preference(Content.messages(prompt), Content.messages(chosen), Content.messages(rejected));
    }

    private static <T> boolean startsWith(List<T> list, List<T> prefix) {
        return list.size() > prefix.size() && list.subList(0, prefix.size()).equals(prefix);
    }

    /// The messages with which both begin, short of the last of either: equal replies are a tie, not a prompt.
    private static <T> int sharedMessages(List<T> a, List<T> b) {
        int most = Math.min(a.size(), b.size()) - 1;
        int shared = 0;
        while (shared < most && a.get(shared).equals(b.get(shared))) {
            shared++;
        }
        return shared;
    }

    private static Example dialoguePair(Fields fields) {
        String[] chosen = lastReply(fields, "chosen");
        String[] rejected = lastReply(fields, "rejected");
        if (!chosen[0].equals(rejected[0])) {
            throw fields.problem("rejected", "expected the dialogue of chosen up to its last reply, found another");
        }
        for (int i = 0; i < 2; i++) {
            if ((i == 0 ? chosen : rejected)[1].isBlank()) {
                throw fields.problem(i == 0 ? "chosen" : "rejected", "expected a last reply, found an empty one");
            }
        }
        return Preference.of(chosen[0], chosen[1], rejected[1]);
    }

    private static String[] lastReply(Fields fields, String key) {
        String dialogue = fields.text(key);
        int at = dialogue.lastIndexOf(ASSISTANT_TURN);
        if (at < 0) {
            throw fields.problem(
                    key, "expected a prompt beside it or a dialogue with \"\\n\\nAssistant:\" turns, found neither");
        }
        int reply = at + ASSISTANT_TURN.length();
        if (dialogue.indexOf(HUMAN_TURN, reply) >= 0) {
            throw fields.problem(key, "expected a dialogue that ends with the assistant's turn, found the human's");
        }
        return new String[] {dialogue.substring(0, reply), dialogue.substring(reply)};
    }
}
