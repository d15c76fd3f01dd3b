package dev.kedge.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ChatTemplateTest {
    private static final Map<String, String> TOKENS = Map.of("bos_token", "<s>", "eos_token", "</s>");
    private static final List<Message> TALK = List.of(
            new Message("user", "Hi"),
            new Message("assistant", "Größe 😀"),
            new Message("user", "More"),
            new Message("assistant", "Done."));

    private static JsonNode resource() {
        try (var in = ChatTemplateTest.class.getResourceAsStream("/chat/conversations.json")) {
            return new ObjectMapper().readTree(in);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private static ChatTemplate template(String name) {
        Clock clock = Clock.fixed(Instant.parse("2024-07-04T09:05:03Z"), ZoneOffset.UTC);
        return ChatTemplate.of(resource().path("templates").path(name).asText(), TOKENS, clock);
    }

    /// The resource's note names the version that computed it.
    @TestFactory
    Stream<DynamicTest> realTemplatesAgreeWithJinja2() {
        return StreamSupport.stream(resource().path("cases").spliterator(), false)
                .map(c -> DynamicTest.dynamicTest(c.path("template").asText() + c.path("messages"), () -> {
                    List<Message> messages = new ArrayList<>();
                    c.path("messages")
                            .forEach(m -> messages.add(new Message(
                                    m.path("role").asText(), m.path("content").asText())));
                    boolean prompt = c.path("add_generation_prompt").asBoolean();
                    ChatTemplate template = template(c.path("template").asText());
                    if (c.has("error")) {
                        var e = assertThrows(IllegalArgumentException.class, () -> template.render(messages, prompt));
                        assertTrue(e.getMessage().endsWith(c.path("error").asText()), e.getMessage());
                    } else {
                        assertEquals(c.path("text").asText(), template.render(messages, prompt));
                    }
                }));
    }

    @ParameterizedTest
    @CsvSource(
            quoteCharacter = '"',
            ignoreLeadingAndTrailingWhitespace = false,
            value = {
                "llama-2,\" \",\" </s>\"",
                "llama-3,\"\",<|eot_id|>",
                "qwen2,\"\",<|im_end|>",
                "qwen2.5,\"\",<|im_end|>",
                "mistral,\" \",</s>",
                "zephyr,\"\",</s>",
                "gemma,\"\",<end_of_turn>",
                "chatml,\"\",<|im_end|>"
            })
    void spansAreTheRepliesWithTheirMarker(String name, String before, String marker) {
        var rendered = template(name).renderWithSpans(TALK);
        assertEquals(template(name).render(TALK, false), rendered.text());
        List<String> spoken = rendered.assistantSpans().stream()
                .map(s -> rendered.text().substring(s.start(), s.end()))
                .toList();
        assertEquals(List.of(before + "Größe 😀" + marker, before + "Done." + marker), spoken);
    }

    @Test
    void aTemplateThatRewritesEarlierRepliesIsRefused() {
        List<Message> talk = List.of(
                new Message("user", "q"),
                new Message("assistant", "<think>\nhm\n</think>\n\nanswer"),
                new Message("user", "r"),
                new Message("assistant", "last"));
        var e = assertThrows(IllegalArgumentException.class, () -> template("qwen3-backwards")
                .renderWithSpans(talk));
        assertTrue(e.getMessage().startsWith("message 1: the chat template does not keep prefixes"), e.getMessage());
    }

    @Test
    void withoutATemplateTheFormIsThatOfHhRlhf() {
        assertEquals("\n\nHuman: Hi\n\nAssistant:", ChatTemplate.HUMAN_ASSISTANT.render(TALK.subList(0, 1), true));
        var rendered = ChatTemplate.HUMAN_ASSISTANT.renderWithSpans(TALK);
        assertEquals("\n\nHuman: Hi\n\nAssistant: Größe 😀\n\nHuman: More\n\nAssistant: Done.", rendered.text());
        var first = rendered.assistantSpans().getFirst();
        assertEquals(" Größe 😀", rendered.text().substring(first.start(), first.end()));
        assertEquals(2, rendered.assistantSpans().size());
        var e = assertThrows(
                IllegalArgumentException.class,
                () -> ChatTemplate.HUMAN_ASSISTANT.render(List.of(new Message("tool", "x")), false));
        assertTrue(e.getMessage().contains("role 'tool' is not allowed"), e.getMessage());
    }

    @Test
    void aMessageIsDataNotATemplate() {
        String attack = "{{ 1 + 1 }}{% raw %}";
        String text = template("chatml").render(List.of(new Message("user", attack)), false);
        assertEquals("<|im_start|>user\n" + attack + "<|im_end|>\n", text);
    }

    @Test
    void loadsFromEveryPlaceThatHasOne(@TempDir Path folder) throws IOException {
        assertTrue(ChatTemplate.load(folder).isEmpty());
        Path config = folder.resolve("tokenizer_config.json");
        Files.writeString(config, "{\"chat_template\": null}");
        assertTrue(ChatTemplate.load(folder).isEmpty());
        Files.writeString(
                config,
                "{\"eos_token\": {\"content\": \"<e>\"}, \"chat_template\": [{\"name\": \"tool_use\", \"template\":"
                        + " \"T\"}, {\"name\": \"default\", \"template\": \"D{{ eos_token }}\"}]}");
        assertEquals("D<e>", ChatTemplate.load(folder).orElseThrow().render(TALK, false));
        Files.writeString(config, "{\"chat_template\": [{\"name\": \"a\"}, {\"name\": \"b\"}]}");
        var e = assertThrows(IllegalArgumentException.class, () -> ChatTemplate.load(folder));
        assertTrue(e.getMessage().contains("[a, b]"), e.getMessage());
        Files.writeString(folder.resolve("chat_template.jinja"), "J{{ messages|length }}");
        assertEquals("J4", ChatTemplate.load(folder).orElseThrow().render(TALK, false));
        Files.writeString(folder.resolve("chat_template.jinja"), "{% if %}");
        e = assertThrows(IllegalArgumentException.class, () -> ChatTemplate.load(folder));
        assertTrue(e.getMessage().contains("chat_template.jinja: chat template, line 1"), e.getMessage());
    }
}
