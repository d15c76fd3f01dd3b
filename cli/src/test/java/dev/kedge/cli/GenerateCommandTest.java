package dev.kedge.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.kedge.text.CharTokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GenerateCommandTest {
    @TempDir
    Path folder;

    private static JsonNode object(String... arguments) throws IOException {
        return new ObjectMapper()
                .readTree(Spoken.of(arguments).fine().out().lines().toList().getLast());
    }

    @Test
    void oneObjectOnTheLastLine() throws IOException {
        Path model = TinyFiles.model(folder.resolve("model"));
        JsonNode said = object(
                "generate", "--model", "" + model, "--prompt", "ab c", "--max-tokens", "5", "--json", "--logits");
        assertEquals("[1,3,4,11,5]", said.get("token_ids").get("prompt").toString());
        List<Integer> continuation = ids(said.get("token_ids").get("continuation"));
        assertTrue(!continuation.isEmpty() && continuation.size() <= 5);
        assertTrue(said.get("text").asText().startsWith("ab c"));
        JsonNode logits = said.get("last_logits");
        assertEquals(TinyFiles.TOKENIZER.vocabularySize(), logits.size());
        int likeliest = 0;
        for (int v = 1; v < logits.size(); v++) {
            likeliest = logits.get(v).asDouble() > logits.get(likeliest).asDouble() ? v : likeliest;
        }
        assertEquals(likeliest, continuation.getFirst(), "greedy takes the likeliest token");
        assertFalse(object("generate", "--model", "" + model, "--prompt", "ab", "--json")
                .has("last_logits"));
    }

    /// A template that brings BOS, after which the tokenizer adds no other.
    @Test
    void aChatIsWrittenByTheModelsTemplate() throws IOException {
        Path model = TinyFiles.model(folder.resolve("model"));
        Files.writeString(
                model.resolve("chat_template.jinja"),
                "{{ bos_token }}{% for m in messages %}{{ 'h' + m.content }}{% endfor %}");
        for (String prompt : List.of("ab", "<bos>ab")) {
            JsonNode plain =
                    object("generate", "--model", "" + model, "--prompt", prompt, "--max-tokens", "1", "--json");
            assertEquals("[1,3,4]", plain.get("token_ids").get("prompt").toString());
        }
        JsonNode chat =
                object("generate", "--model", "" + model, "--prompt", "ab", "--chat", "--max-tokens", "1", "--json");
        assertEquals("[1,10,3,4]", chat.get("token_ids").get("prompt").toString());
    }

    @Test
    void drawsDependOnTheSeedAlone() throws IOException {
        Path model = TinyFiles.model(folder.resolve("model"));
        List<JsonNode> said = new ArrayList<>();
        for (String seed : List.of("1", "1", "2")) {
            said.add(object(
                    "generate",
                    "--model",
                    "" + model,
                    "--prompt",
                    "a",
                    "--max-tokens",
                    "20",
                    "--temperature",
                    "1",
                    "--samples",
                    "3",
                    "--seed",
                    seed,
                    "--json"));
        }
        assertEquals(said.get(0), said.get(1));
        assertFalse(said.get(0).equals(said.get(2)));
        assertEquals(3, said.get(0).get("texts").size());
    }

    /// Guided by itself with weight 3, a model draws as at a quarter of the temperature; with weight 0 as ever.
    @Test
    void aModelIsGuidedByAnother() throws IOException {
        Path model = TinyFiles.model(folder.resolve("model"));
        Path guide = TinyFiles.model(folder.resolve("with:colon"));
        JsonNode guided = drawn(model, "1", "--guide", guide + ":3");
        assertEquals(drawn(model, "0.25"), guided);
        assertEquals(drawn(model, "0.25"), drawn(model, "1", "--guide", guide + ":1", "--guide", model + ":2"));
        assertEquals(drawn(model, "1"), drawn(model, "1", "--guide", guide + ":0"));
        assertFalse(guided.equals(drawn(model, "1")));
    }

    private static JsonNode drawn(Path model, String temperature, String... more) throws IOException {
        List<String> arguments = new ArrayList<>(List.of("generate", "--model", "" + model, "--prompt", "a"));
        arguments.addAll(List.of("--max-tokens", "20", "--samples", "3", "--json", "--temperature", temperature));
        arguments.addAll(List.of(more));
        return object(arguments.toArray(String[]::new)).get("texts");
    }

    @Test
    void guidesThatDoNotFitAreRefused() {
        String model = "" + TinyFiles.model(folder.resolve("model"));
        Path shorter = TinyFiles.model(folder.resolve("shorter"), CharTokenizer.of("abc"));
        Path other = TinyFiles.model(folder.resolve("other"), CharTokenizer.of("abcdefgx "));
        refuseGuide(model, shorter + ":1", "shorter", "6 tokens", "12");
        refuseGuide(model, other + ":1", "other", "token 10", "\"x\"", "\"h\"");
        refuseGuide(model, model, "--guide", "a finite weight");
        refuseGuide(model, model + ":much", "a finite weight", ":much");
        refuseGuide(model, ":1", "a model's folder");
        Spoken.of("generate", "--model", model, "--prompt", "a", "--guide", folder.resolve("none") + ":1")
                .refused(3, "none");
    }

    private static void refuseGuide(String model, String guide, String... words) {
        Spoken.of("generate", "--model", model, "--prompt", "a", "--guide", guide)
                .refused(2, words);
    }

    /// Rows of the embedding beyond the tokenizer's ids: as if they were not there, in the model and in its guide.
    @Test
    void paddedEmbeddingsAndTooSmallOnes() throws IOException {
        Path padded = TinyFiles.model(folder.resolve("padded"), TinyFiles.TOKENIZER, 40);
        Path more = TinyFiles.model(folder.resolve("more"), TinyFiles.TOKENIZER, 56);
        assertEquals(3, drawn(padded, "100", "--guide", more + ":-2").size());
        JsonNode said = object("generate", "--model", "" + padded, "--prompt", "a", "--json", "--logits");
        assertEquals(
                TinyFiles.TOKENIZER.vocabularySize(), said.get("last_logits").size());
        Path small = TinyFiles.model(folder.resolve("small"), TinyFiles.TOKENIZER, 10);
        String problem = "the tokenizer has 12 ids, but the embedding only 10 rows";
        Spoken.of("generate", "--model", "" + small, "--prompt", "a").refused(3, "small", problem);
        Path data = TinyFiles.completions(folder.resolve("data.jsonl"));
        Spoken.of("preview", "--model", "" + small, "--data", "" + data).refused(3, "small", problem);
        Path recipe = TinyFiles.sft(folder.resolve("sft.yaml"), small, data);
        Spoken.of("run", "" + recipe, "--quiet", "--out", "" + folder.resolve("run"))
                .refused(3, "small", problem);
    }

    @Test
    void everyFormEndsBeforeTheStopText() throws IOException {
        Path model = TinyFiles.model(folder.resolve("model"), CharTokenizer.of("äbcdefgh "));
        String[] asked = {"generate", "--model", "" + model, "--prompt", "äb", "--max-tokens", "12"};
        String all = object(with(asked, "--json")).get("text").asText();
        String stop = all.substring(5, 7); // of two tokens
        String expected = all.substring(0, all.indexOf(stop, 2));
        assertEquals(
                expected,
                object(with(asked, "--json", "--stop", stop)).get("text").asText());
        assertEquals(
                List.of(expected, expected),
                new ObjectMapper()
                        .convertValue(
                                object(with(asked, "--json", "--samples", "2", "--stop", stop))
                                        .get("texts"),
                                List.class));
        assertEquals(
                expected + "\n", Spoken.of(with(asked, "--stop", stop)).fine().out());
        assertEquals(
                (expected + "\n---\n").repeat(2),
                Spoken.of(with(asked, "--samples", "2", "--stop", stop)).fine().out());
        assertTrue(Spoken.of(with(asked, "--stop", "äb")).fine().out().startsWith("äb"), "the prompt is not cut");
        Spoken.of(with(asked, "--stop", "")).refused(2, "stop text", "empty");
    }

    private static String[] with(String[] arguments, String... more) {
        return Stream.of(arguments, more).flatMap(Stream::of).toArray(String[]::new);
    }

    @Test
    void weightsThatAreNotFiniteAreNamed() throws IOException {
        Path model = TinyFiles.model(folder.resolve("model"));
        Path weights = model.resolve("model.safetensors");
        byte[] bytes = Files.readAllBytes(weights);
        bytes[bytes.length - 1] = 0x7f; // of the last float32, stored with its lowest byte first
        bytes[bytes.length - 2] = (byte) 0xc0;
        Files.write(weights, bytes);
        Spoken.of("generate", "--model", "" + model, "--prompt", "a")
                .refused(3, "model.safetensors", "tensor \"", "1 of ", "NaN");
        Path data = TinyFiles.completions(folder.resolve("data.jsonl"));
        Path recipe = TinyFiles.sft(folder.resolve("tiny.yaml"), model, data);
        Spoken.of("run", "--quiet", "--out", "" + folder.resolve("run"), "" + recipe)
                .refused(3, "model.safetensors", "NaN");
        assertTrue(Files.readString(folder.resolve("run/summary.json")).contains("\"failed\""));
    }

    @Test
    void textWithoutJson() {
        Path model = TinyFiles.model(folder.resolve("model"));
        String text = Spoken.of("generate", "--model", "" + model, "--prompt", "ab", "--max-tokens", "3")
                .fine()
                .out();
        assertTrue(text.startsWith("ab"), text);
    }

    @Test
    void badModelsAndPrompts() throws IOException {
        Path model = TinyFiles.model(folder.resolve("model"));
        Spoken.of("generate", "--model", "" + folder.resolve("none"), "--prompt", "a")
                .refused(3, "none");
        Spoken.of("generate", "--model", "" + model, "--prompt", "xyz").refused(2, "'x'", "not in the alphabet");
        Spoken.of("generate", "--model", "" + model, "--prompt", "a", "--temperature", "-1")
                .refused(2, "-1");
        Files.writeString(model.resolve("config.json"), "{\"model_type\": ");
        Spoken.of("generate", "--model", "" + model, "--prompt", "a").refused(3, "config.json");
        Path other = TinyFiles.model(folder.resolve("other"));
        Files.writeString(other.resolve("tokenizer.json"), "{}");
        Spoken.of("generate", "--model", "" + other, "--prompt", "a").refused(3, "tokenizer.json");
    }

    /// The published output of llama2.c for this model.
    @Test
    void storiesAsPublished() throws IOException {
        Path model = Path.of(System.getProperty("kedge.data.dir", "../../shared/data"), "stories260k")
                .normalize();
        assumeTrue(
                Files.isDirectory(model),
                "needs " + model + ", which is not part of the project: -Dkedge.data.dir=FOLDER says where it is");
        JsonNode said = object("generate", "--model", "" + model, "--prompt", "", "--max-tokens", "200", "--json");
        assertEquals(
                Files.readString(model.resolve("expected_greedy_200_steps.txt")),
                said.get("text").asText());
        assertEquals("[1]", said.get("token_ids").get("prompt").toString());
        assertEquals(200, said.get("token_ids").get("continuation").size());
    }

    private static List<Integer> ids(JsonNode array) {
        List<Integer> ids = new ArrayList<>();
        array.forEach(id -> ids.add(id.asInt()));
        return ids;
    }
}
