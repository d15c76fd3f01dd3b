package dev.kedge.data;

import dev.kedge.text.ChatTemplate;
import dev.kedge.text.ChatTemplate.Rendered;
import dev.kedge.text.ChatTemplate.Span;
import dev.kedge.text.Message;
import dev.kedge.text.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/// Cuts an example where the model begins and ends to speak, and encodes each piece by itself.
record Pieces(Tokenizer tokenizer, Optional<ChatTemplate> template) {

    int[] prompt(Content prompt) {
        return switch (prompt) {
            case Content.Text(String text) -> opening(text);
            case Content.Messages(List<Message> messages) -> {
                String text = chatTemplate().render(messages, true);
                Rendered history = chatTemplate().renderWithSpans(messages);
                List<Span> spans = history.assistantSpans();
                if (!spans.isEmpty()
                        && !text.startsWith(
                                history.text().substring(0, spans.getLast().end()))) {
                    throw new IllegalArgumentException(
                            "the chat template writes earlier replies otherwise when it asks for the next");
                }
                yield encoded(text, spans, text.length()).ids();
            }
        };
    }

    Spoken spoken(Example example) {
        return switch (example) {
            case PromptCompletion(Content prompt, Content completion) -> reply(prompt, completion);
            case LabelledCompletion labelled -> spoken(labelled.unlabelled());
            case Conversation(List<Message> messages) -> conversation(messages, 0);
            case Document(String text) -> {
                int[] ids = ended(opening(text));
                boolean[] target = new boolean[ids.length];
                Arrays.fill(target, true);
                yield new Spoken(new int[0], ids, target);
            }
            case Preference _ -> throw new IllegalArgumentException("a preference is two sequences, not one");
            case Prompt _ -> throw new IllegalArgumentException("a prompt alone has nothing to learn");
        };
    }

    Spoken reply(Content prompt, Content reply) {
        return switch (reply) {
            case Content.Text(String text) -> {
                int[] ids = ended(tokenizer.encodeOrdinary(text));
                boolean[] target = new boolean[ids.length];
                Arrays.fill(target, true);
                yield new Spoken(prompt(prompt), ids, target);
            }
            case Content.Messages(List<Message> messages) -> {
                List<Message> all =
                        new ArrayList<>(prompt.asMessages(Conversation.USER).messages());
                int replyFrom = all.size();
                all.addAll(messages);
                yield conversation(all, replyFrom);
            }
        };
    }

    /// Learns what the assistant says in the messages from `replyFrom` on.
    private Spoken conversation(List<Message> messages, int replyFrom) {
        Rendered rendered = chatTemplate().renderWithSpans(messages);
        List<Span> spans = rendered.assistantSpans();
        int earlier = (int) messages.subList(0, replyFrom).stream()
                .filter(m -> m.role().equals(Conversation.ASSISTANT))
                .count();
        if (spans.size() == earlier) {
            throw new IllegalArgumentException("no message of the assistant is to be learnt");
        }
        int last = spans.getLast().end();
        Encoded encoded = encoded(rendered.text(), spans, last);
        int start = encoded.spanStarts().get(earlier);
        int[] ids = endsWithContent(rendered, messages) ? ended(encoded.ids()) : encoded.ids();
        boolean[] target = Arrays.copyOf(encoded.inSpan(), ids.length);
        Arrays.fill(target, encoded.ids().length, ids.length, true);
        return new Spoken(
                Arrays.copyOf(ids, start),
                Arrays.copyOfRange(ids, start, ids.length),
                Arrays.copyOfRange(target, start, ids.length));
    }

    /// Whether the template closes the last reply with nothing of its own.
    private static boolean endsWithContent(Rendered rendered, List<Message> messages) {
        String content = messages.stream()
                .filter(m -> m.role().equals(Conversation.ASSISTANT))
                .reduce((_, later) -> later)
                .orElseThrow()
                .content();
        Span last = rendered.assistantSpans().getLast();
        String said = rendered.text().substring(last.start(), last.end());
        return content.isBlank() ? said.isBlank() : said.stripTrailing().endsWith(content.strip());
    }

    private record Encoded(int[] ids, boolean[] inSpan, List<Integer> spanStarts) {}

    /// The text up to `end`, encoded in pieces that begin and end where spans do.
    private Encoded encoded(String text, List<Span> spans, int end) {
        List<int[]> pieces = new ArrayList<>();
        List<Integer> spanStarts = new ArrayList<>();
        int at = 0;
        int size = 0;
        for (Span span : spans) {
            for (String piece : List.of(text.substring(at, span.start()), text.substring(span.start(), span.end()))) {
                int[] ids = piece.isEmpty() ? new int[0] : tokenizer.encodeOrdinary(piece);
                pieces.add(ids);
                spanStarts.add(size);
                size += ids.length;
            }
            at = span.end();
        }
        int[] rest = at < end ? tokenizer.encodeOrdinary(text.substring(at, end)) : new int[0];
        pieces.add(rest);
        int[] ids = pieces.stream().flatMapToInt(Arrays::stream).toArray();
        boolean[] inSpan = new boolean[ids.length];
        List<Integer> starts = new ArrayList<>();
        for (int i = 1; i < spanStarts.size(); i += 2) {
            starts.add(spanStarts.get(i));
            Arrays.fill(inSpan, spanStarts.get(i), spanStarts.get(i) + pieces.get(i).length, true);
        }
        return new Encoded(ids, inSpan, starts);
    }

    /// A text with what the tokenizer adds before it, unless it begins with that itself, but without what is added
    /// after it. What is added does not depend on the text, so that the text's own tokens stand in the whole.
    private int[] opening(String text) {
        int[] whole = tokenizer.encode(text);
        int[] own = tokenizer.encodeOrdinary(text);
        if (own.length == 0) {
            boolean isEnd = whole.length > 0
                    && isEos(whole[whole.length - 1])
                    && !tokenizer.bos().equals(tokenizer.eos());
            return isEnd ? Arrays.copyOf(whole, whole.length - 1) : whole;
        }
        int before = 0;
        while (before + own.length < whole.length && !isAt(whole, before, own)) {
            before++;
        }
        int[] added = Arrays.copyOf(whole, before);
        return isAt(own, 0, added) ? own : Arrays.copyOf(whole, before + own.length);
    }

    private static boolean isAt(int[] ids, int from, int[] part) {
        return from + part.length <= ids.length && Arrays.equals(ids, from, from + part.length, part, 0, part.length);
    }

    private boolean isEos(int id) {
        return tokenizer.eos().isPresent() && tokenizer.eos().getAsInt() == id;
    }

    private int[] ended(int[] ids) {
        OptionalInt eos = tokenizer.eos();
        if (eos.isEmpty() || (ids.length > 0 && ids[ids.length - 1] == eos.getAsInt())) {
            return ids;
        }
        int[] ended = Arrays.copyOf(ids, ids.length + 1);
        ended[ids.length] = eos.getAsInt();
        return ended;
    }

    private ChatTemplate chatTemplate() {
        return template.orElseThrow(
                () -> new IllegalArgumentException("messages need a chat template, and the model has none"));
    }
}
