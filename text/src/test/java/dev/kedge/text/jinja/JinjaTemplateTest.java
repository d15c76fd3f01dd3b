package dev.kedge.text.jinja;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JinjaTemplateTest {
    private static final Clock CLOCK = Clock.fixed(Instant.parse("2024-07-04T09:05:03Z"), ZoneOffset.UTC);

    private static String render(String template) {
        return JinjaTemplate.parse(template, CLOCK).render(Map.of("messages", List.of(Map.of("role", "user"))));
    }

    /// The resource's note names the version that computed it.
    @TestFactory
    Stream<DynamicTest> agreesWithJinja2() throws IOException {
        JsonNode cases;
        try (var in = getClass().getResourceAsStream("/chat/expressions.json")) {
            cases = new ObjectMapper().readTree(in).path("cases");
        }
        return StreamSupport.stream(cases.spliterator(), false)
                .map(c -> DynamicTest.dynamicTest(c.path("template").asText(), () -> {
                    String template = c.path("template").asText();
                    if (c.has("error")) {
                        var e = assertThrows(TemplateException.class, () -> render(template));
                        assertEquals(1, e.getMessage().lines().count());
                    } else {
                        assertEquals(c.path("text").asText(), render(template));
                    }
                }));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{{ ''.getClass() }}",
                "{{ ''.getClass().forName('java.lang.Runtime') }}",
                "{{ messages.getClass() }}",
                "{{ messages[0].class.classLoader }}",
                "{{ ''.__class__.__mro__ }}",
                "{{ range.__globals__['os'] }}",
                "{{ raise_exception.call('x') }}",
                "{% include '/etc/passwd' %}",
                "{% import '/etc/passwd' as p %}",
                "{% extends '/etc/passwd' %}",
                "{{ ('' | attr('getClass'))() }}",
                "{{ messages['getClass']() }}",
                "{{ messages[0].put('role', 'x') }}",
                "{% set messages.x = 1 %}"
            })
    void aTemplateReachesNothingButData(String template) {
        assertThrows(TemplateException.class, () -> render(template));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
                "{% set ns = namespace(x='aaaaaaaa') %}{% for i in range(99) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}",
                "{{ 'x' * 999999999999 }}",
                "{{ [0] * 999999999999 }}",
                "{{ range(999999999999) }}",
                "{{ ('x' * 99999).replace('x', 'y' * 99999) }}",
                "{{ ('y' * 9999).join('x' * 99999) }}",
                "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
                "{% set ns = namespace(x=[]) %}{% for i in range(999) %}{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x }}",
                "{% set ns = namespace(x=[1]) %}{% for i in range(99) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x }}",
                "{% set ns = namespace(x=[1]) %}{% for i in range(99) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}"
                        + "{{ ns.x == ns.x }}",
                "{% set ns = namespace(x=[1]) %}{% for i in range(99) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}"
                        + "{{ ns.x | tojson }}",
                "{% for a in range(99999) %}{{ 'xxxxxxxxxxxxxxxxxxxxxxxx' * 99 }}{% endfor %}",
                "{{ 9 ** 999999999 }}",
                "{{ 9999999999 * 9999999999 }}"
            })
    void aTemplateEnds(String template) {
        assertTimeoutPreemptively(
                Duration.ofSeconds(30), () -> assertThrows(TemplateException.class, () -> render(template)));
    }

    @Test
    void deepNestingIsRefusedNotOverflown() {
        for (String deep : List.of("(", "{% if 1 %}", "not ", "-", "1+", "a.", "a|upper|", "[")) {
            String template = deep.startsWith("{%") ? deep.repeat(9999) : "{{ " + deep.repeat(9999) + "1 }}";
            assertThrows(TemplateException.class, () -> render(template), deep);
        }
    }

    @Test
    void aTemplateHasAGreatestLength() {
        assertThrows(TemplateException.class, () -> render("x".repeat(Lexer.MAX_LENGTH + 1)));
    }

    @Test
    void anErrorIsOneLineWhateverItQuotes() {
        var e = assertThrows(TemplateException.class, () -> render("{{ 1 'a\nb' }}"));
        assertEquals(1, e.getMessage().lines().count(), e.getMessage());
    }

    @Test
    void anErrorTellsItsLine() {
        var e = assertThrows(TemplateException.class, () -> render("a\nb\n{{ 1 + }}"));
        assertTrue(e.getMessage().startsWith("chat template, line 3: "), e.getMessage());
        e = assertThrows(TemplateException.class, () -> render("a\n{% if true %}\n{{ x.y }}{% endif %}"));
        assertEquals("chat template, line 3: 'x' is undefined", e.getMessage());
    }
}
