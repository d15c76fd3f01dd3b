package dev.kedge.data;

import com.fasterxml.jackson.databind.JsonNode;
import dev.kedge.data.DataException.Place;
import dev.kedge.text.Message;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/// The values of one record under the keys of [Form], each checked as it is taken.
final class Fields {
    private static final int SHOWN = 40;

    private final JsonNode record;
    private final Place place;
    private final ReadOptions options;

    Fields(JsonNode record, Place place, ReadOptions options) {
        this.record = record;
        this.place = place;
        this.options = options;
    }

    boolean has(String key) {
        return record.hasNonNull(options.key(key));
    }

    boolean isText(String key) {
        return record.path(options.key(key)).isTextual();
    }

    boolean isBoolean(String key) {
        return record.path(options.key(key)).isBoolean();
    }

    /// True or false.
    boolean truth(String key) {
        if (!isBoolean(key)) {
            throw problem(key, "expected true or false, found " + describe(record.get(options.key(key))));
        }
        return record.get(options.key(key)).booleanValue();
    }

    /// A string, which may be empty.
    String text(String key) {
        JsonNode node = record.get(options.key(key));
        return string(node, options.key(key), "a string");
    }

    /// A string that is not blank.
    String saidText(String key) {
        String text = text(key);
        if (text.isBlank()) {
            throw problem(key, "expected text, found an empty string");
        }
        return text;
    }

    /// A string or a list of messages; either may be blank.
    Content content(String key) {
        JsonNode node = record.get(options.key(key));
        return node != null && node.isArray()
                ? Content.messages(messages(key))
                : Content.text(string(node, options.key(key), "a string or a list of messages"));
    }

    /// A string or a list of messages that says something.
    Content said(String key) {
        Content content = content(key);
        if (content.isBlank()) {
            throw problem(
                    key, "expected text, found an empty " + (content instanceof Content.Text ? "string" : "message"));
        }
        return content;
    }

    List<Message> messages(String key) {
        JsonNode node = record.get(options.key(key));
        if (node == null || !node.isArray()) {
            throw problem(key, "expected a list of messages, found " + describe(node));
        }
        if (node.isEmpty()) {
            throw problem(key, "expected at least one message, found an empty list");
        }
        List<Message> messages = new ArrayList<>(node.size());
        for (int i = 0; i < node.size(); i++) {
            String at = options.key(key) + "[" + i + "]";
            JsonNode message = node.get(i);
            if (!message.isObject()) {
                throw new DataException(place, at, "expected a message {role, content}, found " + describe(message));
            }
            String role = string(message.get(options.key("role")), at + "." + options.key("role"), "a string");
            if (role.isBlank()) {
                throw new DataException(
                        place, at + "." + options.key("role"), "expected a role, found an empty string");
            }
            String content = string(message.get(options.key("content")), at + "." + options.key("content"), "a string");
            messages.add(new Message(role, content));
        }
        return messages;
    }

    void requireAssistantFirst(String key, List<Message> reply) {
        String role = reply.getFirst().role();
        if (!role.equals(Conversation.ASSISTANT)) {
            throw problem(
                    key,
                    "expected a reply that begins with role assistant after the prompt, found role " + quoted(role));
        }
        if (reply.stream()
                .noneMatch(m ->
                        m.role().equals(Conversation.ASSISTANT) && !m.content().isBlank())) {
            throw problem(key, "expected a reply, found an empty message");
        }
    }

    DataException problem(String key, String problem) {
        return new DataException(place, options.key(key), problem);
    }

    DataException unknownForm() {
        List<String> found = new ArrayList<>();
        for (Iterator<String> names = record.fieldNames(); names.hasNext() && found.size() < 8; ) {
            found.add(quoted(names.next()));
        }
        return new DataException(
                place,
                "",
                "expected the keys prompt and completion, perhaps with label, messages, prompt with chosen and "
                        + "rejected, prompt, instruction and "
                        + "output, or text; found "
                        + (found.isEmpty() ? "none" : String.join(", ", found)));
    }

    private String string(JsonNode node, String key, String expected) {
        if (node == null || !node.isTextual()) {
            throw new DataException(place, key, "expected " + expected + ", found " + describe(node));
        }
        String text = node.textValue();
        for (int i = 0; i < text.length(); i++) {
            if (Character.isHighSurrogate(text.charAt(i))
                    && i + 1 < text.length()
                    && Character.isLowSurrogate(text.charAt(i + 1))) {
                i++;
            } else if (Character.isSurrogate(text.charAt(i))) {
                throw new DataException(
                        place, key, "expected Unicode text, found half of a surrogate pair at character " + i);
            }
        }
        return text;
    }

    static String describe(JsonNode node) {
        if (node == null || node.isMissingNode()) {
            return "nothing";
        }
        return switch (node.getNodeType()) {
            case NULL -> "null";
            case STRING -> "the string " + quoted(node.textValue());
            case NUMBER -> "the number " + shortened(node.asText());
            case BOOLEAN -> node.asText();
            case ARRAY -> node.isEmpty() ? "an empty list" : "a list of " + node.size();
            case OBJECT -> "an object";
            default -> "a " + node.getNodeType();
        };
    }

    static String quoted(String text) {
        return "\"" + shortened(text) + "\"";
    }

    private static String shortened(String text) {
        if (text.length() <= SHOWN) {
            return text;
        }
        int end = Character.isHighSurrogate(text.charAt(SHOWN - 1)) ? SHOWN - 1 : SHOWN;
        return text.substring(0, end) + "...";
    }
}
