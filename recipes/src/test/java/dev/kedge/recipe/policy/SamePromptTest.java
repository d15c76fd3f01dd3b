package dev.kedge.recipe.policy;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.kedge.data.Tokenized;
import dev.kedge.data.Truncation;
import dev.kedge.data.verify.Exact;
import dev.kedge.data.verify.Extraction;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.nn.lm.DecoderConfig;
import dev.kedge.run.Run;
import dev.kedge.run.Terminal;
import dev.kedge.sequence.Models;
import dev.kedge.sequence.PretrainedModel;
import dev.kedge.sequence.SequenceReader;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Rng;
import dev.kedge.text.CharTokenizer;
import dev.kedge.text.Message;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// A record's prompt is the same tokens, whichever recipe reads it.
class SamePromptTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final CharTokenizer LETTERS = CharTokenizer.of("abcdefghijklmnopqrstuvwxyz ?.:|\nHA4");
    private static final int BOS = 1;
    private static final int EOS = 2;

    /// Writes BOS itself.
    private static final String TEMPLATE =
            "{{ bos_token }}{% for m in messages %}{{ m.role[0] + '|' + m.content + '.' }}"
                    + "{% endfor %}{% if add_generation_prompt %}{{ 'a|' }}{% endif %}";

    private static final String TEXT = "\"how many legs\"";
    private static final String ONE = "[{\"role\":\"user\",\"content\":\"how many legs\"}]";
    private static final String SEVERAL = """
            [{"role":"system","content":"be brief"},{"role":"user","content":"a cat"},
             {"role":"assistant","content":"yes"},{"role":"user","content":"how many legs"}]""";

    @TempDir
    Path folder;

    public record Nothing(int number) {}

    private int runs;

    private Run run() {
        return Run.start(folder.resolve("run" + runs++), "dpo", new Nothing(0), Terminal.quiet());
    }

    /// A model whose tokenizer puts BOS before a text, EOS behind it, both or neither.
    private Path model(boolean before, boolean behind, boolean template) throws IOException {
        Path model = folder.resolve("model" + before + behind + template);
        try (Rng rng = Rng.seeded(1);
                Decoder decoder =
                        Decoder.random(DecoderConfig.small(LETTERS.vocabularySize(), 16, 1, 2, 128), rng, Device.CPU)) {
            Models.save(decoder, LETTERS, model);
        }
        ObjectNode tokenizer =
                (ObjectNode) JSON.readTree(model.resolve("tokenizer.json").toFile());
        ObjectNode added = tokenizer.putObject("post_processor").put("type", "TemplateProcessing");
        ArrayNode single = added.putArray("single");
        ObjectNode tokens = added.putObject("special_tokens");
        if (before) {
            special(single, tokens, "<bos>", BOS);
        }
        single.addObject().putObject("Sequence").put("id", "A").put("type_id", 0);
        if (behind) {
            special(single, tokens, "<eos>", EOS);
        }
        added.set("pair", single.deepCopy().add(JSON.readTree("{\"Sequence\":{\"id\":\"B\",\"type_id\":0}}")));
        JSON.writeValue(model.resolve("tokenizer.json").toFile(), tokenizer);
        Path settings = model.resolve("tokenizer_config.json");
        ObjectNode config = (ObjectNode) JSON.readTree(settings.toFile());
        config.remove("kedge_tokenizer"); // read as any other's
        JSON.writeValue(settings.toFile(), config);
        if (template) {
            Files.writeString(model.resolve("chat_template.jinja"), TEMPLATE);
        }
        return model;
    }

    private static void special(ArrayNode single, ObjectNode tokens, String text, int id) {
        single.addObject().putObject("SpecialToken").put("id", text).put("type_id", 0);
        ObjectNode token = tokens.putObject(text).put("id", text);
        token.putArray("ids").add(id);
        token.putArray("tokens").add(text);
    }

    /// The record three times, and two of other prompts, which are held out since those of one prompt stay together.
    private Path file(String line) throws IOException {
        ObjectNode other = (ObjectNode) JSON.readTree(line);
        String key = other.has("question") ? "question" : "prompt";
        boolean isText = other.get(key).isTextual();
        StringBuilder lines = new StringBuilder((line.replace("\n", "") + "\n").repeat(3));
        for (String prompt : List.of("eggs", "hens")) {
            if (isText) {
                other.put(key, prompt);
            } else {
                other.putArray(key).addObject().put("role", "user").put("content", prompt);
            }
            lines.append(other).append('\n');
        }
        return Files.writeString(folder.resolve("data" + line.hashCode() + ".jsonl"), lines);
    }

    private Question question(Path model, String prompt) throws IOException {
        return questions(model, file("{\"question\":" + prompt + ",\"answer\":\"4\"}"), Optional.empty())
                .getFirst();
    }

    private List<Question> questions(Path model, Path data, Optional<String> wording) {
        var environment =
                new Environment.File(model, data, "question", "answer", wording, new Exact(), Extraction.TEXT, 4, 1, 2);
        try (Run run = run();
                Environment.Opened opened = environment.open(run, Device.CPU, 1)) {
            return opened.training();
        }
    }

    /// By fine-tuning, on pairs, and on labelled completions.
    private List<int[]> trainedOn(Path model, String prompt) throws IOException {
        String known = "{\"prompt\":" + prompt + ",";
        try (PretrainedModel start = PretrainedModel.open(model, Device.CPU);
                Run run = run()) {
            SequenceReader reader = SequenceReader.of(start, 128, Truncation.DROP, 1, run);
            Tokenized sft = reader.sequences(
                            file(known + "\"completion\":\"four\"}"),
                            SequenceReader.options(Optional.empty(), Optional.empty(), Optional.empty()),
                            1)
                    .train()
                    .getFirst();
            Tokenized dpo = reader.pairs(file(known + "\"chosen\":\"four\",\"rejected\":\"two\"}"))
                    .train()
                    .getFirst()
                    .rejected();
            Tokenized kto = reader.labelled(file(known + "\"completion\":\"four\",\"label\":true}"))
                    .train()
                    .getFirst()
                    .sequence();
            Tokenized alone =
                    reader.prompts(file("{\"prompt\":" + prompt + "}")).train().getFirst();
            return List.of(sft.prompt(), dpo.prompt(), kto.prompt(), alone.prompt());
        }
    }

    @ParameterizedTest
    @CsvSource({
        "true, false, true", "true, false, false", "false, true, true", "false, true, false",
        "true, true, true", "true, true, false", "false, false, true", "false, false, false"
    })
    void aPromptIsTheSameTokensWhoeverReadsIt(boolean before, boolean behind, boolean template) throws Exception {
        Path model = model(before, behind, template);
        for (String prompt : List.of(TEXT, ONE, SEVERAL)) {
            Question question = question(model, prompt);
            int[] asked = question.prompt();
            for (int[] other : trainedOn(model, prompt)) {
                assertArrayEquals(asked, other, prompt);
            }
            assertTrue(asked[asked.length - 1] != EOS, "a prompt goes on: " + Arrays.toString(asked));
            boolean begins = prompt.equals(TEXT) ? before : template;
            assertEquals(
                    begins ? 1 : 0, Arrays.stream(asked).filter(id -> id == BOS).count());
            assertEquals(begins, asked[0] == BOS);
        }
    }

    @Test
    void messagesStayTurnsForPolicyAndVerifier() throws Exception {
        Path model = model(true, true, true);
        Question one = question(model, ONE);
        assertEquals("u|how many legs.a|", LETTERS.decode(one.prompt()));
        assertEquals("how many legs", one.text());
        assertEquals(List.of(new Message("user", "how many legs")), one.asked().messages());
        Question several = question(model, SEVERAL);
        assertEquals("s|be brief.u|a cat.a|yes.u|how many legs.a|", LETTERS.decode(several.prompt()));
        assertEquals(
                new Message("system", "be brief"), several.asked().messages().getFirst());
        assertEquals(4, several.asked().messages().size());
        assertEquals("how many legs", LETTERS.decode(question(model, TEXT).prompt()), "text is no turn");
    }

    @Test
    void aWordingIsPutAroundTheUsersLastMessage() throws Exception {
        Path data = file("{\"question\":" + SEVERAL + ",\"answer\":\"4\"}");
        Question worded = questions(model(true, false, true), data, Optional.of("tell: {question}?"))
                .getFirst();
        assertEquals("s|be brief.u|a cat.a|yes.u|tell: how many legs?.a|", LETTERS.decode(worded.prompt()));
        assertEquals("how many legs", worded.asked().messages().getLast().content(), "the verifier gets the record's");
    }

    @Test
    void aTextThatBeginsWithBosOrEndsWithEosKeepsThemOnce() throws Exception {
        int[] asked = question(model(true, true, false), "\"<bos>legs<eos>\"").prompt();
        assertEquals("<bos>legs<eos>", LETTERS.decode(asked, true));
    }

    /// Nothing to answer: white space of any kind, and messages without a word.
    @Test
    void blankQuestionsAreLeftOutAndCounted() throws Exception {
        Path model = model(false, false, true);
        String good = "{\"question\":" + TEXT + ",\"answer\":\"4\"}\n";
        Path data = Files.writeString(
                folder.resolve("blank.jsonl"),
                good + good.replace("legs", "eggs") + good.replace("legs", "hens")
                        + "{\"question\":\"\",\"answer\":\"4\"}\n"
                        + "{\"question\":\" \\n\\t\",\"answer\":\"4\"}\n"
                        + "{\"question\":[{\"role\":\"user\",\"content\":\" \"}],\"answer\":\"4\"}\n"
                        + "{\"question\":[{\"role\":\"user\"}],\"answer\":\"4\"}\n"
                        + "{\"question\":[],\"answer\":\"4\"}\n");
        var environment = new Environment.File(
                model, data, "question", "answer", Optional.empty(), new Exact(), Extraction.TEXT, 4, 9, 2);
        try (Run run = run();
                Environment.Opened opened = environment.open(run, Device.CPU, 1)) {
            assertEquals(1, opened.training().size());
            String log = Files.readString(run.folder().resolve("log.txt"));
            assertTrue(log.contains("left out: 2 x key \"question\": expected text, found an empty string"), log);
            assertTrue(log.contains("left out: 1 x key \"question\": expected text, found an empty message"), log);
            assertTrue(log.contains("blank.jsonl, line 4"), log);
        }
    }
}
