package dev.kedge.text;

import com.fasterxml.jackson.databind.JsonNode;
import dev.kedge.text.jinja.JinjaTemplate;
import dev.kedge.text.jinja.TemplateException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Writes a conversation as the text that a model was trained on, by the model's own Jinja template.
///
/// The template sees `messages` (each with `role` and `content`), `add_generation_prompt`, and the special tokens by
/// role (`bos_token`, `eos_token`, ...); `tools` and `documents` are none. The rendered text has its special tokens
/// written out, so encode it with [Tokenizer#encodeOrdinary]. A template may ask for today's date.
public final class ChatTemplate {
    /// The plain form of the HH-RLHF data, for a model without a template: `"\n\nHuman: "` before what the user says,
    /// `"\n\nAssistant: "` before the replies, a system message as it stands before all; the generation prompt is
    /// `"\n\nAssistant:"`, so that a reply begins with its space. It has no end-of-turn marker: training appends
    /// EOS.
    public static final ChatTemplate HUMAN_ASSISTANT = of("""
            {%- for message in messages -%}
              {%- if message.role == 'user' -%}
                {{ '\\n\\nHuman: ' + message.content }}
              {%- elif message.role == 'assistant' -%}
                {{ '\\n\\nAssistant: ' + message.content }}
              {%- elif message.role == 'system' and loop.first -%}
                {{ message.content }}
              {%- else -%}
                {{ raise_exception("role '" + message.role + "' is not allowed here; expected user or assistant") }}
              {%- endif -%}
            {%- endfor -%}
            {%- if add_generation_prompt -%}
              {{ '\\n\\nAssistant:' }}
            {%- endif -%}
            """, Map.of());

    private final JinjaTemplate template;
    private final Map<String, String> specialTokens;

    private ChatTemplate(JinjaTemplate template, Map<String, String> specialTokens) {
        this.template = template;
        this.specialTokens = Map.copyOf(specialTokens);
    }

    /// A half-open range of a text in UTF-16 units.
    public record Span(int start, int end) {}

    /// A rendered conversation, and in it the ranges of the assistant's replies, each with its end-of-turn marker.
    public record Rendered(String text, List<Span> assistantSpans) {
        public Rendered {
            assistantSpans = List.copyOf(assistantSpans);
        }
    }

    /// The template of a model folder: `chat_template.jinja`, else `chat_template` in tokenizer_config.json (a text,
    /// or a list of named ones of which `default` is taken), else in chat_template.json; empty if there is none.
    ///
    /// @throws IllegalArgumentException if the template or its file is damaged
    public static Optional<ChatTemplate> load(Path folder) {
        Path file = folder.resolve("chat_template.jinja");
        try {
            if (Files.exists(file)) {
                return Optional.of(
                        of(new String(TokenizerFiles.read(file), StandardCharsets.UTF_8), SpecialTokens.texts(folder)));
            }
            for (String name : List.of("tokenizer_config.json", "chat_template.json")) {
                file = folder.resolve(name);
                JsonNode found = TokenizerFiles.json(folder, name).path("chat_template");
                if (!found.isMissingNode() && !found.isNull()) {
                    return Optional.of(of(source(found), SpecialTokens.texts(folder)));
                }
            }
        } catch (TemplateException e) {
            throw new IllegalArgumentException(file + ": " + e.getMessage(), e);
        }
        return Optional.empty();
    }

    private static String source(JsonNode found) {
        if (found.isTextual()) {
            return found.asText();
        }
        List<String> names = new ArrayList<>();
        for (JsonNode named : found) {
            names.add(named.path("name").asText());
            if (named.path("name").asText().equals("default") || found.size() == 1) {
                return named.path("template").asText();
            }
        }
        throw new IllegalArgumentException("chat_template: none of the templates " + names + " is named 'default'");
    }

    /// A template from its source; `specialTokens` maps `bos_token`, `eos_token`, ... to their texts.
    ///
    /// @throws TemplateException if it cannot be parsed; the message tells the line
    public static ChatTemplate of(String jinja, Map<String, String> specialTokens) {
        return of(jinja, specialTokens, Clock.systemDefaultZone());
    }

    static ChatTemplate of(String jinja, Map<String, String> specialTokens, Clock clock) {
        return new ChatTemplate(JinjaTemplate.parse(jinja, clock), specialTokens);
    }

    /// The conversation as text, with the beginning of the next reply if `addGenerationPrompt`.
    ///
    /// @throws TemplateException if the template refuses the messages, fails, or does more work than is allowed
    public String render(List<Message> messages, boolean addGenerationPrompt) {
        Map<String, Object> names = new LinkedHashMap<>(specialTokens);
        List<Map<String, String>> turns = new ArrayList<>();
        for (Message message : messages) {
            Map<String, String> turn = new LinkedHashMap<>();
            turn.put("role", message.role());
            turn.put("content", message.content());
            turns.add(turn);
        }
        names.put("messages", turns);
        names.put("add_generation_prompt", addGenerationPrompt);
        names.put("tools", null);
        names.put("documents", null);
        return template.render(names);
    }

    /// The conversation, and where in it the assistant's replies stand: from the end of the generation prompt before
    /// a reply to the end of its end-of-turn marker, or of its content when the template writes no marker. White
    /// space that the template puts after that is not part of the span, as the model never has to write it.
    ///
    /// @throws IllegalArgumentException if the template does not keep prefixes: if what it writes for the messages
    /// up
    ///     to a reply is not how the text of the whole conversation begins
    public Rendered renderWithSpans(List<Message> messages) {
        String whole = render(messages, false);
        List<Span> spans = new ArrayList<>();
        for (int i = 0; i < messages.size(); i++) {
            if (messages.get(i).role().equals("assistant")) {
                String prompt = render(messages.subList(0, i), true);
                String through = render(messages.subList(0, i + 1), false);
                requirePrefix(prompt, through, i);
                requirePrefix(through, whole, i);
                spans.add(new Span(
                        prompt.length(), end(prompt, through, messages.get(i).content())));
            }
        }
        return new Rendered(whole, spans);
    }

    /// What the template writes behind a reply, without the white space around it; empty if nothing.
    ///
    /// @throws IllegalArgumentException as [#renderWithSpans]
    String endOfTurn() {
        String reply = "Hello.";
        Rendered rendered = renderWithSpans(List.of(new Message("user", "Hi."), new Message("assistant", reply)));
        Span span = rendered.assistantSpans().getFirst();
        String said = rendered.text().substring(span.start(), span.end());
        int at = said.indexOf(reply);
        return at < 0 ? "" : said.substring(at + reply.length()).strip();
    }

    private static void requirePrefix(String prefix, String text, int index) {
        if (!text.startsWith(prefix)) {
            int same = 0;
            while (same < text.length() && text.charAt(same) == prefix.charAt(same)) {
                same++;
            }
            throw new IllegalArgumentException("message " + index
                    + ": the chat template does not keep prefixes: its text" + " changes at character " + same
                    + " when later messages are added, so the reply cannot be located");
        }
    }

    private static int end(String prompt, String through, String content) {
        String spoken = through.substring(prompt.length());
        int at = spoken.indexOf(content);
        int contentEnd = at < 0 ? 0 : at + content.length();
        return prompt.length()
                + contentEnd
                + spoken.substring(contentEnd).stripTrailing().length();
    }
}
