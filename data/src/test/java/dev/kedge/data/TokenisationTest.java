package dev.kedge.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.data.ReadOptions.Wrong;
import dev.kedge.text.CharTokenizer;
import dev.kedge.text.ChatTemplate;
import dev.kedge.text.Message;
import dev.kedge.text.Tokenizer;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TokenisationTest {
    private static final Tokenizer LETTERS = CharTokenizer.of("abcdefghijklmnopqrstuvwxyz<>|=/: \nHA");

    /// Turns as ChatML writes them, with markers of one letter: `<role>content|` and a line end.
    private static final ChatTemplate MARKED = ChatTemplate.of(
            "{% for m in messages %}{{ '<' + m.role + '>' + m.content + '|\\n' }}{% endfor %}"
                    + "{% if add_generation_prompt %}{{ '<assistant>' }}{% endif %}",
            Map.of());

    /// As MARKED, but nothing ends a turn.
    private static final ChatTemplate BARE = ChatTemplate.of(
            "{% for m in messages %}{{ '<' + m.role + '>' + m.content }}{% endfor %}"
                    + "{% if add_generation_prompt %}{{ '<assistant>' }}{% endif %}",
            Map.of());

    private static Tokenisation rule(int maxLength, Truncation truncation) {
        return new Tokenisation(LETTERS, Optional.of(MARKED), maxLength, truncation);
    }

    private static Message user(String content) {
        return new Message("user", content);
    }

    private static Message assistant(String content) {
        return new Message("assistant", content);
    }

    /// The tokens as text with those to be learnt in brackets: what a reader would mark by hand.
    private static String marked(Tokenized tokens) {
        StringBuilder out = new StringBuilder();
        for (int t = 0; t < tokens.length(); t++) {
            String piece = LETTERS.decode(new int[] {tokens.tokens()[t]}, true);
            out.append(tokens.target()[t] ? "[" + piece + "]" : piece);
        }
        return out.toString();
    }

    private static String marked(Example example) {
        return marked(rule(100, Truncation.DROP).sequence(example).orElseThrow());
    }

    @Test
    void onlyTheCompletionAndItsEndAreLearnt() {
        assertEquals("<bos>ab[c][d][<eos>]", marked(PromptCompletion.of("ab", "cd")));
        assertEquals("<bos>[c][<eos>]", marked(PromptCompletion.of("", "c")));
        assertEquals("<bos>[a][b][<eos>]", marked(new Document("ab")));
    }

    @Test
    void aLabelledCompletionIsTheSequenceOfTheUnlabelledOne() {
        var labelled = LabelledCompletion.of("ab", "cde", false);
        assertEquals("<bos>ab[c][d][e][<eos>]", marked(labelled));
        var tokens = rule(7, Truncation.DROP)
                .labelled(
                        List.of(
                                labelled,
                                LabelledCompletion.of("a", "b", true),
                                LabelledCompletion.of("ab", "cdef", true),
                                PromptCompletion.of("a", "b")),
                        Wrong.SKIP);
        assertEquals(
                List.of("false <bos>ab[c][d][e][<eos>]", "true <bos>a[b][<eos>]"),
                tokens.items().stream()
                        .map(item -> item.desirable() + " " + marked(item.sequence()))
                        .toList());
        assertEquals(
                List.of(
                        "1 x longer than 7 tokens (first at example 3)",
                        "1 x expected a labelled completion, found a prompt with completion (first at example 4)"),
                tokens.skipped().lines());
    }

    @Test
    void aSequenceKnowsWhereItsPromptEnds() {
        assertEquals(3, prompt(PromptCompletion.of("ab", "cd"), 100));
        assertEquals(2, prompt(PromptCompletion.of("ab", "cd"), 5), "BOS and the prompt's end");
        assertEquals(0, prompt(new Document("ab"), 100));
        var dialogue = new Conversation(List.of(user("a"), assistant("b"), user("c"), assistant("d")));
        Tokenized whole = rule(100, Truncation.DROP).sequence(dialogue).orElseThrow();
        assertArrayEquals(rule(100, Truncation.DROP).prompt(Content.messages(List.of(user("a")))), whole.prompt());
    }

    private static int prompt(Example example, int maxLength) {
        return rule(maxLength, Truncation.KEEP_PROMPT_END)
                .sequence(example)
                .orElseThrow()
                .promptLength();
    }

    @Test
    void whatFollowsAPromptMayFollowAnother() {
        Tokenized sequence =
                new Tokenized(new int[] {1, 2, 3, 4, 5, 6}, new boolean[] {false, false, true, false, true, true}, 2);
        assertEquals(
                new Tokenized(
                        new int[] {7, 8, 9, 3, 4, 5, 6},
                        new boolean[] {false, false, false, true, false, true, true},
                        3),
                sequence.after(new int[] {7, 8, 9}, 7));
        assertEquals(
                new Tokenized(new int[] {7, 8, 9, 3, 4}, new boolean[] {false, false, false, true, false}, 3),
                sequence.after(new int[] {7, 8, 9}, 5));
        assertEquals(
                new Tokenized(new int[] {3, 4, 5, 6}, new boolean[] {false, false, true, true}, 0),
                sequence.after(new int[0], 24),
                "nothing stands before the first token");
    }

    @Test
    void promptsThatReachIntoTargetsOrDifferAreRefused() {
        Tokenized sequence = Tokenized.ofReply(new int[] {1, 2}, new int[] {3, 4, 5});
        assertThrows(IllegalArgumentException.class, () -> sequence.withPromptLength(3));
        assertEquals(1, sequence.withPromptLength(1).promptLength());
        assertEquals(2, sequence.withTarget(new boolean[5]).promptLength());
        assertThrows(
                IllegalArgumentException.class,
                () -> new TokenizedPair(sequence, Tokenized.ofReply(new int[] {1}, new int[] {2, 3})));
        assertThrows(
                IllegalArgumentException.class,
                () -> new TokenizedPair(sequence, Tokenized.ofReply(new int[] {1, 3}, new int[] {3})));
    }

    @Test
    void onlyTheAssistantsTurnsAndTheirMarkersAreLearnt() {
        assertEquals(
                "<user>a|\n<assistant>[b][|]\n<user>c|\n<assistant>[d][e][|]",
                marked(new Conversation(List.of(user("a"), assistant("b"), user("c"), assistant("de"), user("f")))));
        assertEquals(
                "<user>a|\n<assistant>b|\n<user>c|\n<assistant>[d][|]",
                marked(new PromptCompletion(
                        Content.messages(List.of(user("a"), assistant("b"), user("c"))),
                        Content.messages(List.of(assistant("d"))))));
    }

    @Test
    void aTemplateWithoutMarkersGetsTheEndOfSequence() {
        var tokenisation = new Tokenisation(LETTERS, Optional.of(BARE), 100, Truncation.DROP);
        var conversation = new Conversation(List.of(user("a"), assistant("b"), user("c"), assistant("d")));
        assertEquals(
                "<user>a<assistant>[b]<user>c<assistant>[d][<eos>]",
                marked(tokenisation.sequence(conversation).orElseThrow()));
    }

    @Test
    void whatIsSampledFromIsWhatIsTrainedOn() {
        var tokenisation = rule(100, Truncation.DROP);
        for (Content prompt : List.of(
                Content.text("ab"),
                Content.messages(List.of(user("a"))),
                Content.messages(List.of(user("a"), assistant("b"), user("c"))))) {
            Content reply =
                    prompt instanceof Content.Text ? Content.text("d") : Content.messages(List.of(assistant("d")));
            int[] trained = tokenisation
                    .sequence(new PromptCompletion(prompt, reply))
                    .orElseThrow()
                    .tokens();
            int[] sampledFrom = tokenisation.prompt(prompt);
            assertArrayEquals(sampledFrom, Arrays.copyOf(trained, sampledFrom.length));
        }
    }

    /// The template trims: what differs in spaces alone says the same to a model. Equal texts were kept on purpose.
    @Test
    void repliesOfTheSameTokensAreNoPair() {
        ChatTemplate trimming = ChatTemplate.of(
                "{% for m in messages %}{{ '<' + m.role + '>' + m.content | trim + '|' }}{% endfor %}"
                        + "{% if add_generation_prompt %}{{ '<assistant>' }}{% endif %}",
                Map.of());
        var tokenisation = new Tokenisation(LETTERS, Optional.of(trimming), 100, Truncation.DROP);
        Content asked = Content.messages(List.of(user("a")));
        List<Preference> preferences = List.of(
                new Preference(asked, said("b"), said("b ")),
                new Preference(asked, said("b"), said("c")),
                new Preference(asked, said("b"), said("b")));
        var pairs = tokenisation.pairs(preferences, ReadOptions.Wrong.FAIL);
        assertArrayEquals(new int[] {1, 2}, pairs.sources());
        assertEquals(
                List.of("1 x chosen and rejected are the same tokens (first at example 1)"),
                pairs.skipped().lines());
    }

    private static Content said(String reply) {
        return Content.messages(List.of(assistant(reply)));
    }

    @Test
    void pairsShareTheirPrompt() {
        TokenizedPair pair =
                rule(100, Truncation.DROP).pair(Preference.of("ab", "c", "def")).orElseThrow();
        assertEquals("<bos>ab[c][<eos>]", marked(pair.chosen()));
        assertEquals("<bos>ab[d][e][f][<eos>]", marked(pair.rejected()));
        assertEquals(3, pair.promptLength());
        assertEquals(7, pair.length());
    }

    @ParameterizedTest
    @CsvSource({
        "8, KEEP_PROMPT_END, <bos>abcd[e][f][<eos>]",
        "7, KEEP_PROMPT_END, <bos>bcd[e][f][<eos>]",
        "5, KEEP_PROMPT_END, <bos>d[e][f][<eos>]",
        "4, KEEP_PROMPT_END, d[e][f][<eos>]",
        "3, KEEP_PROMPT_END, ",
        "7, KEEP_PROMPT_START, <bos>abc[e][f][<eos>]",
        "4, KEEP_PROMPT_START, <bos>[e][f][<eos>]",
        "3, KEEP_PROMPT_START, ",
        "8, DROP, <bos>abcd[e][f][<eos>]",
        "7, DROP, ",
        "7, CUT_REPLY, <bos>abcd[e][f]",
        "6, CUT_REPLY, <bos>abcd[e]",
        "5, CUT_REPLY, ",
    })
    void tooLongIsCutByRuleAndNeverToNothing(int maxLength, Truncation truncation, String expected) {
        var tokens = rule(maxLength, truncation).sequence(PromptCompletion.of("abcd", "ef"));
        assertEquals(
                expected == null ? "" : expected,
                tokens.map(TokenisationTest::marked).orElse(""));
    }

    @ParameterizedTest
    @CsvSource({
        "6, KEEP_PROMPT_END, <bos>b[c][<eos>], <bos>b[d][e][f][<eos>]",
        "4, KEEP_PROMPT_END, , ",
        "6, CUT_REPLY, <bos>ab[c][<eos>], <bos>ab[d][e][f]",
        "6, DROP, , ",
    })
    void pairsAreCutAlike(int maxLength, Truncation truncation, String chosen, String rejected) {
        var pair = rule(maxLength, truncation).pair(Preference.of("ab", "c", "def"));
        assertEquals(
                chosen == null ? "" : chosen, pair.map(p -> marked(p.chosen())).orElse(""));
        assertEquals(
                rejected == null ? "" : rejected,
                pair.map(p -> marked(p.rejected())).orElse(""));
    }

    @Test
    void aPairThatCuttingMakesEqualIsLeftOut() {
        var preference = Preference.of("ab", "cd", "ce");
        assertTrue(rule(4, Truncation.CUT_REPLY).pair(preference).isEmpty());
        assertTrue(rule(5, Truncation.CUT_REPLY).pair(preference).isPresent());
    }

    @Test
    void whatIsLeftOutIsCounted() {
        List<Example> examples = List.of(
                PromptCompletion.of("a", "b"),
                PromptCompletion.of("abcdef", "b"),
                PromptCompletion.of("a", "ß"),
                PromptCompletion.of("a", "c"));
        var tokens = rule(5, Truncation.DROP).sequences(examples, Wrong.SKIP);
        assertArrayEquals(new int[] {0, 3}, tokens.sources());
        assertEquals(2, tokens.skipped().count());
        assertEquals(1, tokens.skipped().reasons().get("longer than 5 tokens"));
        var e = assertThrows(DataException.class, () -> rule(5, Truncation.DROP).sequences(examples, Wrong.FAIL));
        assertTrue(e.getMessage().startsWith("example 3: character 'ß'"), e.getMessage());
        var prompts = rule(4, Truncation.KEEP_PROMPT_END).prompts(examples, Wrong.FAIL);
        assertEquals("<bos>def", LETTERS.decode(prompts.items().get(1), true));
        assertEquals(
                3,
                rule(4, Truncation.CUT_REPLY)
                        .prompts(examples, Wrong.FAIL)
                        .items()
                        .size());
    }

    /// A reply may follow no prompt, but nothing follows no prompt and no reply.
    @Test
    void blankPromptsAreNotReadAlone() {
        var tokens = rule(100, Truncation.DROP)
                .prompts(
                        List.of(
                                PromptCompletion.of(" \n", "a"),
                                Preference.of("", "a", "b"),
                                LabelledCompletion.of("", "a", true),
                                PromptCompletion.of("a", "b")),
                        Wrong.SKIP);
        assertEquals(1, tokens.items().size());
        assertEquals(
                List.of("3 x the prompt is empty (first at example 1)"),
                tokens.skipped().lines());
    }

    @Test
    void messagesNeedATemplateAndPairsNeedTwoReplies() {
        var bare = new Tokenisation(LETTERS, Optional.empty(), 9, Truncation.DROP);
        var conversation = new Conversation(List.of(user("a"), assistant("b")));
        var e = assertThrows(IllegalArgumentException.class, () -> bare.sequence(conversation));
        assertEquals("messages need a chat template, and the model has none", e.getMessage());
        assertThrows(IllegalArgumentException.class, () -> bare.sequence(Prompt.of("a")));
        assertThrows(IllegalArgumentException.class, () -> bare.sequence(Preference.of("a", "b", "c")));
        assertThrows(DataException.class, () -> bare.pairs(List.of(Prompt.of("a")), Wrong.FAIL));
        assertThrows(DataException.class, () -> bare.prompts(List.of(conversation), Wrong.FAIL));
        assertThrows(IllegalArgumentException.class, () -> PromptCompletion.of("a", " \n"));
    }

    /// The real template and tokenizer of the digit task: the prompt is `a,b:M,N` and a separator, the reply ends
    /// with EOS.
    @Test
    void theDigitTaskIsTokenizedAsItsModelExpects() {
        var file = RealData.file("arithmetic_llama/test.jsonl");
        Tokenizer tokenizer = Tokenizer.load(file.getParent());
        var tokenisation = new Tokenisation(tokenizer, ChatTemplate.load(file.getParent()), 64, Truncation.DROP);
        Prompt first = (Prompt) Dataset.read(file).examples().getFirst();
        assertEquals("7,7:9,4S", tokenizer.decode(tokenisation.prompt(first.prompt()), true));
        var solved = new PromptCompletion(first.prompt(), Content.messages(List.of(assistant("7,2"))));
        var e = assertThrows(IllegalArgumentException.class, () -> tokenisation.sequence(solved));
        assertTrue(e.getMessage().contains("does not keep prefixes"), e.getMessage());
    }

    /// With a tokenizer that merges letters: each dialogue's pieces are those of prompt and reply encoded apart.
    @ParameterizedTest
    @CsvSource({"three.jsonl, 3", "harmless-base-test.jsonl.gz, 200"})
    void humanPreferencesAreTokenizedPieceByPiece(String file, int count) {
        var data = Dataset.read(RealData.file("hh_rlhf/" + file), ReadOptions.skipping());
        Tokenizer tokenizer = Tokenizer.load(RealData.file("stories260k/tok512.bin"));
        var tokenisation = new Tokenisation(tokenizer, Optional.empty(), 4096, Truncation.DROP);
        List<Example> some = data.examples().subList(0, count);
        var pairs = tokenisation.pairs(some, Wrong.FAIL);
        assertEquals(count, pairs.items().size() + pairs.skipped().count());
        for (int i = 0; i < pairs.items().size(); i++) {
            Preference preference = (Preference) some.get(pairs.sources()[i]);
            TokenizedPair pair = pairs.items().get(i);
            int[] prompt = tokenizer.encode(((Content.Text) preference.prompt()).text());
            int[] reply = tokenizer.encodeOrdinary(((Content.Text) preference.chosen()).text());
            assertEquals(prompt.length, pair.promptLength());
            assertEquals(prompt.length + reply.length + 1, pair.chosen().length());
            assertEquals(reply.length + 1, pair.chosen().targets());
            assertArrayEquals(
                    reply,
                    Arrays.copyOfRange(
                            pair.chosen().tokens(), prompt.length, pair.chosen().length() - 1));
            assertFalse(pair.chosen().target()[prompt.length - 1]);
            assertTrue(pair.chosen().target()[prompt.length]);
        }
    }

    /// With byte-pair merges: the targets decode to the reply and its marker, and all tokens to what the template
    /// wrote.
    @Test
    void chatsOfAMergingTokenizerLearnTheReplyAndItsMarker() {
        Tokenizer tokenizer =
                Tokenizer.load(RealData.file("tokenizers/qwen2/vocab.json").getParent());
        ChatTemplate chat = ChatTemplate.of(
                "{% for m in messages %}{{ '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>\\n' }}{% endfor %}"
                        + "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}",
                Map.of());
        var tokenisation = new Tokenisation(tokenizer, Optional.of(chat), 4096, Truncation.DROP);
        var data = Dataset.read(RealData.file("instruction_preference/instruction-data-with-preference.json"));
        for (Example example : data.examples().subList(0, 100)) {
            Preference preference = (Preference) example.asChat();
            TokenizedPair pair = tokenisation.pair(preference).orElseThrow();
            assertArrayEquals(
                    tokenisation.prompt(preference.prompt()),
                    Arrays.copyOf(pair.chosen().tokens(), pair.promptLength()));
            int[] learnt = Arrays.copyOfRange(
                    pair.chosen().tokens(), pair.promptLength(), pair.chosen().length());
            String reply = ((Content.Messages) preference.chosen())
                    .messages()
                    .getFirst()
                    .content();
            assertEquals(reply + "<|im_end|>", tokenizer.decode(learnt, true));
            assertEquals(learnt.length, pair.chosen().targets());
            String prompt = ((Content.Messages) preference.prompt())
                    .messages()
                    .getFirst()
                    .content();
            assertEquals(
                    "<|im_start|>user\n" + prompt + "<|im_end|>\n<|im_start|>assistant\n" + reply + "<|im_end|>",
                    tokenizer.decode(pair.chosen().tokens(), true));
        }
    }
}
