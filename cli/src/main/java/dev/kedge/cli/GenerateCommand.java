package dev.kedge.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.kedge.data.Content;
import dev.kedge.data.Tokenisation;
import dev.kedge.nn.file.ModelFolder;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.nn.lm.Generator;
import dev.kedge.nn.lm.Generator.WeightedModel;
import dev.kedge.nn.lm.Sampling;
import dev.kedge.sequence.Models;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Gradients;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import dev.kedge.text.ChatTemplate;
import dev.kedge.text.StopTexts;
import dev.kedge.text.StreamDecoder;
import dev.kedge.text.Tokenizer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.function.Predicate;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// Continues a prompt.
@Command(name = "generate", description = "Continue a prompt with a model from disk.", mixinStandardHelpOptions = true)
final class GenerateCommand implements Callable<Integer> {
    @Option(
            names = "--model",
            required = true,
            paramLabel = "DIR",
            description = "A Hugging Face folder, a llama2.c file, a folder that holds one, or an adapter's folder.")
    Path model;

    @Option(names = "--base", paramLabel = "DIR", description = "Where the base of an adapter is now.")
    Path base;

    @Option(names = "--prompt", required = true, paramLabel = "TEXT", description = "What to continue; may be empty.")
    String prompt;

    @Option(
            names = "--guide",
            paramLabel = "DIR:WEIGHT",
            description = "A model of the same vocabulary whose log-probabilities, times the weight, are added at every"
                    + " token, such as an autoregressive reward model; may be given several times.")
    List<String> guides = List.of();

    @Option(names = "--chat", description = "Put the prompt through the model's chat template, as the user's turn.")
    boolean chat;

    @Option(
            names = "--max-tokens",
            defaultValue = "200",
            paramLabel = "N",
            description = "At most so many tokens (${DEFAULT-VALUE}).")
    int maxTokens;

    @Option(
            names = "--temperature",
            defaultValue = "0",
            description = "0 takes the likeliest token (${DEFAULT-VALUE}).")
    double temperature;

    @Option(
            names = "--top-k",
            defaultValue = "0",
            paramLabel = "K",
            description = "Only the K likeliest tokens; 0: all.")
    int topK;

    @Option(
            names = "--top-p",
            defaultValue = "1",
            paramLabel = "P",
            description = "Only the likeliest tokens of mass P; 1: all.")
    double topP;

    @Option(
            names = "--min-p",
            defaultValue = "0",
            paramLabel = "P",
            description = "Only tokens at least P times as likely as the likeliest; 0: all.")
    double minP;

    @Option(
            names = "--samples",
            defaultValue = "1",
            paramLabel = "N",
            description = "Continuations (${DEFAULT-VALUE}).")
    int samples;

    @Option(names = "--stop", paramLabel = "TEXT", description = "End before this text; may be given several times.")
    List<String> stop = List.of();

    @Option(names = "--seed", defaultValue = "0", description = "Seed of the draws (${DEFAULT-VALUE}).")
    long seed;

    @Option(names = "--device", defaultValue = "cpu", description = "cpu, cuda or cuda:N (${DEFAULT-VALUE}).")
    String device;

    @Option(names = "--json", description = "One JSON object, alone on the last line.")
    boolean json;

    @Option(names = "--logits", description = "With --json: the model's own logits after the last prompt token.")
    boolean logits;

    @Override
    public Integer call() throws JsonProcessingException {
        Sampling sampling = new Sampling(temperature, topK, topP, minP);
        try (Scope _ = new Scope();
                Tokenizer tokenizer = Models.tokenizer(model, Optional.ofNullable(base))) {
            ModelFolder folder = Models.folder(model, Optional.ofNullable(base), new Device(device));
            try (Decoder decoder = Models.decoder(folder, tokenizer, new Device(device));
                    Guides guided = Guides.load(guides, model, tokenizer, decoder)) {
                int[] ids = promptIds(tokenizer);
                Generator.Options options = new Generator.Options(
                        sampling, maxTokens, samples, ends(folder, tokenizer), stopRule(tokenizer, ids), seed, false);
                if (json) {
                    System.out.println(object(decoder, guided.models(), tokenizer, ids, options));
                } else {
                    stream(guided.models(), tokenizer, ids, options);
                }
            }
        }
        return 0;
    }

    private int[] promptIds(Tokenizer tokenizer) {
        ChatTemplate template =
                Models.chatTemplate(model, Optional.ofNullable(base)).orElse(ChatTemplate.HUMAN_ASSISTANT);
        Content asked = Content.text(prompt);
        return Tokenisation.ofPrompts(tokenizer, Optional.of(template)).prompt(chat ? asked.asMessages("user") : asked);
    }

    private static Set<Integer> ends(ModelFolder folder, Tokenizer tokenizer) {
        Set<Integer> ends = new HashSet<>(tokenizer.stopIds());
        ends.addAll(folder.generation().eosIds());
        return ends;
    }

    private Predicate<int[]> stopRule(Tokenizer tokenizer, int[] ids) {
        StopTexts ends = new StopTexts(stop);
        return stop.isEmpty() ? null : tokens -> ends.endIn(continuation(tokenizer, ids, tokens));
    }

    private void stream(List<WeightedModel> models, Tokenizer tokenizer, int[] ids, Generator.Options options) {
        if (samples > 1) {
            for (Generator.Completion c : Generator.generate(models, List.of(ids), options, null)) {
                System.out.println(text(tokenizer, ids, c) + "\n---");
            }
            return;
        }
        String given = tokenizer.decode(ids);
        System.out.print(given);
        System.out.flush();
        StreamDecoder decoder = new StreamDecoder(tokenizer);
        StringBuilder said = new StringBuilder();
        for (int id : ids) {
            said.append(decoder.feed(id));
        }
        StopTexts ends = new StopTexts(stop);
        StringBuilder shown = new StringBuilder();
        Generator.generate(models, List.of(ids), options, (_, token) -> {
            said.append(decoder.feed(token));
            show(shown, ends.certain(after(given, said.toString())));
        });
        show(shown, ends.cut(after(given, said + decoder.finish())));
        System.out.println();
    }

    private static void show(StringBuilder shown, String certain) {
        String news = certain.substring(Math.min(shown.length(), certain.length()));
        shown.append(news);
        System.out.print(news);
        System.out.flush();
    }

    private static String after(String given, String text) {
        return text.substring(Math.min(given.length(), text.length()));
    }

    private String object(
            Decoder decoder, List<WeightedModel> models, Tokenizer tokenizer, int[] ids, Generator.Options options)
            throws JsonProcessingException {
        ObjectMapper mapper = new ObjectMapper();
        ObjectNode result = mapper.createObjectNode();
        List<Generator.Completion> all = Generator.generate(models, List.of(ids), options, null);
        Generator.Completion first = all.getFirst();
        result.put("text", text(tokenizer, ids, first));
        ObjectNode tokenIds = result.putObject("token_ids");
        tokenIds.set("prompt", mapper.valueToTree(ids));
        tokenIds.set("continuation", mapper.valueToTree(first.tokens()));
        result.put("stop_reason", first.reason().name().toLowerCase(Locale.ROOT));
        if (all.size() > 1) {
            result.set(
                    "texts",
                    mapper.valueToTree(
                            all.stream().map(c -> text(tokenizer, ids, c)).toList()));
        }
        if (logits) {
            result.set("last_logits", mapper.valueToTree(lastLogits(decoder, ids)));
        }
        return mapper.writeValueAsString(result);
    }

    private String text(Tokenizer tokenizer, int[] ids, Generator.Completion completion) {
        return tokenizer.decode(ids) + new StopTexts(stop).cut(continuation(tokenizer, ids, completion.tokens()));
    }

    /// What follows the prompt in the text of both: a tokenizer may decode the first tokens of a text differently.
    private static String continuation(Tokenizer tokenizer, int[] ids, int[] tokens) {
        int[] all = Arrays.copyOf(ids, ids.length + tokens.length);
        System.arraycopy(tokens, 0, all, ids.length, tokens.length);
        return after(tokenizer.decode(ids), tokenizer.decode(all));
    }

    private static float[] lastLogits(Decoder decoder, int[] ids) {
        try (Scope _ = new Scope();
                var _ = Gradients.off()) {
            Tensor hidden = decoder.hidden(Tensor.of(ids, 1, ids.length).to(decoder.device()));
            return decoder.logits(hidden.narrow(0, ids.length - 1L, 1)).toFloats();
        }
    }
}
